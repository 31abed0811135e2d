//! Messages as those who get them meet them: what arrives where, when, how often, and what can be done with it.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use fleetglass_tests::{
    inbox::{Inbox, Letter},
    node::{Node, Page},
    proxy::{Fleetglass, QUICK, http_client},
    wait::eventually,
};
use serde_json::{Value, json};

#[path = "notify/alertmanager.rs"]
mod alertmanager;
#[path = "notify/commands.rs"]
mod commands;
#[path = "notify/kill.rs"]
mod kill;
#[path = "notify/links.rs"]
mod links;
#[path = "notify/push.rs"]
mod push;
#[path = "notify/services.rs"]
mod services;

fn lag(seconds: f64) -> Page {
    Page::metrics(&format!("# TYPE lag_seconds gauge\nlag_seconds {seconds}\n"))
}

/// Rules evaluated five times a second, and a route that waits for nothing.
const HEAD: &str = "
[rules]
files = [\"rules.yml\"]
evaluation_interval = \"250ms\"
built_in = false

[notify]
timeout = \"2s\"

[notify.route]
receiver = \"team\"
group_by = [\"alertname\"]
group_wait = \"0s\"
group_interval = \"1s\"
";

const RULES: &str = "groups: [{name: g, rules: [
    {alert: Lag, expr: lag_seconds > 5, labels: {severity: P1}, annotations: {summary: 'It lags {{ $value }} s', action: Look at it}}]}]\n";

/// A proxy over nodes named `n0`, `n1`, …, told to whom its receivers are.
async fn proxy(nodes: &[&Node], receivers: &str) -> Fleetglass {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("rules.yml"), RULES).unwrap();
    let fleetglass = Fleetglass::start_in(folder, &config(nodes, receivers), &[]).await;
    fleetglass.ready().await;
    fleetglass
}

fn config(nodes: &[&Node], receivers: &str) -> String {
    let mut config = format!("{QUICK}{HEAD}{receivers}");
    for (index, node) in nodes.iter().enumerate() {
        config +=
            &format!("\n[[target]]\nid = \"n{index}\"\nfamily = \"generic\"\nurl = \"{}\"\n", node.url());
    }
    config
}

/// A receiver with one web hook.
fn hook(name: &str, url: &str) -> String {
    format!("\n[[receiver]]\nname = \"{name}\"\n[[receiver.webhook]]\nurl = \"{url}\"\n")
}

async fn node(seconds: f64) -> Node {
    Node::start([("/metrics", lag(seconds))]).await
}

/// The nodes of a web hook's letter with a status, in order.
fn nodes_of(letter: &Letter, status: &str) -> Vec<String> {
    let body = letter.json();
    let alerts = body["alerts"].as_array().unwrap().iter().filter(|alert| alert["status"] == status);
    alerts.map(|alert| alert["labels"]["instance"].as_str().unwrap().to_owned()).collect()
}

/// The way of a name in what the API tells of notifications.
async fn way(fleetglass: &Fleetglass, name: &str) -> Value {
    let all = fleetglass.json("/api/v1/notifications").await;
    let ways = all["ways"].as_array().unwrap();
    ways.iter().find(|way| way["way"] == name).cloned().unwrap_or_else(|| panic!("no way {name} in {all}"))
}

