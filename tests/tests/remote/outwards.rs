//! We send to others.

use std::time::Duration;

use fleetglass_tests::{
    peers::{self, Peer},
    proxy::{Fleetglass, QUICK, free_port, http_client},
    samples::{EXACT, VICTORIA, count, now, of, same, samples},
    wait::eventually,
};

use super::{has_the_same, moving_node};

fn remote(name: &str, url: &str, further: &str) -> String {
    format!("\n[[remote_write]]\nname = \"{name}\"\nurl = \"{url}\"\n{further}\n")
}

fn target(id: &str, url: &str) -> String {
    format!(
        "\n[[target]]\nid = \"{id}\"\nfamily = \"generic\"\nurl = \"{url}\"\nlabels = {{ region = \"eu\" }}\n"
    )
}

const OURS: &str = "{instance=~\"n1|n2\"}";
const EXTERNAL: &str =
    "external_labels = { cluster = \"c1\", region = \"never\" }\nmax_samples_per_send = 20\nshards = 3";

/// The receivers are away for ten seconds (a minute is the promise; a queue of 64 MiB holds hours of these).
#[tokio::test]
async fn what_is_here_is_there_though_the_receivers_were_away_for_a_while() {
    if peers::are_skipped() {
        return;
    }
    let mut victoria = Peer::victoria_metrics().await;
    let mut prometheus = Peer::prometheus_receiver().await;
    let (one, _moving) = moving_node().await;
    let (two, moving_two) = moving_node().await;
    let config = format!(
        "{QUICK}{}{}{}{}",
        remote("victoria", &victoria.url("/api/v1/write"), EXTERNAL),
        remote("prometheus", &prometheus.url("/api/v1/write"), EXTERNAL),
        target("n1", &one.url()),
        target("n2", &two.url()),
    );
    let fleetglass = Fleetglass::serve(&config).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    victoria.stop();
    prometheus.stop();
    tokio::time::sleep(Duration::from_secs(5)).await;
    // One of the nodes goes while nobody listens.
    moving_two.abort();
    let _ = moving_two.await;
    std::sync::Arc::into_inner(two).unwrap().stop().await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    for name in ["victoria", "prometheus"] {
        let lag = format!("fleetglass_remote_write_lag_seconds{{remote=\"{name}\"}}");
        let lag = fleetglass.own_metric(&lag).await.unwrap();
        assert!((7.0..30.0).contains(&lag), "{name} lags {lag} s");
    }
    victoria.start_again().await;
    prometheus.start_again().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let until = now();
    tokio::time::sleep(Duration::from_secs(1)).await;

    let many = has_the_same(&fleetglass, &victoria, OURS, until, &["cluster"], VICTORIA).await;
    assert!(many > 1000, "{many}");
    assert_eq!(has_the_same(&fleetglass, &prometheus, OURS, until, &["cluster"], EXACT).await, many);
    // External labels are added, and never instead of a series' own.
    for peer in [&victoria, &prometheus] {
        let selector = "{instance=\"n1\",cluster=\"c1\",region=\"eu\"}";
        assert!(!samples(&peer.url(""), selector, until, &[]).await.unwrap().is_empty());
        assert!(samples(&peer.url(""), "{region=\"never\"}", until, &[]).await.unwrap().is_empty());
    }
    // A series that ended here ended there: at no time has one a value that the other has not. VictoriaMetrics is
    // not asked: its ranges leave the newest half minute out (`-search.latencyOffset`).
    for peer in [&prometheus] {
        for selector in ["d", "a_total%7Binstance%3D%22n2%22%7D"] {
            let steps = |base: String| async move {
                let range = format!("start={}&end={}&step=1", (until - 20_000) / 1000, until / 1000);
                // VictoriaMetrics looks back as Prometheus does only when told to.
                let range = format!("{range}&nocache=1&max_lookback=5m");
                let url = format!("{base}/api/v1/query_range?query={selector}&{range}");
                let answer = http_client().get(url).send().await.unwrap().json().await.unwrap();
                of(&answer, &["cluster"]).unwrap()
            };
            let (here, there) = (steps(fleetglass.url("")).await, steps(peer.url("")).await);
            assert!(count(&here) > 0, "{selector}");
            let url = peer.url("");
            same(&here, &there, VICTORIA)
                .unwrap_or_else(|difference| panic!("{url}: {selector}: {difference}"));
        }
    }
    for name in ["victoria", "prometheus"] {
        let metric = |what: &str| format!("fleetglass_remote_write_{what}{{remote=\"{name}\"}}");
        assert!(fleetglass.own_metric(&metric("samples_total")).await.unwrap() >= many as f64);
        assert!(fleetglass.own_metric(&metric("retries_total")).await.unwrap() >= 1.0);
        for none in ["failed_samples_total", "dropped_samples_total"] {
            assert_eq!(fleetglass.own_metric(&metric(none)).await, Some(0.0), "{name} {none}");
        }
    }
}

