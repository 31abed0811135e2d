//! `rules check` and `rules test` beside promtool, and rule files in a running proxy.

use std::path::{Path, PathBuf};

use fleetglass_tests::{command, node::Node, peers, wait::eventually};
use serde_json::json;

use super::{lag, lagging, told, until};

fn files(folder: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap_or_else(|error| panic!("{}: {error}", root.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yml"))
        .collect();
    found.sort();
    found
}

/// Every rule file of the families and of the good and bad ones, with its command.
fn cases() -> Vec<(&'static str, PathBuf)> {
    let families = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/families");
    let mut all = [files("rules/good"), files("rules/bad")].concat();
    for entry in std::fs::read_dir(families).unwrap() {
        let folder = entry.unwrap().path();
        let own = ["rules.yml", "rules_test.yml"].map(|name| folder.join(name));
        all.extend(own.into_iter().filter(|path| path.is_file()));
    }
    let is_test =
        |path: &Path| path.file_stem().is_some_and(|name| name.to_string_lossy().ends_with("_test"));
    all.into_iter().map(|path| (if is_test(&path) { "test" } else { "check" }, path)).collect()
}

/// What both say of a file, where they do not agree.
fn judged_otherwise((what, path): &(&'static str, PathBuf)) -> Option<String> {
    let path = path.display().to_string();
    let said = command::run(&["rules", what, &path]);
    let args = if *what == "check" { ["check", "rules", &path] } else { ["test", "rules", &path] };
    let theirs = peers::promtool(&args);
    ((said.code == Some(0)) != theirs.is_ok())
        .then(|| format!("{path}\nwe: {:?} {}{}\npromtool: {theirs:?}\n", said.code, said.out, said.err))
}

#[test]
fn files_are_judged_as_promtool_judges_them() {
    if peers::are_skipped() {
        return;
    }
    let cases = cases();
    assert!(cases.len() >= 30, "{}", cases.len());
    // promtool takes a minute and more for the largest.
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            let cases = &cases;
            let own =
                move || cases.iter().skip(half).step_by(2).filter_map(judged_otherwise).collect::<Vec<_>>();
            scope.spawn(own)
        });
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_bad_file_is_told_with_every_place() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/bad/three_of_forty.yml");
    let path = path.display().to_string();
    let said = command::run(&["rules", "check", &path]);
    assert_eq!(said.code, Some(1));
    for place in [
        ": 5:38: group \"g\", rule 2, \"NoRight\": could not parse expression",
        ": 9:11: group \"g\", rule 3, \"Block\"",
        ": 9:33: group \"g\", rule 4, \"Unknown\"",
    ] {
        assert!(said.err.contains(&format!("{path}{place}")), "{place}\n{}", said.err);
    }
    let said = command::run(&["rules", "check", "--json", &path]);
    let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((told[0]["rules"].as_u64(), told[0]["faults"].as_array().unwrap().len()), (Some(2), 3));
    assert_eq!(command::run(&["rules", "check", "--lint-fatal", "/no/such.yml"]).code, Some(1));
}

#[tokio::test]
async fn the_good_rules_of_a_bad_file_work_and_a_reload_takes_the_mended_one() {
    let node = Node::start([("/metrics", lag(9.0))]).await;
    let fleetglass = lagging(&node, "for: 0s").await;
    until(&fleetglass, &["Lag a firing"]).await;
    let bad = "groups: [{name: g, rules: [{alert: Lag, expr: lag_seconds > 5, labels: {severity: P1}, for: 0s}, \
               {alert: Torn, expr: lag_seconds >}, {record: lag_max, expr: max(lag_seconds)}]}]\n";
    fleetglass.write("rules.yml", bad);
    let faults = eventually("the fault is told", async || {
        let rules = fleetglass.json("/api/v1/rules").await;
        let faults = rules["data"]["faults"].clone();
        if faults.as_array().is_some_and(|faults| !faults.is_empty()) {
            Ok(faults)
        } else {
            Err(rules.to_string())
        }
    })
    .await;
    assert_eq!((faults[0]["name"].as_str(), faults[0]["line"].as_u64()), (Some("Torn"), Some(1)));
    assert!(faults[0]["column"].as_u64().is_some_and(|column| column > 100), "{faults}");
    assert!(fleetglass.log().contains("Torn"), "{}", fleetglass.log());
    eventually("the good ones work", async || {
        let answer = fleetglass.json("/api/v1/query?query=lag_max").await;
        if answer["data"]["result"][0]["value"][1] == json!("9") { Ok(()) } else { Err(answer.to_string()) }
    })
    .await;
    // The alert was there all the time.
    let changes = super::changes(&fleetglass, "Lag").await;
    assert_eq!(super::whats(&changes), ["firing"]);
    let rules = fleetglass.json("/api/v1/rules?type=alert").await;
    let rule = &rules["data"]["groups"][0]["rules"][0];
    assert_eq!(
        (rule["name"].as_str(), rule["state"].as_str(), rule["health"].as_str()),
        (Some("Lag"), Some("firing"), Some("ok"))
    );
    assert_eq!(rule["alerts"][0]["value"], "9e+00");

    fleetglass.write("rules.yml", "groups: []\n");
    until(&fleetglass, &[]).await;
    assert!(told(&fleetglass).await.is_empty());
}

#[tokio::test]
async fn a_back_test_says_when_a_rule_would_have_fired() {
    let node = Node::start([("/metrics", lag(1.0))]).await;
    let fleetglass = lagging(&node, "for: 1h").await;
    for lags in [9.0, 1.0, 9.0] {
        node.says("/metrics", lag(lags));
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    }
    let url = fleetglass.url("");
    let url = url.trim_end_matches('/');
    let run = |args: &[&str]| {
        let all = [&["rules", "backtest", "--url", url, "--json"], args].concat();
        let said = command::run(&all);
        assert_eq!(said.code, Some(0), "{}", said.err);
        serde_json::from_str::<serde_json::Value>(&said.out).unwrap()
    };
    // The step of an hour's test is 15 s: ask for what fits this young a history.
    let end = fleetglass_tests::samples::now();
    let body = json!({ "query": "lag_seconds > 5", "start": end - 60_000, "end": end, "step_seconds": 1.0 });
    let answer = fleetglass_tests::proxy::http_client()
        .post(fleetglass.url("/api/v1/rules/backtest"))
        .body(body.to_string())
        .send()
        .await
        .unwrap();
    let told: serde_json::Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!((told["total"].as_u64(), told["series"].as_u64()), (Some(2), Some(1)), "{told:#}");
    assert_eq!(told["firings"][0]["labels"]["instance"], "a");
    assert!(told["firings"][1].get("resolved_at").is_none(), "{told:#}");
    // As it is now, it would not have fired in an hour; with another bound or `for` it would.
    assert_eq!(run(&["--rule", "Lag", "--range", "1h"])["total"], 0);
    assert!(
        run(&["--rule", "Lag", "--range", "1h", "--for", "0s", "--threshold", "0"])["total"].as_u64()
            >= Some(1)
    );
    let said = command::run(&["rules", "backtest", "--url", url, "--rule", "Nobody"]);
    assert_eq!((said.code, said.err.contains("no alerting rule Nobody")), (Some(1), true), "{}", said.err);
}
