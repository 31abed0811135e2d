//! What is older than our samples is read from a store that has it.

use std::time::Duration;

use fleetglass_tests::{
    peers::{self, Peer},
    proxy::{Fleetglass, QUICK, http_client},
    samples::{VICTORIA, now, of, same, samples},
    wait::eventually,
};
use serde_json::Value;

use super::moving_node;

/// Two proxies, one after the other, each with a memory of its own, send all they hear to VictoriaMetrics and to a
/// Prometheus, which is the truth. The second answers for all of the time, the first part of it from
/// VictoriaMetrics.
#[tokio::test]
async fn an_answer_across_the_seam_is_that_of_one_store() {
    if peers::are_skipped() {
        return;
    }
    let mut victoria = Peer::victoria_metrics().await;
    let truth = Peer::prometheus_receiver().await;
    let (node, _moving) = moving_node().await;
    let config = format!(
        "{QUICK}\n[[remote_write]]\nname = \"v\"\nurl = \"{0}/api/v1/write\"\nexternal_labels = {{ cluster = \"c1\" }}\n\
         [[remote_write]]\nname = \"truth\"\nurl = \"{2}\"\n\
         [long_term]\nquery_url = \"{0}\"\nexternal_labels = {{ cluster = \"c1\" }}\ntimeout = \"5s\"\n\
         [[target]]\nid = \"n1\"\nfamily = \"generic\"\nurl = \"{1}\"\n",
        victoria.url(""),
        node.url(),
        truth.url("/api/v1/write"),
    );
    let first = Fleetglass::serve(&config).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    // VictoriaMetrics shows what it got a moment later.
    let until = now();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let old = samples(&first.url(""), "{instance=\"n1\"}", until, &[]).await.unwrap();
    eventually("VictoriaMetrics has all of it", async || {
        same(&old, &samples(&victoria.url(""), "{instance=\"n1\"}", until, &["cluster"]).await?, VICTORIA)
    })
    .await;
    // It sends what waits before it ends.
    drop(first.end("TERM"));
    let second = Fleetglass::serve(&config).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let until = now();
    tokio::time::sleep(Duration::from_secs(2)).await;

    let selector = "{instance=\"n1\",__name__=~\"a_total|b|c\"}";
    let joined = eventually("the raw samples are the same", async || {
        let whole = samples(&truth.url(""), selector, until, &[]).await?;
        let joined = samples(&second.url(""), selector, until, &[]).await?;
        same(&whole, &joined, VICTORIA).map(|()| joined)
    })
    .await;
    let times = &joined.values().next().unwrap();
    assert!(times.len() > 14, "{}", times.len());
    let (begin, end) = (times[0].0 / 1000 + 1, until / 1000);
    for query in ["a_total", "sum(c)", "count(b)", "max_over_time(a_total[3s])"] {
        let ask = |base: String| async move {
            let parameters = [("query", query), ("step", "1")];
            let range = [("start", begin.to_string()), ("end", end.to_string())];
            let request =
                http_client().get(format!("{base}/api/v1/query_range")).query(&parameters).query(&range);
            request.send().await.unwrap().json::<Value>().await.unwrap()
        };
        let (here, there) = (ask(second.url("")).await, ask(truth.url("")).await);
        assert_eq!(here.get("warnings"), None, "{here}");
        let (here, there) = (of(&here, &[]).unwrap(), of(&there, &[]).unwrap());
        same(&there, &here, VICTORIA).unwrap_or_else(|difference| panic!("{query}: {difference}"));
    }

    // Away, it is a warning, and the answer is what is here.
    victoria.stop();
    let answer = second.json(&format!("/api/v1/query?query=a_total%5B10m%5D&time={end}")).await;
    let warning = answer["warnings"][0].as_str().unwrap();
    assert!(warning.contains("[long_term]"), "{warning}");
    let here = of(&answer, &[]).unwrap();
    let left = here.values().next().unwrap().len();
    assert!((3..times.len()).contains(&left), "{left} of {}", times.len());
}
