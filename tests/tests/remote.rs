//! Remote write both ways and the far past, with the real Prometheus and VictoriaMetrics at the other end.

#![allow(clippy::unwrap_used)]

#[path = "remote/far_past.rs"]
mod far_past;
#[path = "remote/inwards.rs"]
mod inwards;
#[path = "remote/outwards.rs"]
mod outwards;
#[path = "remote/refused.rs"]
mod refused;

use fleetglass_tests::{
    command::run,
    node::{Node, Page},
    peers::Peer,
    proxy::{Fleetglass, QUICK},
    samples::{count, same, samples},
    wait::eventually,
};
use tokio::task::JoinHandle;

/// A token as a person makes it, and the config with the lines that were printed for it.
fn with_token() -> (String, String) {
    let made = run(&["token", "new", "--name", "agent"]);
    let (text, lines) = made.out.split_once("[[auth.token]]").unwrap();
    let token = text.split_whitespace().find(|word| word.starts_with("fg_")).unwrap();
    (token.to_owned(), format!("{QUICK}\n[[auth.token]]{lines}"))
}

/// A node whose series move while the story goes on: a counter, a float, twenty of a kind, and one that comes
/// and goes.
async fn moving_node() -> (std::sync::Arc<Node>, JoinHandle<()>) {
    let node = std::sync::Arc::new(Node::start([("/metrics", Page::metrics("a_total 0\n"))]).await);
    let moved = node.clone();
    let moving = tokio::spawn(async move {
        for turn in 0.. {
            let mut body = format!("# TYPE a_total counter\na_total {turn}\nb {}\n", f64::from(turn) / 7.0);
            for kind in 0..20 {
                body += &format!("c{{kind=\"{kind}\"}} {}\n", turn * kind);
            }
            if turn % 10 < 5 {
                body += "d 1\n";
            }
            moved.says("/metrics", Page::metrics(&body));
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    });
    (node, moving)
}

/// Waits until a peer has the samples of a selector that we have, up to a time: the same ones, each once. Gives
/// how many there are.
async fn has_the_same(
    fleetglass: &Fleetglass,
    peer: &Peer,
    selector: &str,
    until: i64,
    external: &[&str],
    within: f64,
) -> usize {
    let here = samples(&fleetglass.url(""), selector, until, &[]).await.unwrap();
    eventually(&format!("{} has what we have", peer.url("")), async || {
        let there = samples(&peer.url(""), selector, until, external).await?;
        same(&here, &there, within)
    })
    .await;
    count(&here)
}