#[tokio::test]
async fn one_message_tells_the_begin_of_all_and_one_the_end_and_each_says_what_to_do() {
    let (inbox, first, second) = (Inbox::start().await, node(7.0).await, node(1.0).await);
    let fleetglass = proxy(&[&first, &second], &hook("team", &inbox.url("/hook"))).await;
    let letter = inbox.letter("it fires", |letter| nodes_of(letter, "firing") == ["n0"]).await;
    assert_eq!(letter.line, "POST /hook");
    let body = letter.json();
    assert_eq!(
        (&body["version"], &body["status"], &body["receiver"]),
        (&json!("4"), &json!("firing"), &json!("team"))
    );
    assert_eq!(body["groupKey"], "{}:{alertname=\"Lag\"}");
    let known = &body["alerts"][0]["fleetglass"];
    assert_eq!((&known["node"], &known["value"], &known["bound"]), (&json!("n0"), &json!(7.0), &json!(5.0)));
    assert_eq!(body["fleetglass"]["title"], "[CRITICAL] Lag · n0: It lags 7 s");
    let text = body["fleetglass"]["text"].as_str().unwrap();
    for wanted in ["Since 20", "Value 7, bound 5", "What to do: Look at it", "/alerts/"] {
        assert!(text.contains(wanted), "no `{wanted}` in {text}");
    }
    second.says("/metrics", lag(9.0));
    inbox.letter("both fire", |letter| nodes_of(letter, "firing") == ["n0", "n1"]).await;
    first.says("/metrics", lag(1.0));
    inbox.letter("the first is over", |letter| nodes_of(letter, "resolved") == ["n0"]).await;
    second.says("/metrics", lag(1.0));
    inbox.letter("the second is over", |letter| nodes_of(letter, "resolved") == ["n1"]).await;
    let letters = inbox.letters();
    for node in ["n0", "n1"] {
        let told = letters.iter().filter(|letter| nodes_of(letter, "resolved").contains(&node.to_owned()));
        assert_eq!(told.count(), 1, "the end of {node} is told once");
    }
    let keys: std::collections::BTreeSet<&str> =
        letters.iter().map(|l| l.header("idempotency-key")).collect();
    assert_eq!(keys.len(), letters.len(), "each message has a key of its own");
    eventually("it is all delivered", async || {
        let way = way(&fleetglass, "team/webhook/0").await;
        if way["queue"] == 0 && way["health"]["ok"] == true { Ok(()) } else { Err(way.to_string()) }
    })
    .await;
    let series = "fleetglass_notifications_total{integration=\"webhook\",receiver=\"team\"}";
    assert_eq!(fleetglass.own_metric(series).await, Some(letters.len() as f64));
}

#[tokio::test]
async fn a_silence_and_an_acknowledgement_are_honoured_and_who_heard_of_the_begin_hears_of_the_end() {
    let (inbox, boss, lags) = (Inbox::start().await, Inbox::start().await, node(1.0).await);
    let routes = "repeat_interval = \"1s\"\nescalate_after = \"3s\"\nescalate_to = \"boss\"\n";
    let receivers = format!("{routes}{}{}", hook("team", &inbox.url("/")), hook("boss", &boss.url("/")));
    let fleetglass = proxy(&[&lags], &receivers).await;
    let silence = json!({
        "matchers": [{"name": "alertname", "value": "Lag", "isRegex": false}], "createdBy": "me", "comment": "c",
        "startsAt": "2020-01-01T00:00:00Z", "endsAt": "2099-01-01T00:00:00Z",
    });
    let http = http_client();
    let post = |path: &str, body: Value| {
        let request = http.post(fleetglass.url(path)).header("content-type", "application/json");
        let request = request.body(body.to_string());
        async move { serde_json::from_str::<Value>(&request.send().await.unwrap().text().await.unwrap()).unwrap() }
    };
    let id = post("/api/v2/silences", silence).await["silenceID"].as_str().unwrap().to_owned();
    lags.says("/metrics", lag(7.0));
    let alert = eventually("it fires silently", async || {
        let all = fleetglass.json("/api/v1/fleet").await;
        let alert = all["alerts"][0].clone();
        if alert["silenced_by"][0] == json!(id) { Ok(alert) } else { Err(all["alerts"].to_string()) }
    })
    .await;
    assert!(inbox.letters().is_empty(), "what is silenced is not told");
    fleetglass.request("DELETE", &format!("/api/v2/silence/{id}"), &[]).await;
    inbox.letter("the silence is over", |letter| nodes_of(letter, "firing") == ["n0"]).await;
    // Nobody takes it: it is repeated, and somebody else is told.
    let letter = boss.letter("it is escalated", |letter| nodes_of(letter, "firing") == ["n0"]).await;
    assert!(letter.json()["fleetglass"]["title"].as_str().unwrap().starts_with("[NOBODY HAS TAKEN THIS]"));
    assert!(inbox.letters().len() >= 2, "it is repeated");
    let path = format!("/api/v1/alerts/{}/acknowledge", alert["id"].as_str().unwrap());
    post(&path, json!({"by": "Ada"})).await;
    // What was decided before is still on its way; then it is quiet, though its repeat is due each second.
    let mut quiet = (0, tokio::time::Instant::now());
    eventually("nothing more is told", async || {
        let now = inbox.letters().len() + boss.letters().len();
        if now != quiet.0 {
            quiet = (now, tokio::time::Instant::now());
        }
        if quiet.1.elapsed() > Duration::from_secs(4) { Ok(()) } else { Err(format!("{now} letters")) }
    })
    .await;
    lags.says("/metrics", lag(1.0));
    for inbox in [&inbox, &boss] {
        inbox.letter("its end", |letter| nodes_of(letter, "resolved") == ["n0"]).await;
    }
}

