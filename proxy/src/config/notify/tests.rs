//! What `[notify]` and `[[receiver]]` say of good and bad texts.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use crate::config::LoadedConfig;

fn parse(text: &str) -> Result<LoadedConfig, String> {
    LoadedConfig::parse(Path::new("fg.toml"), text, []).map_err(|error| error.to_string())
}

const ALL: &str = r#"
[notify]
external_url = "https://fleet.example/"
timeout = "5s"
max_age = "12h"
link_lifetime = "2h"
[notify.heartbeat]
url_file = "heartbeat.url"
interval = "5m"
[notify.summary]
receiver = "team"
at = "08:00"
location = "Europe/Berlin"
[[notify.time_interval]]
name = "nights"
time_intervals = [{ times = [{ start_time = "22:00", end_time = "24:00" }] }]
[notify.route]
receiver = "team"
group_by = ["alertname"]
group_wait = "10s"
group_interval = "1m"
repeat_interval = "1h"
[[notify.route.routes]]
matchers = ['severity="critical"', 'region=~"eu.*"']
continue = true
receiver = "pager"
group_by = ["..."]
escalate_after = "10m"
escalate_to = "team"
mute_time_intervals = ["nights"]
active_time_intervals = ["nights"]
[[receiver]]
name = "team"
send_resolved = false
chart = false
title = "{{ .CommonLabels.alertname }}"
body = "{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}"
[[receiver.alertmanager]]
url = "http://127.0.0.1:9093"
bearer_token_file = "am.token"
[[receiver.webhook]]
url_file = "hook.url"
bearer_token = "t"
[[receiver.slack]]
webhook_url_file = "slack.url"
[[receiver.discord]]
webhook_url = "https://discord.com/api/webhooks/1/hunter2"
[[receiver.telegram]]
bot_token_file = "bot.token"
chat_id = -1001234
[[receiver.telegram]]
bot_token = "1:hunter2"
chat_id = "@ops"
message_thread_id = 4
[[receiver.ntfy]]
topic = "hunter2"
token_file = "ntfy.token"
[[receiver]]
name = "pager"
[[receiver.pagerduty]]
routing_key = "hunter2"
[[receiver.opsgenie]]
api_key_file = "og.key"
api_url = "https://api.eu.opsgenie.com"
[[receiver.email]]
to = ["ops@example.org", "Boss <boss@example.org>"]
from = "Fleetglass <alerts@example.org>"
smarthost = "smtp.example.org:587"
username = "u"
password_file = "smtp.password"
"#;

#[test]
fn every_setting_is_read_and_no_secret_is_shown() {
    let loaded = parse(ALL).unwrap();
    let tree = fleetglass_shared::route::Tree::new(&loaded.config.notify.route.as_ref().unwrap().spec());
    let routes = tree.routes();
    assert_eq!(routes.iter().map(|route| route.receiver.as_str()).collect::<Vec<_>>(), ["team", "pager"]);
    assert_eq!(routes[1].pace.wait_ms, 10_000);
    assert_eq!(routes[1].escalation.as_ref().unwrap().after_ms, 600_000);
    assert_eq!(loaded.config.receivers[0].telegram[0].chat_id, "-1001234");
    assert_eq!(loaded.config.external_url(), "https://fleet.example");
    assert!(!format!("{:?}", loaded.config).contains("hunter2"));
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_what_to_do() {
    for (from, to, near, words) in [
        ("receiver = \"pager\"", "receiver = \"nobody\"", "\"nobody\"", "no receiver `nobody`"),
        ("escalate_to = \"team\"", "escalate_to = \"x\"", "\"x\"", "no receiver `x`"),
        ("escalate_to = \"team\"\n", "", "[[notify.route.routes]]", "go together"),
        (
            "active_time_intervals = [\"nights\"]",
            "active_time_intervals = [\"days\"]",
            "\"days\"",
            "no time interval `days`",
        ),
        ("'severity=\"critical\"'", "'severity=critical'", "['severity=critical'", "severity=critical"),
        ("at = \"08:00\"", "at = \"25:00\"", "\"25:00\"", "25:00"),
        ("Europe/Berlin", "Europe/Nowhere", "\"08:00\"", "Europe/Nowhere"),
        ("{{ end }}", "", "\"{{ range", "body"),
        (
            "\"https://discord.com/api/webhooks/1/hunter2\"",
            "\"hunter2\"",
            "\"hunter2\"",
            "not an http or https URL",
        ),
        ("\"smtp.example.org:587\"", "\"smtp\"", "\"smtp\"", "its port"),
        ("Boss <boss@example.org>", "boss", "\"boss\"", "boss"),
        (
            "routing_key = \"hunter2\"\n",
            "",
            "[[receiver.pagerduty]]",
            "either `routing_key` or `routing_key_file`",
        ),
        ("name = \"pager\"", "name = \"team\"\n#", "\"team\"\n#", "no name of its own"),
        ("username = \"u\"\n", "", "[[receiver.email]]", "go together"),
    ] {
        let text = ALL.replacen(from, to, 1);
        let error = parse(&text).unwrap_err();
        assert!(error.contains(words) && error.contains("hint:"), "{to}: {error}");
        let (before, _) = text.split_once(near).unwrap();
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let place = format!("fg.toml:{}:{column}: ", before.matches('\n').count() + 1);
        assert!(error.starts_with(&place), "{to}: wanted {place}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = parse("[notify.route]\nreceiver = \"a\"\n[[receiver]]\nname = \"a\"\n").unwrap_err();
    assert!(error.contains("reaches nobody"), "{error}");
    let error = parse("[notify.route]\nmatchers = ['a=\"b\"']\nreceiver = \"a\"\n").unwrap_err();
    assert!(error.contains("takes every alert"), "{error}");
}
