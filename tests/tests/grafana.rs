//! The tools of Prometheus's world against us: what Grafana's data source asks, word for word, and `promtool query`.

#![allow(clippy::unwrap_used)]

use std::io::{Read as _, Write as _};

use fleetglass_tests::raw::encoded;
use fleetglass_tests::{
    command,
    node::{Node, Page},
    peers::{self, promtool, promtool_check_metrics},
    proxy::{Fleetglass, QUICK, http_client},
    wait::eventually,
};
use serde_json::{Value, json};

const METRICS: &str = "# HELP served_total Things served.\n# TYPE served_total counter\nserved_total{kind=\"a\"} 5\n\
    served_total{kind=\"b\"} 7\n# TYPE lat histogram\nlat_bucket{le=\"0.1\"} 1\nlat_bucket{le=\"+Inf\"} 2\nlat_sum 3\n\
    lat_count 2\n";

async fn fleet(node: &Node) -> Fleetglass {
    let target = format!("\n[[target]]\nid = \"a\"\nfamily = \"generic\"\nurl = \"{}\"\n", node.url());
    let fleetglass = Fleetglass::serve(&format!("{QUICK}{target}")).await;
    eventually("there are a few rounds", async || {
        let count = post(&fleetglass, "query", &[("query", "count_over_time(up[1m]) > 3")]).await;
        if count["data"]["result"] == json!([]) { Err(count.to_string()) } else { Ok(()) }
    })
    .await;
    fleetglass
}

async fn post(fleetglass: &Fleetglass, path: &str, form: &[(&str, &str)]) -> Value {
    let request = http_client().post(fleetglass.url(&format!("/api/v1/{path}")));
    let body: Vec<String> = form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body.join("&"));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    answer.json().await.unwrap()
}

/// The head of an answer as it is on the wire: a client would unpack it and not say so.
fn head(fleetglass: &Fleetglass, path: &str) -> String {
    let mut socket = std::net::TcpStream::connect(fleetglass.address()).unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
    text.split("\r\n\r\n").next().unwrap_or_default().to_owned()
}

