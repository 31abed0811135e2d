//! What people say about alerts: silences through amtool, acknowledgements.

use std::process::Command;

use fleetglass_tests::{
    node::Node,
    peers,
    proxy::{Fleetglass, http_client},
    wait::eventually,
};
use serde_json::{Value, json};

use super::{changes, lag, lagging, until, whats};

/// The only alert, as it is published: a moment after it is decided.
async fn alert(fleetglass: &Fleetglass) -> Value {
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    fleetglass.fleet().await["alerts"][0].clone()
}

/// amtool's output; `Err` when it is not pleased.
fn amtool(fleetglass: &Fleetglass, args: &[&str]) -> Result<String, String> {
    let url = fleetglass.url("");
    let output = Command::new("amtool")
        .arg(format!("--alertmanager.url={}", url.trim_end_matches('/')))
        .args(args)
        .output()
        .map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn amtool_works_against_us() {
    if peers::are_skipped() {
        return;
    }
    let node = Node::start([("/metrics", lag(9.0))]).await;
    let fleetglass = lagging(&node, "for: 0s").await;
    until(&fleetglass, &["Lag a firing"]).await;

    let listed = amtool(&fleetglass, &["alert", "query"]).unwrap();
    assert!(listed.contains("Lag"), "{listed}");
    assert!(!amtool(&fleetglass, &["alert", "query", "alertname=Other"]).unwrap().contains("Lag"));
    let id = amtool(
        &fleetglass,
        &[
            "silence",
            "add",
            "--author=ada",
            "--comment=disk works",
            "--duration=1h",
            "alertname=Lag",
            "instance=~a|b",
        ],
    )
    .unwrap();
    let id = id.trim();
    eventually("it is silenced", async || match alert(&fleetglass).await {
        alert if alert["silenced_by"] == json!([id]) => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    assert!(!amtool(&fleetglass, &["alert", "query"]).unwrap().contains("Lag"));
    assert!(amtool(&fleetglass, &["alert", "query", "--silenced"]).unwrap().contains("Lag"));
    let listed = amtool(&fleetglass, &["silence", "query"]).unwrap();
    assert!(listed.contains(id) && listed.contains("disk works") && listed.contains("ada"), "{listed}");
    // Muted, and still evaluated: that it is over is told.
    node.says("/metrics", lag(1.0));
    until(&fleetglass, &[]).await;
    assert!(whats(&changes(&fleetglass, "Lag").await).ends_with(&["resolved"]));
    node.says("/metrics", lag(9.0));
    until(&fleetglass, &["Lag a firing"]).await;

    let longer = amtool(&fleetglass, &["silence", "update", "--duration=2h", id]);
    assert!(longer.is_ok(), "{longer:?}");
    let bad = amtool(&fleetglass, &["silence", "add", "--author=x", "--comment=x", "alertname=~("]);
    assert!(bad.is_err(), "{bad:?}");
    // It is there after a kill, too.
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let config = std::fs::read_to_string(fleetglass.folder().join("fleetglass.toml")).unwrap();
    let fleetglass = fleetglass.killed_and_started(&config).await;
    fleetglass.ready().await;
    assert!(amtool(&fleetglass, &["silence", "query"]).unwrap().contains(id));
    assert_eq!(amtool(&fleetglass, &["silence", "expire", id]).unwrap(), "");
    eventually("it is heard again", async || match alert(&fleetglass).await {
        alert if alert["state"] == "firing" && alert.get("silenced_by").is_none() => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    assert!(!amtool(&fleetglass, &["silence", "query"]).unwrap().contains(id));
    assert!(amtool(&fleetglass, &["silence", "query", "--expired"]).unwrap().contains(id));
}

#[tokio::test]
async fn an_acknowledgement_has_an_owner_and_ends_with_its_alert() {
    let node = Node::start([("/metrics", lag(9.0))]).await;
    let fleetglass = lagging(&node, "for: 0s").await;
    until(&fleetglass, &["Lag a firing"]).await;
    let id = alert(&fleetglass).await["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/alerts/{id}/acknowledge");
    let post = async |path: &str, body: Value| {
        let request = http_client().post(fleetglass.url(path)).body(body.to_string());
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(post(&path, json!({ "by": " " })).await, 400);
    assert_eq!(post(&path, json!({ "by": "ada", "until": 5 })).await, 400);
    assert_eq!(post("/api/v1/alerts/0000/acknowledge", json!({ "by": "ada" })).await, 404);
    let now = fleetglass.fleet().await["at"].as_i64().unwrap();
    assert_eq!(post(&path, json!({ "by": "ada", "note": "mine", "until": now + 1_500 })).await, 200);
    let taken = alert(&fleetglass).await;
    assert_eq!(
        (taken["acknowledged"]["by"].as_str(), taken["acknowledged"]["note"].as_str()),
        (Some("ada"), Some("mine"))
    );
    eventually("it runs out by itself", async || match alert(&fleetglass).await {
        alert if alert.get("acknowledged").is_none() => Ok(()),
        other => Err(other.to_string()),
    })
    .await;

    assert_eq!(post(&path, json!({ "by": "bob" })).await, 200);
    assert_eq!(fleetglass.request("DELETE", &path, &[]).await.status.as_u16(), 200);
    assert_eq!(post(&path, json!({ "by": "cy" })).await, 200);
    node.says("/metrics", lag(1.0));
    until(&fleetglass, &[]).await;
    node.says("/metrics", lag(9.0));
    until(&fleetglass, &["Lag a firing"]).await;
    assert!(alert(&fleetglass).await.get("acknowledged").is_none());
    let told = whats(&changes(&fleetglass, "Lag").await).join(" ");
    assert!(
        told.contains("firing acknowledged unacknowledged acknowledged unacknowledged acknowledged resolved"),
        "{told}"
    );
    let detail = fleetglass.json(&format!("/api/v1/alerts/{id}")).await;
    assert_eq!(
        (detail["rule"]["chart"].as_str(), detail["rule"]["bound"].as_f64()),
        (Some("lag_seconds{instance=\"a\"}"), Some(5.0))
    );
    assert_eq!(detail["others"]["nodes"], 0);
}
