//! The fleet on real sockets.
#![allow(clippy::unwrap_used)]

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

async fn start(nodes: usize, faults: &str, speed: f64) -> Sim {
    let args = SimArgs { nodes, faults: faults.to_owned(), speed, ..SimArgs::default() };
    Sim::start(&args, CancellationToken::new()).await.unwrap()
}

fn host(url: &str) -> &str {
    url.trim_start_matches("http://").split('/').next().unwrap()
}

fn target(sim: &Sim, family: &str) -> SimTarget {
    sim.targets().into_iter().find(|target| target.family == family).unwrap()
}

async fn get(url: &str, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(host(url)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// Asks again until the answer is as wanted, for at most ten seconds.
async fn until(url: &str, wanted: impl Fn(&std::io::Result<String>) -> bool) {
    for _ in 0..200 {
        if wanted(&get(url, "/health").await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{url} never was as wanted");
}

#[tokio::test]
async fn every_node_answers_over_http() {
    let sim = start(15, "none", 1.0).await;
    for target in sim.targets() {
        let answer = get(&target.url, "/health").await.unwrap();
        let known = answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 404");
        assert!(known, "{}: {answer}", target.id);
        for url in target.endpoints.values() {
            let path = &url["http://".len() + host(url).len()..];
            let answer = get(url, path).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{url}: {answer}");
        }
    }
    sim.stop().await;
}

#[tokio::test]
async fn a_node_that_is_down_refuses_and_comes_back_on_the_same_port() {
    let sim = start(5, "decdn-01:down@1s+1500ms", 1.0).await;
    let url = target(&sim, "decdn").url;
    assert!(get(&url, "/health").await.is_ok());
    until(&url, |answer| answer.as_ref().is_err_and(|e| e.kind() == ErrorKind::ConnectionRefused)).await;
    until(&url, |answer| answer.as_ref().is_ok_and(|text| text.contains("200 OK"))).await;
    sim.stop().await;
}

#[tokio::test]
async fn a_validator_without_monitoring_refuses_on_its_url_and_lives_on_its_gossip_port() {
    let sim = start(5, "paraloom-01:no-ops", 1.0).await;
    let target = target(&sim, "paraloom");
    assert_eq!(get(&target.url, "/health").await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let mut gossip = TcpStream::connect(("127.0.0.1", target.probe_tcp.unwrap())).await.unwrap();
    let mut hello = [0; 20];
    gossip.read_exact(&mut hello).await.unwrap();
    assert!(hello.starts_with(b"\x13/multistream"));
    sim.stop().await;
}

#[tokio::test]
async fn a_node_that_stalls_accepts_and_does_not_answer() {
    let sim = start(5, "genlayer-01:stall", 1.0).await;
    let url = target(&sim, "genlayer").url;
    let mut stream = TcpStream::connect(host(&url)).await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: n\r\n\r\n").await.unwrap();
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(400), stream.read(&mut byte)).await.is_err());
    sim.stop().await;
}

#[tokio::test]
async fn a_cut_answer_ends_before_its_length() {
    let sim = start(5, "the-block-01:cut", 1.0).await;
    let mut stream = TcpStream::connect(host(&target(&sim, "the-block").url)).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: n\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let mut part = vec![0; 65_536];
    while let Ok(read @ 1..) = stream.read(&mut part).await {
        answer.extend_from_slice(&part[..read]);
    }
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert!(!body.is_empty() && body.len() < length.parse().unwrap());
    sim.stop().await;
}

#[tokio::test]
async fn the_targets_file_is_a_file_sd_document() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("targets.json");
    let args = SimArgs { nodes: 5, targets_file: Some(path.clone()), ..SimArgs::default() };
    let sim = Sim::start(&args, CancellationToken::new()).await.unwrap();
    let document: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let groups = document.as_array().unwrap();
    assert_eq!(groups.len(), 5);
    for (group, target) in groups.iter().zip(sim.targets()) {
        assert_eq!(group["labels"]["instance"], target.id);
        assert_eq!(group["targets"][0], host(&target.url));
    }
    sim.stop().await;
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let refused =
        async |args: SimArgs| format!("{:#}", Sim::start(&args, CancellationToken::new()).await.unwrap_err());
    assert!(
        refused(SimArgs { faults: "stal".to_owned(), ..SimArgs::default() }).await.contains("not a fault")
    );
    assert!(refused(SimArgs { speed: 0.0, ..SimArgs::default() }).await.contains("--speed 0"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let args = SimArgs { nodes: 1, listen: taken.local_addr().unwrap(), ..SimArgs::default() };
    assert!(refused(args).await.contains("cannot listen on"));
}

/// `cargo test -p fleetglass --lib sim::tests::five_thousand -- --ignored --nocapture`
#[tokio::test]
#[ignore = "a measurement, printed"]
async fn five_thousand_nodes_start_answer_and_idle() {
    let resident = || {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() / 256
    };
    let before = resident();
    let begun = crate::clock::monotonic();
    let sim = start(5_000, "all", 1.0).await;
    println!("started in {:?}, {} MiB more", begun.elapsed(), resident() - before);
    let begun = crate::clock::monotonic();
    let mut bytes = 0;
    for (index, targets) in sim.targets().chunks(50).enumerate() {
        let round = targets.iter().map(|target| {
            let url = target.endpoints.get("metrics").unwrap_or(&target.url).clone();
            tokio::spawn(async move { timeout(Duration::from_secs(2), get(&url, "/metrics")).await })
        });
        for answer in futures_util::future::join_all(round).await {
            bytes += answer.unwrap().map_or(0, |answer| answer.map_or(0, |text| text.len()));
        }
        assert!(index < 100);
    }
    println!(
        "5,000 expositions, {} MiB, in {:?}; {} MiB more",
        bytes >> 20,
        begun.elapsed(),
        resident() - before
    );
    sim.stop().await;
}