/// The proxy's own time, in whole seconds.
async fn now(fleetglass: &Fleetglass) -> u64 {
    let answer = post(fleetglass, "query", &[("query", "ceil(vector(time()))")]).await;
    answer["data"]["result"][0]["value"][1].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn grafana_s_data_source_finds_what_it_asks_for() {
    let node = Node::start([("/metrics", Page::metrics(METRICS))]).await;
    let fleetglass = fleet(&node).await;
    let now = now(&fleetglass).await;
    let (start, end) = ((now - 300).to_string(), now.to_string());

    // "Save & test": is there an answer, and what speaks.
    let health = post(&fleetglass, "query", &[("query", "1+1"), ("time", &end)]).await;
    assert_eq!(health["data"]["result"][1], "2", "{health}");
    let build = fleetglass.json("/api/v1/status/buildinfo").await;
    assert!(build["data"]["version"].as_str().unwrap().starts_with("3."), "{build}");
    assert!(fleetglass.json("/api/v1/status/flags").await["data"].is_object());
    let rules = fleetglass.json("/api/v1/rules").await["data"]["groups"].clone();
    assert!(rules.as_array().unwrap().iter().all(|group| group["rules"].is_array()), "{rules}");

    // The query builder: metrics, their types, labels and values.
    let names = fleetglass.json(&format!("/api/v1/label/__name__/values?start={start}&end={end}")).await;
    assert!(names["data"].as_array().unwrap().contains(&"served_total".into()), "{names}");
    let metadata = fleetglass.json("/api/v1/metadata?limit=10000&limit_per_metric=1").await;
    assert!(metadata["data"].to_string().contains("Things served."), "{metadata}");
    let selector = "{__name__=\"served_total\"}";
    let bounds = [("start", start.as_str()), ("end", end.as_str())];
    let form = [[("match[]", selector)].as_slice(), &bounds].concat();
    let labels = post(&fleetglass, "labels", &form).await;
    assert_eq!(labels["data"], json!(["__name__", "instance", "job", "kind"]));
    let series = post(&fleetglass, "series", &form).await;
    assert_eq!(series["data"].as_array().map(Vec::len), Some(2), "{series}");
    let query = format!("match%5B%5D={}&start={start}&end={end}&limit=40000", encoded(selector));
    let kinds = fleetglass.json(&format!("/api/v1/label/kind/values?{query}")).await;
    assert_eq!(kinds["data"], json!(["a", "b"]));
    let formatted = post(&fleetglass, "format_query", &[("query", "sum(up)by(job)")]).await;
    assert_eq!(formatted["data"], "sum by (job) (up)");
    assert_eq!(post(&fleetglass, "parse_query", &[("query", "up")]).await["data"]["type"], "vectorSelector");

    // A panel: `$__rate_interval` is written like this, and a step in seconds.
    let expr = "sum by(kind) (rate(served_total{instance=~\"a|b\"}[1m0s]))";
    let form = [[("query", expr), ("step", "15")].as_slice(), &bounds].concat();
    let range = post(&fleetglass, "query_range", &form).await;
    assert_eq!((&range["status"], &range["data"]["resultType"]), (&json!("success"), &json!("matrix")));
    assert_eq!(range["data"]["result"].as_array().map(Vec::len), Some(2), "{range}");
    let form = [[("query", expr)].as_slice(), &bounds].concat();
    assert_eq!(post(&fleetglass, "query_exemplars", &form).await["data"], json!([]));
    let heat = [("query", "sum by(le) (increase(lat_bucket[1m0s]))"), ("time", end.as_str())];
    assert_eq!(post(&fleetglass, "query", &heat).await["data"]["result"].as_array().map(Vec::len), Some(2));

    // What is wrong is said in Prometheus's form, and answers are packed for those who ask.
    let wrong = post(&fleetglass, "query", &[("query", "sum(up")]).await;
    assert_eq!((&wrong["status"], &wrong["errorType"]), (&json!("error"), &json!("bad_data")));
    assert!(head(&fleetglass, "/api/v1/metadata").contains("content-encoding: gzip"));
    let targets = fleetglass.json("/api/v1/targets?state=active").await;
    assert_eq!(targets["data"]["activeTargets"][0]["labels"]["instance"], "a", "{targets}");
}

#[tokio::test]
async fn promtool_asks_every_kind_of_question() {
    if peers::are_skipped() {
        return;
    }
    let node = Node::start([("/metrics", Page::metrics(METRICS))]).await;
    let fleetglass = fleet(&node).await;
    let url = fleetglass.url("");
    let said = promtool(&["query", "instant", &url, "sum(served_total)"]).unwrap();
    assert!(said.starts_with("{} => 12 @["), "{said}");
    let now = now(&fleetglass).await;
    let (start, end) = ((now - 60).to_string(), now.to_string());
    let bounds = ["--start", start.as_str(), "--end", end.as_str()];
    let said =
        promtool(&[["query", "range"].as_slice(), &bounds, &["--step", "1s", &url, "count(up)"]].concat());
    assert!(said.unwrap().contains("1 @["));
    let wanted = ["--match", "served_total", &url];
    let said = promtool(&[["query", "series"].as_slice(), &bounds, &wanted].concat()).unwrap();
    assert!(said.contains("__name__=\"served_total\"") && said.contains("kind=\"b\""), "{said}");
    let said = promtool(&[["query", "labels"].as_slice(), &bounds, &[&url, "kind"]].concat()).unwrap();
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["a", "b"]);
    assert!(promtool(&["query", "instant", &url, "sum("]).is_err());
    let federated = fleetglass.get("/federate?match%5B%5D=%7Bjob%3D%22generic%22%7D").await;
    assert!(
        federated.body.contains("served_total{instance=\"a\",job=\"generic\",kind=\"a\"} 5 "),
        "{}",
        federated.body
    );
    // A counter without its type is all that promtool may mind here.
    if let Err(complaint) = promtool_check_metrics(&federated.body) {
        assert!(!complaint.contains("error while linting"), "{complaint}");
    }
}

#[tokio::test]
async fn the_command_line_asks_too() {
    let node = Node::start([("/metrics", Page::metrics(METRICS))]).await;
    let fleetglass = fleet(&node).await;
    let url = fleetglass.url("");
    let ask = |args: &[&str]| command::run(&[["query", "--url", url.as_str()].as_slice(), args].concat());
    let table = ask(&["sort_desc(served_total)"]);
    assert_eq!(table.code, Some(0), "{table:?}");
    let first = table.out.lines().nth(1).unwrap();
    assert!(first.starts_with("served_total{") && first.ends_with(" 7"), "{}", table.out);
    let csv = ask(&["served_total", "--csv"]);
    assert!(
        csv.out.starts_with("__name__,instance,job,kind,timestamp,value\nserved_total,a,generic,a,"),
        "{}",
        csv.out
    );
    let body: Value = serde_json::from_str(&ask(&["1 + 1", "--json"]).out).unwrap();
    assert_eq!(body["result"][1], "2");
    let chart = ask(&["rate(served_total[1m])", "--start", "-1m", "--step", "1s"]);
    assert!(chart.out.contains("points") && chart.out.contains('▁'), "{}", chart.out);
    let wrong = ask(&["sum("]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.err.contains("parse error"), "{}", wrong.err);
}