#[tokio::test]
async fn what_waited_when_the_process_was_killed_is_sent_by_the_next() {
    if peers::are_skipped() {
        return;
    }
    let mut receiver = Peer::prometheus_receiver().await;
    let (node, _moving) = moving_node().await;
    let config = format!(
        "{QUICK}{}{}",
        remote("prometheus", &receiver.url("/api/v1/write"), EXTERNAL),
        target("n1", &node.url()),
    );
    let fleetglass = Fleetglass::serve(&config).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    receiver.stop();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let until = now();
    // What is committed is in the queue a moment later.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let here = samples(&fleetglass.url(""), OURS, until, &[]).await.unwrap();
    let fleetglass = fleetglass.killed_and_started(&config).await;
    receiver.start_again().await;
    assert!(count(&here) > 150, "{}", count(&here));
    eventually("the next process sent what waited", async || {
        let there = samples(&receiver.url(""), OURS, until, &["cluster"]).await?;
        same(&here, &there, EXACT)
    })
    .await;
    let failed = "fleetglass_remote_write_failed_samples_total{remote=\"prometheus\"}";
    assert_eq!(fleetglass.own_metric(failed).await, Some(0.0));
}

#[tokio::test]
async fn a_receiver_that_refuses_is_told_of_once_and_holds_nothing_up() {
    let (node, _moving) = moving_node().await;
    let wrong = free_port();
    let refusing = fleetglass_tests::node::Node::start([]).await;
    let config = format!(
        "{QUICK}{}{}{}",
        remote("refusing", &format!("{}/api/v1/write", refusing.url()), ""),
        remote("away", &format!("http://127.0.0.1:{wrong}/write"), "queue_size = \"256KiB\""),
        target("n1", &node.url()),
    );
    let fleetglass = Fleetglass::serve(&config).await;
    let metric = |what: &str, name: &str| format!("fleetglass_remote_write_{what}{{remote=\"{name}\"}}");
    eventually("two batches were refused and one was tried again", async || {
        let failed = fleetglass.own_metric(&metric("failed_samples_total", "refusing")).await.unwrap();
        let retries = fleetglass.own_metric(&metric("retries_total", "away")).await.unwrap();
        let pending = fleetglass.own_metric(&metric("pending_bytes", "away")).await.unwrap();
        if failed > 100.0 && retries > 2.0 && pending > 0.0 {
            Ok(())
        } else {
            Err(format!("{failed} {retries} {pending}"))
        }
    })
    .await;
    assert_eq!(fleetglass.own_metric(&metric("retries_total", "refusing")).await, Some(0.0));
    let log = fleetglass.log();
    let said = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert_eq!((said("remote write to refusing"), said("remote write to away")), (1, 1), "{log}");
    assert!(log.contains("HTTP 404"), "{log}");
}
