//! Slash risks with a countdown: what is foreseen, told and charted before it happens.

#![allow(clippy::unwrap_used)]

use std::{
    process::{Child, Stdio},
    sync::Arc,
};

use fleetglass_tests::{
    command,
    node::{Node, Page},
    proxy::{Fleetglass, QUICK},
    wait::eventually,
};
use serde_json::Value;
use tempfile::TempDir;

/// The climb of the story takes seconds and not minutes, and so does what says where it goes.
const FAMILY: &str = r#"
name = "decdn"
extends = "decdn"

[[risk]]
name = "blacklist-lag"
window = 40

[[risk]]
name = "blacklist-lag-critical"
window = 40
"#;

const WATCHING: &str = "
[families]
dir = \"families\"

[rules]
evaluation_interval = \"500ms\"
";

/// Simulated nodes, gone when this is dropped.
struct Simulated(Child);

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Three nodes; the lag of the deCDN one climbs past both its bounds within half a minute.
async fn simulated(folder: &TempDir) -> Simulated {
    let targets = folder.path().join("targets.json");
    let mut sim = command::fleetglass(&[
        "sim",
        "--nodes",
        "3",
        "--faults",
        "decdn-01:blacklist-lag@12s+40s",
        "--targets-file",
        targets.to_str().unwrap(),
    ]);
    let sim = Simulated(sim.stdout(Stdio::null()).spawn().unwrap());
    eventually("the nodes are named", async || {
        if targets.is_file() { Ok(()) } else { Err("no document yet".to_owned()) }
    })
    .await;
    sim
}

async fn risk(fleetglass: &Fleetglass, node: &str, name: &str) -> Result<(i64, Value), String> {
    let told = fleetglass.json(&format!("/api/v1/risks?node={node}&limit=100")).await;
    let own = told["risks"].as_array().unwrap().iter().find(|own| own["risk"]["name"] == name);
    own.map(|own| (told["at"].as_i64().unwrap(), own["risk"].clone())).ok_or_else(|| told.to_string())
}

/// When an alert began to fire that says this word.
async fn fired(fleetglass: &Fleetglass, alert: &str, word: &str) -> Result<i64, String> {
    let history = fleetglass.json("/api/v1/alerts/history?limit=1000").await;
    let changes = history["changes"].as_array().unwrap();
    let says = |change: &Value| change["text"].as_str().is_some_and(|text| text.contains(word));
    let own = |change: &&Value| change["name"] == alert && change["what"] == "firing" && says(change);
    changes.iter().find(own).and_then(|change| change["at"].as_i64()).ok_or_else(|| history.to_string())
}

