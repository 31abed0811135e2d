//! Queries through the HTTP API, as a client sends them.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use fleetglass_shared::exposition::{Format, Mode, parse};
use serde_json::{Value as Json, json};
use tower::ServiceExt;

use super::*;
use crate::store::{Limits, Put, Reader, TargetIdent};

/// Two nodes, every 15 s from 0 to 600 s: a counter that grows by 30 each time, a gauge, a histogram; the
/// second node stops after 300 s.
fn store() -> Arc<Store> {
    let store = Store::new(Limits::default());
    for (id, until, factor) in [("eu-1", 40, 1.0), ("us-1", 20, 2.0)] {
        let labels = BTreeMap::from([("region".to_owned(), id[..2].to_owned())]);
        let target = TargetIdent { instance: id.to_owned(), job: "decdn".to_owned(), labels };
        for round in 0..=40i64 {
            let mut row = store.begin(&target, round * 15_000).unwrap();
            if round <= until {
                let n = round as f64 * factor;
                let body = format!(
                    "# TYPE served counter\n# HELP served Things served.\nserved_total {}\n\
                     peers{{kind=\"in\"}} {}\npeers{{kind=\"out\"}} 5\nmax_peers{{kind=\"in\"}} 40\n\
                     lat_bucket{{le=\"0.1\"}} {}\nlat_bucket{{le=\"1\"}} {}\nlat_bucket{{le=\"+Inf\"}} {}\n",
                    1000.0 + 30.0 * n,
                    10.0 * factor,
                    5.0 * n,
                    9.0 * n,
                    10.0 * n
                );
                let parser = parse(body.as_bytes(), Format::PrometheusText, Mode::Lenient);
                row.expose("metrics", &mut Reader::new(parser)).unwrap();
            }
            row.put(&Put::gauge("up", f64::from(round <= until), "Whether the node answers")).unwrap();
            row.commit();
        }
    }
    Arc::new(store)
}

async fn ask(method: Method, path: &str, form: &[(&str, &str)]) -> (u16, Json) {
    let encode = |text: &str| {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect::<String>()
    };
    let form: Vec<String> = form.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
    let form = form.join("&");
    let request = if method == Method::POST {
        Request::post(path).body(Body::from(form)).unwrap()
    } else {
        Request::get(format!("{path}?{form}")).body(Body::empty()).unwrap()
    };
    let response = router(store(), Arc::new(Vec::new), None).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    (status, serde_json::from_slice(&to_bytes(response.into_body(), usize::MAX).await.unwrap()).unwrap())
}

/// The data of an instant query: each series' labels and its value.
async fn instant(query: &str, time: &str) -> Vec<(String, String)> {
    let (status, body) = ask(Method::GET, "/api/v1/query", &[("query", query), ("time", time)]).await;
    assert_eq!(status, 200, "{body}");
    let series = |one: &Json| (one["metric"].to_string(), one["value"][1].as_str().unwrap().to_owned());
    body["data"]["result"].as_array().unwrap().iter().map(series).collect()
}

