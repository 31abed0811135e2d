//! One query of each, and whether both said the same.

use std::collections::BTreeMap;

use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::promql::{Answer, EvalError, Steps, Value};
use fleetglass_tests::{peers::Peer, proxy::http_client};
use serde_json::Value as Json;

/// Relative; the two add up in different orders.
const TOLERANCE: f64 = 1e-12;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked {
    Instant(i64),
    Range(Steps),
}

/// What came of a query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Came {
    /// It was refused; the words may differ.
    Failed,
    Text(String),
    Series(BTreeMap<LabelSet, Vec<(i64, f64)>>),
}

impl Came {
    pub(crate) fn of(answer: Result<Answer, EvalError>, way: Asked) -> Self {
        let times: Vec<i64> = match way {
            Asked::Instant(at) => vec![at],
            Asked::Range(steps) => steps.times().collect(),
        };
        match answer.map(|answer| answer.value) {
            Err(_) => Self::Failed,
            Ok(Value::Text(text)) => Self::Text(text),
            Ok(Value::Matrix(series)) => Self::Series(series.into_iter().collect()),
            Ok(Value::Scalar(values)) => {
                Self::Series(BTreeMap::from([(LabelSet::default(), times.into_iter().zip(values).collect())]))
            }
            Ok(Value::Vector(lines)) => {
                let points = |points: &mut dyn Iterator<Item = Option<f64>>| {
                    times.iter().zip(points).filter_map(|(time, point)| Some((*time, point?))).collect()
                };
                Self::Series(
                    lines.iter().map(|line| (line.labels.clone(), points(&mut line.points()))).collect(),
                )
            }
        }
    }
}

pub(crate) async fn prometheus(peer: &Peer, query: &str, way: Asked) -> Came {
    let seconds = |ms: i64| (ms as f64 / 1000.0).to_string();
    let request = match way {
        Asked::Instant(at) => {
            let form = [("query", query.to_owned()), ("time", seconds(at))];
            http_client().get(peer.url("/api/v1/query")).query(&form)
        }
        Asked::Range(steps) => {
            let form = [
                ("query", query.to_owned()),
                ("start", seconds(steps.start)),
                ("end", seconds(steps.end)),
                ("step", seconds(steps.step)),
            ];
            http_client().get(peer.url("/api/v1/query_range")).query(&form)
        }
    };
    let body: Json = request.send().await.unwrap().json().await.unwrap();
    let result = &body["data"]["result"];
    match body["data"]["resultType"].as_str() {
        None => Came::Failed,
        Some("string") => Came::Text(result[1].as_str().unwrap_or_default().to_owned()),
        Some("scalar") => Came::Series(BTreeMap::from([(LabelSet::default(), vec![point(result)])])),
        Some(_) => Came::Series(result.as_array().unwrap().iter().map(series).collect()),
    }
}

fn series(one: &Json) -> (LabelSet, Vec<(i64, f64)>) {
    let labels = one["metric"].as_object().unwrap();
    let labels = LabelSet::from_pairs(labels.iter().map(|(name, value)| (name, value.as_str().unwrap())));
    match one["values"].as_array() {
        Some(values) => (labels, values.iter().map(point).collect()),
        None => (labels, vec![point(&one["value"])]),
    }
}

fn point(pair: &Json) -> (i64, f64) {
    let time = (pair[0].as_f64().unwrap() * 1000.0).round() as i64;
    (time, pair[1].as_str().unwrap().parse().unwrap())
}

fn same(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= TOLERANCE * a.abs().max(b.abs())
}

/// What differs, if anything does.
pub(crate) fn difference(ours: &Came, theirs: &Came) -> Option<String> {
    let (Came::Series(a), Came::Series(b)) = (ours, theirs) else {
        return (ours != theirs).then(|| format!("ours {ours:?}, theirs {theirs:?}"));
    };
    for (labels, points) in a {
        let Some(others) = b.get(labels) else {
            return Some(format!("only ours has {labels} {:?}", points.first()));
        };
        if points.len() != others.len() {
            return Some(format!("{labels} has {} points, theirs {}", points.len(), others.len()));
        }
        let differing = points.iter().zip(others).find(|(a, b)| a.0 != b.0 || !same(a.1, b.1));
        if let Some((mine, their)) = differing {
            return Some(format!("{labels}: ours {mine:?}, theirs {their:?}"));
        }
    }
    let missing = b.keys().find(|labels| !a.contains_key(*labels));
    missing.map(|labels| format!("only theirs has {labels}"))
}
