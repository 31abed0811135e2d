//! A real Alertmanager: it fires, groups, resolves, and a silence that was made there is honoured there.

use std::process::Command;

use fleetglass_tests::{
    command,
    inbox::Inbox,
    peers::{self, Peer},
    proxy::http_client,
    wait::eventually,
};
use serde_json::{Value, json};

use super::{lag, node, nodes_of, proxy};

async fn alerts(peer: &Peer) -> Vec<Value> {
    let answer = http_client().get(peer.url("/api/v2/alerts")).send().await.unwrap().text().await.unwrap();
    serde_json::from_str::<Value>(&answer).unwrap().as_array().cloned().unwrap_or_default()
}

async fn silence(peer: &Peer, instance: &str) {
    let body = json!({
        "matchers": [{"name": "instance", "value": instance, "isRegex": false, "isEqual": true}],
        "createdBy": "me", "comment": "known",
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
    });
    let request = http_client().post(peer.url("/api/v2/silences")).header("content-type", "application/json");
    assert_eq!(request.body(body.to_string()).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn alertmanager_groups_what_we_tell_it_honours_its_silence_and_hears_of_the_end() {
    if peers::are_skipped() {
        return;
    }
    let inbox = Inbox::start().await;
    let route =
        "{ receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h }";
    let receivers = format!("[{{ name: hook, webhook_configs: [{{ url: '{}' }}] }}]", inbox.url("/am"));
    let config = format!("route: {route}\nreceivers: {receivers}\n");
    let (one, two) = (Peer::alertmanager_with(&config).await, Peer::alertmanager().await);
    silence(&one, "n2").await;
    let receiver = format!(
        "[[receiver]]\nname = \"team\"\n[[receiver.alertmanager]]\nurl = \"{}\"\n[[receiver.alertmanager]]\nurl = \"{}/\"\n",
        one.url(""),
        two.url("")
    );
    let nodes = [node(7.0).await, node(8.0).await, node(9.0).await];
    let fleetglass = proxy(&[&nodes[0], &nodes[1], &nodes[2]], &receiver).await;
    let letter = inbox.letter("a group of two", |letter| nodes_of(letter, "firing") == ["n0", "n1"]).await;
    let annotations = letter.json()["alerts"][0]["annotations"].clone();
    assert_eq!(annotations["summary"], "It lags 7 s");
    assert_eq!(annotations["measured"], "Value 7, bound 5");
    let all = alerts(&one).await;
    assert_eq!(all.len(), 3);
    assert!(
        all.iter()
            .all(|alert| alert["generatorURL"].as_str().unwrap().starts_with(&fleetglass.url("/alerts/")))
    );
    eventually("the other one knows them too", async || match alerts(&two).await.len() {
        3 => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    nodes[0].says("/metrics", lag(1.0));
    inbox.letter("one is over", |letter| nodes_of(letter, "resolved") == ["n0"]).await;
    nodes[1].says("/metrics", lag(1.0));
    nodes[2].says("/metrics", lag(1.0));
    inbox.letter("the other is over", |letter| nodes_of(letter, "resolved").contains(&"n1".to_owned())).await;
    let told = inbox.letters().iter().any(|letter| letter.text().contains("n2"));
    assert!(!told, "what is silenced there is not told");
    eventually("nothing is left", async || match alerts(&two).await.len() {
        0 => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
}

/// Trees in our words and in Alertmanager's, and labels to route.
const TREES: [(&str, &str, &[&str]); 3] = [
    (
        "[notify.route]\nreceiver = \"a\"\n\
         [[notify.route.routes]]\nreceiver = \"b\"\nmatchers = ['severity=\"critical\"']\n\
         [[notify.route.routes]]\nreceiver = \"c\"\nmatchers = ['region=~\"eu-.*\"']\n",
        "route: { receiver: a, routes: [{ receiver: b, matchers: ['severity=\"critical\"'] }, { receiver: c, matchers: ['region=~\"eu-.*\"'] }] }",
        &["severity=critical,region=eu-1", "severity=warning,region=eu-1", "region=eu", "x=y"],
    ),
    (
        "[notify.route]\nreceiver = \"a\"\n\
         [[notify.route.routes]]\nreceiver = \"b\"\nmatchers = ['severity=~\"critical|warning\"']\ncontinue = true\n\
         [[notify.route.routes.routes]]\nreceiver = \"c\"\nmatchers = ['region!=\"eu\"', 'team=\"x\"']\n\
         [[notify.route.routes.routes]]\nmatchers = ['team=\"y\"']\n\
         [[notify.route.routes]]\nreceiver = \"d\"\nmatchers = ['team!~\"x|y\"']\n",
        "route: { receiver: a, routes: [{ receiver: b, matchers: ['severity=~\"critical|warning\"'], continue: true, routes: [{ receiver: c, matchers: ['region!=\"eu\"', 'team=\"x\"'] }, { matchers: ['team=\"y\"'] }] }, { receiver: d, matchers: ['team!~\"x|y\"'] }] }",
        &[
            "severity=critical,team=x",
            "severity=critical,team=x,region=eu",
            "severity=warning,team=y",
            "severity=warning,team=z",
            "severity=info,team=x",
            "severity=criticality,team=z",
        ],
    ),
    (
        "[notify.route]\nreceiver = \"a\"\n\
         [[notify.route.routes]]\nreceiver = \"b\"\nmatchers = ['team=\"\"']\n\
         [[notify.route.routes]]\nreceiver = \"c\"\n",
        "route: { receiver: a, routes: [{ receiver: b, matchers: ['team=\"\"'] }, { receiver: c }] }",
        &["x=y", "team=t"],
    ),
];

#[test]
fn routes_lead_where_amtool_says_they_do() {
    if peers::are_skipped() {
        return;
    }
    let folder = tempfile::TempDir::new().unwrap();
    for (ours, theirs, cases) in TREES {
        let names = ["a", "b", "c", "d"];
        let receivers: String = names.map(|name| super::hook(name, "http://127.0.0.1:1/")).concat();
        std::fs::write(folder.path().join("fleetglass.toml"), format!("{ours}{receivers}")).unwrap();
        let receivers = names.map(|name| format!("{{ name: {name} }}")).join(", ");
        std::fs::write(folder.path().join("am.yml"), format!("{theirs}\nreceivers: [{receivers}]\n"))
            .unwrap();
        for case in cases {
            let args = ["notify", "route", "--config", "fleetglass.toml", "--labels", case];
            let said = command::run_in(folder.path(), &args, &[]);
            assert_eq!(said.code, Some(0), "{}", said.err);
            let mut amtool = Command::new("amtool");
            amtool.args(["config", "routes", "test", "--config.file=am.yml"]).args(case.split(','));
            let amtool = amtool.current_dir(folder.path()).output().expect("amtool comes with Alertmanager");
            let theirs = String::from_utf8(amtool.stdout).unwrap();
            assert!(amtool.status.success(), "{theirs}");
            assert_eq!(said.out.trim(), theirs.trim(), "{case} of\n{ours}");
        }
    }
}