async fn value(query: &str, time: &str) -> String {
    instant(query, time).await.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_range_of_a_selector() {
    let form = [("query", "peers{kind=\"in\"}"), ("start", "270.125"), ("end", "330.125"), ("step", "15s")];
    for method in [Method::GET, Method::POST] {
        let (status, body) = ask(method, "/api/v1/query_range", &form).await;
        assert_eq!(status, 200);
        let labels = |id: &str| json!({"__name__": "peers", "instance": id, "job": "decdn", "kind": "in", "region": id[..2]});
        let eu = [270.125, 285.125, 300.125, 315.125, 330.125].map(|at| json!([at, "10"]));
        // Stale from 315 s on.
        let us = [270.125, 285.125, 300.125].map(|at| json!([at, "20"]));
        let result =
            json!([{"metric": labels("eu-1"), "values": eu}, {"metric": labels("us-1"), "values": us}]);
        let all = json!({"status": "success", "data": {"resultType": "matrix", "result": result}});
        assert_eq!(body.to_string(), all.to_string());
    }
}

/// Every number here was worked out by hand from Prometheus's definitions.
#[tokio::test]
async fn values_are_prometheus_s() {
    // In (0, 60] there are 15, 30, 45, 60: growth 90 in 45 s, 15 s before the first is less than 16.5 s.
    assert_eq!(value("increase(served_total{region='eu'}[1m])", "60").await, "120");
    assert_eq!(value("round(rate(served_total{region='eu'}[1m]), 0.25)", "60").await, "2");
    assert_eq!(value("round(rate(served_total[1m]), 0.25)", "67").await, "2 4");
    // The second node ended at 300 s. At 330 s (270, 330] has 285 and 300: 60 × (15 + 15 + 7.5) / 15.
    assert_eq!(value("increase(served_total{region='us'}[1m])", "330").await, "150");
    assert_eq!(value("round(rate(served_total[1m]) * 60, 0.25)", "300").await, "120 240");
    assert_eq!(value("peers / max_peers", "100").await, "0.25 0.5");
    assert_eq!(value("(peers{kind='in'} + 2) * -1", "100").await, "-12 -22");
    assert_eq!(value("sum by (kind) (peers)", "100").await, "30 10");
    assert_eq!(value("max(peers) - min(peers)", "100").await, "15");
    assert_eq!(value("avg without (instance, region, kind) (peers)", "100").await, "10");
    assert_eq!(value("count(up)", "100").await, "2");
    // Rank 0.5 of 1 lies at the end of the first bucket, rank 0.7 halfway into the second.
    assert_eq!(value("histogram_quantile(0.5, rate(lat_bucket{region='eu'}[5m]))", "600").await, "0.1");
    let seven = value("histogram_quantile(0.7, rate(lat_bucket{region='eu'}[5m]))", "600").await;
    assert!((seven.parse::<f64>().unwrap() - 0.55).abs() < 1e-9, "{seven}");
    // Look-back: five minutes, the far end excluded.
    assert_eq!(value("peers{region='eu',kind='out'}", "899.999").await, "5");
    assert_eq!(value("peers{region='eu',kind='out'}", "900").await, "");
    assert_eq!(value("up", "400").await, "1 0");
    assert_eq!(evaluate_instant(&store(), "up{instance='us-1'}", 400_000), Ok(vec![0.0]));
}

#[tokio::test]
async fn a_scalar_and_odd_numbers() {
    let (_, body) = ask(Method::GET, "/api/v1/query", &[("query", "1 / 0"), ("time", "1.025")]).await;
    assert_eq!(body["data"], json!({"resultType": "scalar", "result": [1.025, "+Inf"]}));
    let (_, body) = ask(Method::GET, "/api/v1/query", &[("query", "0/0"), ("time", "1")]).await;
    assert_eq!(body["data"]["result"].to_string(), r#"[1,"NaN"]"#);
}

#[tokio::test]
async fn errors_have_prometheus_s_form() {
    let range = async |query, start, end, step| {
        let form = [("query", query), ("start", start), ("end", end), ("step", step)];
        ask(Method::GET, "/api/v1/query_range", &form).await
    };
    let (status, body) = range("up{", "0", "1", "1").await;
    assert_eq!((status, body["errorType"].as_str()), (400, Some("bad_data")));
    assert!(
        body["error"]
            .as_str()
            .unwrap()
            .starts_with("invalid parameter \"query\": 1:4: parse error: unexpected end of input")
    );
    for (query, start, end, step, message) in [
        ("up", "x", "1", "1", "invalid parameter \"start\": cannot parse \"x\" to a valid timestamp"),
        ("up", "0", "", "1", "invalid parameter \"end\""),
        ("up", "0", "1", "0", "zero or negative query resolution"),
        ("up", "2", "1", "1", "end timestamp must not be before start time"),
        ("up", "0", "11001", "1", "exceeded maximum resolution of 11,000 points"),
        ("up[5m]", "0", "1", "1", "invalid expression type \"range vector\" for range query"),
        ("nosuch(up)", "0", "1", "1", "1:1: parse error: unknown function with name 'nosuch'"),
    ] {
        let (status, body) = range(query, start, end, step).await;
        assert_eq!((status, body["status"].as_str()), (400, Some("error")));
        assert!(body["error"].as_str().unwrap().contains(message), "{body}");
    }
    let (status, body) = range("{job='decdn'} * 2", "0", "60", "15").await;
    assert_eq!((status, body["errorType"].as_str()), (422, Some("execution")));
    assert!(body["error"].as_str().unwrap().contains("same labelset"));
    assert_eq!(ask(Method::GET, "/api/v1/series", &[]).await.0, 400);
}

#[tokio::test]
async fn series_labels_and_metadata() {
    let (_, body) = ask(Method::GET, "/api/v1/series", &[("match[]", "max_peers"), ("limit", "1")]).await;
    let eu =
        json!({"__name__": "max_peers", "instance": "eu-1", "job": "decdn", "kind": "in", "region": "eu"});
    assert_eq!(body["data"], json!([eu]));
    assert_eq!(body["warnings"], json!(["results truncated due to limit"]));
    let (_, body) = ask(Method::POST, "/api/v1/labels", &[("match[]", "up")]).await;
    assert_eq!(body["data"], json!(["__name__", "instance", "job", "region"]));
    let (_, body) = ask(Method::GET, "/api/v1/label/region/values", &[]).await;
    assert_eq!(body["data"], json!(["eu", "us"]));
    let (_, body) = ask(Method::GET, "/api/v1/metadata", &[("metric", "served")]).await;
    assert_eq!(body["data"], json!({"served": [{"type": "counter", "help": "Things served.", "unit": ""}]}));
}

#[tokio::test]
async fn an_expression_is_formatted_and_taken_apart() {
    let (_, body) = ask(Method::POST, "/api/v1/format_query", &[("query", "sum(up)by(job)")]).await;
    assert_eq!(body["data"], "sum by (job) (up)");
    let (_, body) = ask(Method::GET, "/api/v1/parse_query", &[("query", "-up")]).await;
    assert_eq!((&body["data"]["type"], &body["data"]["expr"]["name"]), (&json!("unaryExpr"), &json!("up")));
    assert_eq!(ask(Method::GET, "/api/v1/format_query", &[("query", "sum(")]).await.0, 400);
}

#[tokio::test]
async fn a_query_may_be_limited() {
    let form = [("query", "up"), ("time", "100"), ("limit", "1"), ("stats", "all"), ("timeout", "1s")];
    let (_, body) = ask(Method::GET, "/api/v1/query", &form).await;
    assert_eq!(body["data"]["result"].as_array().map(Vec::len), Some(1));
    assert_eq!(body["warnings"], json!(["results truncated due to limit"]));
    assert!(body["data"]["stats"]["samples"]["totalQueryableSamples"].as_u64().unwrap() > 0);
    assert_eq!(instant("up", "605").await.len(), 2);
    let form = [("query", "up"), ("time", "605"), ("lookback_delta", "4s")];
    assert_eq!(ask(Method::GET, "/api/v1/query", &form).await.1["data"]["result"], json!([]));
    let (status, body) = ask(Method::GET, "/api/v1/query", &[("query", "up"), ("timeout", "x")]).await;
    assert_eq!((status, &body["errorType"]), (400, &json!("bad_data")));
    let form = [("query", "quantile(2, rate(peers[1m]))"), ("time", "100")];
    let (_, body) = ask(Method::GET, "/api/v1/query", &form).await;
    assert!(body["warnings"][0].as_str().unwrap().contains("got 2 (1:10)"), "{body}");
    assert!(body["infos"][0].as_str().unwrap().contains("might not be a counter"), "{body}");
}

#[tokio::test]
async fn texts_and_ranges_have_their_own_forms() {
    let (_, body) = ask(Method::GET, "/api/v1/query", &[("query", "'é'"), ("time", "1")]).await;
    assert_eq!(body["data"], json!({"resultType": "string", "result": [1, "é"]}));
    let form = [("query", "up{instance='eu-1'}[30s]"), ("time", "30")];
    let (_, body) = ask(Method::GET, "/api/v1/query", &form).await;
    assert_eq!(body["data"]["resultType"], "matrix");
    assert_eq!(body["data"]["result"][0]["values"].to_string(), r#"[[15,"1"],[30,"1"]]"#);
}

/// A client that leaves stops its query: the next one does not wait for it.
#[tokio::test]
async fn a_query_stops_when_its_client_leaves() {
    let app = router(store(), Arc::new(Vec::new), None);
    let slow = "/api/v1/query?time=600&query=sum(sum_over_time(up%5B365d%3A1ms%5D))%2B0*count(max_over_time(up%5B200d%3A1ms%5D))";
    for _ in 0..5 {
        let request = Request::get(slow).body(Body::empty()).unwrap();
        let left = tokio::time::timeout(std::time::Duration::from_millis(30), app.clone().oneshot(request));
        // A limit may be hit before.
        if let Ok(answer) = left.await {
            assert_eq!(answer.unwrap().status(), 422);
        }
    }
    let request = Request::get("/api/v1/query?query=up").body(Body::empty()).unwrap();
    let answer = tokio::time::timeout(std::time::Duration::from_secs(20), app.oneshot(request)).await;
    assert_eq!(answer.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn status_pages_have_prometheus_s_shape() {
    for (path, field) in [
        ("/api/v1/status/buildinfo", "version"),
        ("/api/v1/status/flags", "query.lookback-delta"),
        ("/api/v1/status/config", "yaml"),
        ("/api/v1/status/runtimeinfo", "startTime"),
        ("/api/v1/status/tsdb", "headStats"),
        ("/api/v1/targets", "activeTargets"),
        ("/api/v1/alertmanagers", "activeAlertmanagers"),
    ] {
        let (status, body) = ask(Method::GET, path, &[]).await;
        assert_eq!((status, &body["status"]), (200, &json!("success")), "{path}");
        assert!(!body["data"][field].is_null(), "{path}: {body}");
    }
    let (_, body) = ask(Method::GET, "/api/v1/query_exemplars", &[("query", "up"), ("start", "0")]).await;
    assert_eq!(body["data"], json!([]));
}

#[test]
fn nodes_are_rendered_for_a_prometheus() {
    let text = render_nodes(&store(), 600_000);
    assert_eq!(
        text,
        "# HELP up Whether the node answers\n# TYPE up gauge\n\
         up{instance=\"eu-1\",job=\"decdn\",region=\"eu\"} 1\n\
         up{instance=\"us-1\",job=\"decdn\",region=\"us\"} 0\n"
    );
    assert_eq!(render_nodes(&store(), 600_000 + 300_001), "");
}
