//! What was heard survives: kills under load, a full disk, files that were damaged; and it goes out and in.

#![allow(clippy::unwrap_used)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use fleetglass_tests::{
    command,
    node::{Node, Page},
    proxy::{Fleetglass, http_client},
    wait::eventually,
};
use serde_json::Value;
use tempfile::TempDir;

/// Asked as often as may be.
const HASTY: &str = "
[server]
listen = \"127.0.0.1:0\"

[scrape]
interval = \"250ms\"
timeout = \"250ms\"
";
/// How often the proxy is killed.
const KILLS: u64 = 50;
/// Rows are in the row log a second after they were heard; a busy machine may need two more.
const LOST_MS: i64 = 3_000;

fn target(node: &Node) -> String {
    format!("\n[[target]]\nid = \"a\"\nfamily = \"generic\"\nurl = \"{}\"\n", node.url())
}

/// Every sample of a series, by its time in milliseconds.
async fn samples(fleetglass: &Fleetglass, selector: &str) -> Vec<(i64, f64)> {
    let query = selector.replace('{', "%7B").replace('}', "%7D").replace('"', "%22").replace('=', "%3D");
    let answer = fleetglass.json(&format!("/api/v1/query?query={query}%5B1d%5D")).await;
    let values = answer["data"]["result"][0]["values"].as_array().cloned().unwrap_or_default();
    let sample = |value: &Value| {
        let at = (value[0].as_f64().unwrap() * 1000.0).round() as i64;
        (at, value[1].as_str().unwrap().parse().unwrap())
    };
    values.iter().map(sample).collect()
}

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "a story of time reads the clock")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[tokio::test]
async fn fifty_kills_under_load_lose_nothing_that_was_kept_and_nothing_that_was_acknowledged() {
    let node = Node::start([("/health", Page::Moving(r#"{"status":"ok","n":NOW}"#.to_owned()))]).await;
    let config = format!("{HASTY}{}", target(&node));
    let mut folder = Arc::new(TempDir::new().unwrap());
    let (mut kept, mut imported) = (Vec::<(i64, f64)>::new(), 0usize);
    let client = http_client();
    for kill in 0..KILLS {
        let fleetglass = Fleetglass::start_in(Arc::clone(&folder), &config, &[]).await;
        // Times that no two runs share, and no two machines.
        let runs_for = 300 + (kill * 7919 + u64::from(std::process::id())) % 1500;
        let url = fleetglass.url("/api/v1/import");
        let pushing = tokio::time::timeout(Duration::from_millis(runs_for), async {
            loop {
                let text = format!(
                    "pushed_total{{instance=\"b\"}} {imported} {}.{:03}\n# EOF\n",
                    1_700_000_000 + imported / 1000,
                    imported % 1000
                );
                let request =
                    client.post(&url).header("content-type", "application/openmetrics-text").body(text);
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
                imported += 1;
            }
        });
        pushing.await.unwrap_err();
        let heard = samples(&fleetglass, "up{instance=\"a\"}").await;
        let killed_at = now();
        let missing: Vec<_> = kept.iter().filter(|sample| !heard.contains(sample)).collect();
        assert!(
            missing.is_empty(),
            "kill {kill}: {} samples that were kept are gone: {missing:?}",
            missing.len()
        );
        kept = heard.into_iter().filter(|(at, _)| *at < killed_at - LOST_MS).collect();
        folder = fleetglass.end("KILL");
    }
    let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
    let heard: BTreeSet<i64> =
        samples(&fleetglass, "up{instance=\"a\"}").await.into_iter().map(|s| s.0).collect();
    assert!(kept.iter().all(|(at, _)| heard.contains(at)));
    assert!(kept.len() > 100, "{} samples", kept.len());
    // Of what was acknowledged every single one is there, once.
    let answer = fleetglass.get("/api/v1/export?match%5B%5D=pushed_total&start=1690000000").await;
    let numbers: Vec<usize> = (answer.body.lines().filter(|line| line.starts_with("pushed_total")))
        .map(|line| line.split_whitespace().nth(1).unwrap().parse().unwrap())
        .collect();
    assert!(imported > 50, "{imported} pushes");
    // The last may have been written without its acknowledgement.
    let expected: Vec<usize> = (0..numbers.len()).collect();
    assert_eq!(numbers, expected);
    assert!(numbers.len() >= imported, "{} of {imported} acknowledged", numbers.len());
    println!("{KILLS} kills: {} scraped and {imported} pushed samples, none lost", kept.len());
}

#[tokio::test]
async fn a_disk_that_is_full_stops_nothing_and_what_was_written_stays() {
    let body: String = (0..3000).map(|n| format!("noise{{n=\"{n}\"}} {n}\n")).collect();
    let node = Node::start([("/metrics", Page::metrics(&body))]).await;
    let folder = Arc::new(TempDir::new().unwrap());
    fs::write(folder.path().join("fleetglass.toml"), format!("{HASTY}{}", target(&node))).unwrap();
    let fleetglass =
        Fleetglass::start_in(Arc::clone(&folder), &format!("{HASTY}{}", target(&node)), &[]).await;
    eventually("some history", async || {
        let found = samples(&fleetglass, "up{instance=\"a\"}").await.len();
        if found > 10 { Ok(()) } else { Err(found.to_string()) }
    })
    .await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let kept = samples(&fleetglass, "up{instance=\"a\"}").await;
    let kept: Vec<_> = kept.into_iter().filter(|(at, _)| *at < now() - LOST_MS).collect();
    let folder = fleetglass.end("KILL");

    // No file may grow beyond some kilobytes: what a full disk does, for one process.
    let mut limited = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" serve --config fleetglass.toml";
    limited.args(["-c", script]).arg(command::binary());
    let fleetglass = Fleetglass::start_with(limited, Arc::clone(&folder)).await;
    eventually("it says that it cannot write", async || {
        let errors = fleetglass.own_metric("fleetglass_store_write_errors").await;
        if errors.is_some_and(|errors| errors > 0.0) { Ok(()) } else { Err(format!("{errors:?}")) }
    })
    .await;
    assert!(fleetglass.log().contains("Is the disk full?"), "{}", fleetglass.log());
    let heard = samples(&fleetglass, "up{instance=\"a\"}").await;
    assert!(kept.iter().all(|sample| heard.contains(sample)));
    fleetglass.node_is("a", "healthy").await;
    let folder = fleetglass.end("KILL");

    let fleetglass = Fleetglass::start_in(folder, &format!("{HASTY}{}", target(&node)), &[]).await;
    let heard = samples(&fleetglass, "up{instance=\"a\"}").await;
    assert!(kept.iter().all(|sample| heard.contains(sample)), "{} of {}", heard.len(), kept.len());
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_written_to_is_named_and_everything_else_works() {
    let node = Node::start([("/health", Page::json(200, r#"{"status":"ok"}"#))]).await;
    let config = HASTY.replace("[server]\n", "[server]\ndata_dir = \"/proc/fleetglass\"\n");
    let fleetglass = Fleetglass::serve(&format!("{config}{}", target(&node))).await;
    fleetglass.node_is("a", "healthy").await;
    assert!(fleetglass.log().contains("/proc/fleetglass"), "{}", fleetglass.log());
    assert!(fleetglass.log().contains("in memory only"), "{}", fleetglass.log());
    assert!(!samples(&fleetglass, "up{instance=\"a\"}").await.is_empty());
}

#[tokio::test]
async fn damaged_files_are_named_and_set_aside_and_the_rest_is_there() {
    let node = Node::start([("/health", Page::json(200, r#"{"status":"ok"}"#))]).await;
    let config = format!("{HASTY}{}", target(&node));
    let fleetglass = Fleetglass::serve(&config).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = samples(&fleetglass, "up{instance=\"a\"}").await.len();
    let folder = fleetglass.end("KILL");
    let data = folder.path().join("fleetglass-data");
    let log = newest(&data.join("log"));
    let bytes = fs::read(&log).unwrap();
    fs::write(&log, &bytes[..bytes.len() - 7]).unwrap();
    fs::create_dir_all(data.join("raw")).unwrap();
    fs::write(data.join("raw/2020-01-01.db"), "no database at all, but long enough to be one").unwrap();

    let fleetglass = Fleetglass::start_in(folder, &config, &[]).await;
    let told = fleetglass.log();
    assert!(told.contains("the end of the row log was cut off") && told.contains(".log"), "{told}");
    assert!(told.contains("2020-01-01.db") && told.contains("set aside"), "{told}");
    assert!(
        data.join("raw").read_dir().unwrap().any(|file| {
            file.unwrap().file_name().to_string_lossy().starts_with("2020-01-01.db.damaged-")
        })
    );
    assert_eq!(fleetglass.own_metric("fleetglass_store_damaged").await, Some(1.0));
    let after = samples(&fleetglass, "up{instance=\"a\"}").await.len();
    assert!(after + 15 >= before && after > 0, "{after} of {before}");
}

#[tokio::test]
async fn a_second_process_in_a_data_folder_is_refused() {
    let node = Node::start([("/health", Page::json(200, r#"{"status":"ok"}"#))]).await;
    let fleetglass = Fleetglass::serve(&format!("{HASTY}{}", target(&node))).await;
    let mut second = command::fleetglass(&["serve", "--config", "fleetglass.toml"]);
    let said = second.current_dir(fleetglass.folder()).output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert_eq!(said.status.code(), Some(1), "{words}");
    assert!(words.contains("another fleetglass works in") && words.contains("data_dir"), "{words}");
}

#[tokio::test]
async fn history_goes_out_and_in_and_is_copied_while_it_grows() {
    let node = Node::start([("/health", Page::json(200, r#"{"status":"ok","peer_count":7}"#))]).await;
    let config = format!("{HASTY}{}", target(&node));
    let fleetglass = Fleetglass::serve(&config).await;
    let scratch = TempDir::new().unwrap();
    let at = |name: &str| scratch.path().join(name).display().to_string();
    tokio::time::sleep(Duration::from_secs(2)).await;

    let data = fleetglass.folder().join("fleetglass-data").display().to_string();
    let locked = command::run(&["export", "--data", &data]);
    assert!(locked.err.contains("--url"), "{}", locked.err);
    let done = command::run(&["backup", "--data", &data, "--to", &at("backup")]);
    assert_eq!(done.code, Some(0), "{}", done.err);
    let again = command::run(&["backup", "--data", &data, "--to", &at("backup")]);
    assert!(again.err.contains("is there already"), "{}", again.err);

    let exported =
        command::run(&["export", "--url", &fleetglass.url(""), "--match", "up", "--output", &at("up.om")]);
    assert_eq!(exported.code, Some(0), "{}", exported.err);
    let text = fs::read_to_string(at("up.om")).unwrap();
    assert!(text.starts_with("up{") && text.ends_with("# EOF\n"), "{text}");
    let up = samples(&fleetglass, "up{instance=\"a\"}").await;
    drop(fleetglass);

    // Into a folder of its own, and out of it again.
    fs::create_dir(at("other")).unwrap();
    let imported = command::run(&["import", "--data", &at("other"), &at("up.om")]);
    assert_eq!(imported.code, Some(0), "{}", imported.err);
    let back = command::run(&["export", "--data", &at("other")]);
    assert_eq!(back.out, text);
    let bad = scratch.path().join("bad.om");
    fs::write(&bad, "up{instance=\"a\"} 1 123\nup{ 7\n# EOF\n").unwrap();
    let refused = command::run(&["import", "--data", &at("other"), &bad.display().to_string()]);
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert!(refused.err.contains("line 2") || refused.err.contains("2:"), "{}", refused.err);
    assert_eq!(command::run(&["export", "--data", &at("other")]).out, text, "nothing of it was taken");

    // The backup is a data folder; restored, it serves what there was when it was made.
    let restored = command::run(&["restore", "--from", &at("backup"), "--data", &at("restored")]);
    assert_eq!(restored.code, Some(0), "{}", restored.err);
    let second = command::run(&["restore", "--from", &at("backup"), "--data", &at("restored")]);
    assert!(second.err.contains("has history already"), "{}", second.err);
    let of_backup = command::run(&["export", "--data", &at("restored"), "--match", "up"]);
    let lines: Vec<&str> = of_backup.out.lines().filter(|line| line.starts_with("up{")).collect();
    assert!(lines.len() > 3 && lines.iter().all(|line| text.contains(*line)), "{lines:?} in {text}");

    // And a running proxy takes it in, beside what it hears itself.
    let empty = Fleetglass::start(HASTY, &[]).await;
    let restored = command::run(&["restore", "--from", &at("backup"), "--url", &empty.url("")]);
    assert_eq!(restored.code, Some(0), "{}", restored.err);
    let taken = samples(&empty, "up{instance=\"a\"}").await;
    assert_eq!(taken.len(), lines.len());
    assert!(taken.iter().all(|sample| up.contains(sample)));

    let (first, last) = (taken[0].0, taken[taken.len() - 1].0);
    let middle = (first + last) / 2;
    let before = format!("{}.{:03}", middle / 1000, middle % 1000);
    let pruned = command::run(&["prune", "--url", &empty.url(""), "--before", &before]);
    assert_eq!(pruned.code, Some(0), "{}", pruned.err);
    let left = samples(&empty, "up{instance=\"a\"}").await;
    assert_eq!(left, taken.iter().copied().filter(|(at, _)| *at >= middle).collect::<Vec<_>>());
    let from_a_page = empty.request("POST", "/api/v1/import", &[("content-type", "text/plain")]).await;
    assert_eq!(from_a_page.status, 415);
}

fn newest(folder: &Path) -> PathBuf {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.metadata().unwrap().len() > 100);
    files.sort();
    files.pop().unwrap()
}