#[tokio::test]
async fn a_receiver_that_is_down_delays_no_other_and_hears_it_all_later() {
    let (down, well, lags) = (Inbox::start().await, Inbox::start().await, node(7.0).await);
    down.always(fleetglass_tests::inbox::Reply::Silence);
    let both = format!(
        "{}[[receiver.webhook]]\nurl = \"{}\"\n",
        hook("team", &down.url("/down")),
        well.url("/well")
    );
    let fleetglass = proxy(&[&lags], &both).await;
    well.letter("it fires", |letter| nodes_of(letter, "firing") == ["n0"]).await;
    lags.says("/metrics", lag(1.0));
    well.letter("it is over", |letter| nodes_of(letter, "resolved") == ["n0"]).await;
    let stuck = eventually("the other way is known to be down", async || {
        let way = way(&fleetglass, "team/webhook/0").await;
        if way["health"]["ok"] == false && way["queue"] == 2 { Ok(way) } else { Err(way.to_string()) }
    })
    .await;
    assert!(stuck["health"]["error"].as_str().unwrap().contains("timed out"), "{stuck}");
    // A reload keeps what waits.
    fleetglass.write("fleetglass.toml", &format!("{}\n# changed\n", config(&[&lags], &both)));
    fleetglass.signal("HUP");
    down.always(fleetglass_tests::inbox::Reply::Status(200, Vec::new(), ""));
    let taken = eventually("it hears it all, in order", async || {
        let taken: Vec<Letter> = down.letters().into_iter().filter(|letter| letter.taken).collect();
        if taken.len() >= 2 { Ok(taken) } else { Err(format!("{} taken", taken.len())) }
    })
    .await;
    assert_eq!(nodes_of(&taken[0], "firing"), ["n0"]);
    assert_eq!(nodes_of(&taken[1], "resolved"), ["n0"]);
}

#[tokio::test]
async fn a_tree_that_is_changed_tells_nobody_twice() {
    let (inbox, first, second) = (Inbox::start().await, node(7.0).await, node(1.0).await);
    let receiver = hook("team", &inbox.url("/"));
    let fleetglass = proxy(&[&first, &second], &receiver).await;
    inbox.letter("it fires", |letter| nodes_of(letter, "firing") == ["n0"]).await;
    // The same receiver by another route and in other groups.
    let route = "[[notify.route.routes]]\nmatchers = ['severity=\"P1\"']\ngroup_by = [\"severity\"]\n";
    let taken = "fleetglass_config_reloads_total{result=\"taken\"}";
    let before = fleetglass.own_metric(taken).await;
    fleetglass.write("fleetglass.toml", &config(&[&first, &second], &format!("{route}{receiver}")));
    eventually("the config is taken", async || {
        let now = fleetglass.own_metric(taken).await;
        if now > before { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
    second.says("/metrics", lag(9.0));
    let letter = inbox.letter("the other fires", |l| nodes_of(l, "firing").contains(&"n1".to_owned())).await;
    assert_eq!(letter.json()["groupKey"], "{}/{severity=\"P1\"}:{severity=\"P1\"}");
    assert_eq!(nodes_of(&letter, "firing"), ["n0", "n1"]);
    assert_eq!(inbox.letters().len(), 2, "the first is not told anew, nor as over");
}