#[tokio::test]
async fn a_climbing_lag_is_foreseen_counted_down_and_told_before_it_is_a_breach() {
    let folder = Arc::new(TempDir::new().unwrap());
    std::fs::create_dir_all(folder.path().join("families/decdn")).unwrap();
    std::fs::write(folder.path().join("families/decdn/family.toml"), FAMILY).unwrap();
    let _sim = simulated(&folder).await;
    let config = format!("{QUICK}{WATCHING}[[discovery]]\nfile_sd = [\"targets.json\"]\n");
    let fleetglass = Fleetglass::start_in(Arc::clone(&folder), &config, &[]).await;
    fleetglass.ready().await;
    let ids = fleetglass.ids().await;
    let node = ids.iter().find(|id| id.starts_with("decdn")).unwrap();
    let name = "blacklist-lag-critical";

    // All the time before, the lag grows from one poll to the next, and nobody is alarmed.
    let (at, first) = eventually("the climb is foreseen", async || {
        let (at, risk) = risk(&fleetglass, node, name).await?;
        if risk["outlook"]["trend"] == "approaching" { Ok((at, risk)) } else { Err(risk.to_string()) }
    })
    .await;
    let outlook = &first["outlook"];
    let time = |name: &str| outlook[name].as_i64().unwrap();
    assert!(time("earliest") <= time("breach_at") && time("breach_at") > at, "{outlook}");
    assert!(outlook["slope"].as_f64().unwrap() > 5.0, "{outlook}");
    assert!(first["headroom"].as_f64().unwrap() > 0.0 && first["firing"] == false, "{first}");
    let left = time("breach_at") - at;

    // The countdown is a series like any other, and the rule that comes along fires by it.
    let labels = format!("{{node=\"{node}\",risk=\"{name}\"}}");
    let query = format!("/api/v1/query?query=fleetglass_risk_seconds_to_breach{labels}");
    eventually("the countdown falls", async || {
        let answer = fleetglass.json(&query).await;
        let value =
            answer["data"]["result"][0]["value"][1].as_str().and_then(|text| text.parse::<f64>().ok());
        match value {
            Some(seconds) if seconds * 1000.0 < (left - 2_000) as f64 => Ok(()),
            _ => Err(format!("{left} ms at first, {answer}")),
        }
    })
    .await;
    let soon = eventually("the breach is announced", async || {
        fired(&fleetglass, "BreachSoon", &format!("risk {name} ")).await
    })
    .await;
    let detail = fleetglass.json(&format!("/api/v1/nodes/{node}/risks/{name}")).await;
    let lengths = ["fit", "fit_low", "fit_high"].map(|line| detail[line].as_array().unwrap().len());
    assert!(lengths[0] >= 3 && lengths.iter().all(|length| *length == lengths[0]), "{detail}");
    assert!(detail["values"].as_array().unwrap().len() >= 5, "{detail}");
    assert!(detail["expr"].as_str().unwrap().contains("decdn_blacklist_sync_lag_seconds"), "{detail}");
    let alerts = fleetglass.json("/api/v1/alerts").await;
    let told = alerts["data"]["alerts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|alert| alert["labels"]["alertname"] == "BreachSoon" && alert["labels"]["risk"] == name);
    let told = told.unwrap_or_else(|| panic!("{alerts}"));
    assert_eq!(told["labels"]["severity"], "critical");
    let summary = told["annotations"]["summary"].as_str().unwrap();
    assert!(summary.contains(node.as_str()) && summary.contains(name), "{summary}");

    // At the bound the family's own alert takes over.
    let breached =
        eventually("the bound is crossed", async || fired(&fleetglass, "BlacklistLagCritical", node).await)
            .await;
    assert!(soon < breached, "announced at {soon}, crossed at {breached}");
    let (_, beyond) = risk(&fleetglass, node, name).await.unwrap();
    assert_eq!(
        (&beyond["firing"], &beyond["outlook"]["trend"]),
        (&true.into(), &"breached".into()),
        "{beyond}"
    );
    let summary = &fleetglass.node(node).await["summary"]["worst_risk"];
    assert_eq!(summary["name"], name, "the worst of its risks stands wherever the node does");
    let page = fleetglass.get("/metrics/nodes").await.body;
    let line = |metric: &str| {
        let own = |line: &&str| line.starts_with(metric) && line.contains(&format!("risk=\"{name}\""));
        page.lines().find(own).map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
    };
    assert_eq!(line("fleetglass_risk_seconds_to_breach{"), Some(0.0));
    assert!(line("fleetglass_risk_headroom_ratio{").unwrap() < 0.0);
}

#[tokio::test]
async fn a_deadline_is_exact_a_stake_is_shown_and_what_is_absent_is_not_safe() {
    let due = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 420;
    let page = format!(
        "# TYPE compute_sla_pending_total gauge\ncompute_sla_pending_total 3\n\
         # TYPE compute_sla_next_deadline_ts gauge\ncompute_sla_next_deadline_ts {due}\n\
         # TYPE slashing_burn_ct_total counter\nslashing_burn_ct_total 5000\n\
         # TYPE compute_sla_automated_slash_total counter\ncompute_sla_automated_slash_total 4\n"
    );
    let block = Node::start([("/metrics", Page::metrics(&page))]).await;
    let ready = r#"{"status":"ready","ready":true,"peer_count":8,"min_peers_for_ready":7}"#;
    let loom = Node::start([
        ("/health", Page::json(200, r#"{"status":"ok","version":"1","uptime_seconds":9000}"#)),
        ("/ready", Page::json(200, ready)),
        ("/metrics", Page::metrics("# TYPE paraloom_ready gauge\nparaloom_ready 1\n")),
    ])
    .await;
    let config = format!(
        "{QUICK}[rules]\nevaluation_interval = \"500ms\"\n\
         [[target]]\nid = \"b\"\nfamily = \"the-block\"\nurl = \"{}\"\n\
         [[target]]\nid = \"p\"\nfamily = \"paraloom\"\nurl = \"{}\"\n\
         [target.stake]\namount = \"123456789012345678901234567890\"\nunit = \"LOOM\"\npenalty = 0.05\n",
        block.url(),
        loom.url()
    );
    let fleetglass = Fleetglass::serve(&config).await;
    let (_, deadline) = eventually("the deadline is known", async || {
        let (at, own) = risk(&fleetglass, "b", "sla-deadline").await?;
        if own["outlook"]["exact"] == true { Ok((at, own)) } else { Err(own.to_string()) }
    })
    .await;
    assert_eq!(deadline["outlook"]["breach_at"].as_u64(), Some(due * 1000), "{deadline}");
    assert_eq!((&deadline["firing"], &deadline["value"]), (&false.into(), &3.0.into()));
    assert_eq!((&deadline["stake"]["amount"], &deadline["stake"]["unit"]), (&"3750".into(), &"CT".into()));
    eventually("the deadline is announced", async || {
        fired(&fleetglass, "BreachSoon", "risk sla-deadline ").await
    })
    .await;

    // The node's own minimum goes before the family's, and the configuration knows what is staked.
    let (_, peers) = risk(&fleetglass, "p", "peers-few").await.unwrap();
    assert_eq!((&peers["bound"], &peers["value"]), (&7.0.into(), &8.0.into()), "{peers}");
    assert_eq!(peers["stake"]["amount"], "6172839450617283945061728394.5");
    assert_eq!(peers["stake"]["calculation"].as_array().unwrap().len(), 3, "{peers}");

    let (_, absent) = risk(&fleetglass, "b", "settle-mode").await.unwrap();
    assert!(absent.get("value").is_none() && absent.get("headroom").is_none(), "{absent}");
    let all = fleetglass.json("/api/v1/risks?severity=critical&limit=1").await;
    assert_eq!(all["risks"].as_array().unwrap().len(), 1);
    assert!(all["total"].as_u64().unwrap() > 1);
    assert_eq!(all["risks"][0]["risk"]["name"], "sla-deadline", "{all}");
    for (path, status) in [
        ("/api/v1/risks?severity=bad", 400),
        ("/api/v1/risks?limit=-1", 400),
        ("/api/v1/risks?colour=red", 400),
        ("/api/v1/nodes/b/risks/none", 404),
        ("/api/v1/nodes/none/risks/sla-deadline", 404),
    ] {
        let answer = fleetglass.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["status"].as_u64()),
            (status, Some(u64::from(status)))
        );
    }
}
