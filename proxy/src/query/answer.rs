//! Prometheus's JSON: a status, the data, and samples as `[seconds, "value"]`.

use std::fmt::Write;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;

use super::QueryError;
use super::eval::{Line, Steps, Value};
use crate::store::format_value;

/// `data` of a range query.
pub(super) fn matrix(value: &Value, steps: Steps) -> String {
    let scalar;
    let lines = match value {
        Value::Vector(lines) => lines,
        Value::Scalar(number) => {
            let points = steps.times().map(|_| Some(*number)).collect();
            scalar = vec![Line { labels: LabelSet::default(), points }];
            &scalar
        }
    };
    let mut out = String::from(r#"{"resultType":"matrix","result":["#);
    for (at, line) in sorted(lines).into_iter().enumerate() {
        separate(&mut out, at);
        out.push_str(r#"{"metric":"#);
        push_labels(&mut out, &line.labels);
        out.push_str(r#","values":["#);
        let mut written = 0;
        for (time, point) in steps.times().zip(&line.points) {
            if let Some(value) = point {
                separate(&mut out, written);
                written += 1;
                push_point(&mut out, time, *value);
            }
        }
        out.push_str("]}");
    }
    out.push_str("]}");
    out
}

/// `data` of an instant query.
pub(super) fn vector(value: &Value, at: UnixMillis) -> String {
    let mut out = String::new();
    match value {
        Value::Scalar(number) => {
            out.push_str(r#"{"resultType":"scalar","result":"#);
            push_point(&mut out, at, *number);
        }
        Value::Vector(lines) => {
            out.push_str(r#"{"resultType":"vector","result":["#);
            let mut written = 0;
            for line in sorted(lines) {
                if let Some(Some(value)) = line.points.first() {
                    separate(&mut out, written);
                    written += 1;
                    out.push_str(r#"{"metric":"#);
                    push_labels(&mut out, &line.labels);
                    out.push_str(r#","value":"#);
                    push_point(&mut out, at, *value);
                    out.push('}');
                }
            }
            out.push(']');
        }
    }
    out.push('}');
    out
}

/// A list of strings.
pub(super) fn strings<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::from("[");
    for (at, item) in items.enumerate() {
        separate(&mut out, at);
        push_string(&mut out, item);
    }
    out.push(']');
    out
}

/// A list of label sets.
pub(super) fn label_sets(sets: &[LabelSet]) -> String {
    let mut out = String::from("[");
    for (at, set) in sets.iter().enumerate() {
        separate(&mut out, at);
        push_labels(&mut out, set);
    }
    out.push(']');
    out
}

/// The whole answer.
pub(super) fn success(data: &str, warnings: &[String]) -> Response {
    let mut body = format!(r#"{{"status":"success","data":{data}"#);
    if !warnings.is_empty() {
        body.push_str(r#","warnings":"#);
        body.push_str(&strings(warnings.iter().map(String::as_str)));
    }
    body.push('}');
    json(StatusCode::OK, body)
}

impl IntoResponse for QueryError {
    fn into_response(self) -> Response {
        let (status, kind) = match &self {
            Self::BadData(_) => (StatusCode::BAD_REQUEST, "bad_data"),
            Self::Execution(_) => (StatusCode::UNPROCESSABLE_ENTITY, "execution"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        let mut body = format!(r#"{{"status":"error","errorType":"{kind}","error":"#);
        push_string(&mut body, &self.to_string());
        body.push('}');
        json(status, body)
    }
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

fn sorted(lines: &[Line]) -> Vec<&Line> {
    let mut lines: Vec<&Line> = lines.iter().collect();
    lines.sort_by(|a, b| a.labels.cmp(&b.labels));
    lines
}

fn separate(out: &mut String, at: usize) {
    if at > 0 {
        out.push(',');
    }
}

fn push_labels(out: &mut String, labels: &LabelSet) {
    out.push('{');
    for (at, (name, value)) in labels.iter().enumerate() {
        separate(out, at);
        push_string(out, name);
        out.push(':');
        push_string(out, value);
    }
    out.push('}');
}

/// Seconds, with three decimals where there are milliseconds, and the value as a string.
fn push_point(out: &mut String, at: UnixMillis, value: f64) {
    let sign = if at < 0 { "-" } else { "" };
    let (seconds, millis) = (at.unsigned_abs() / 1000, at.unsigned_abs() % 1000);
    // Writing to a String never fails.
    let _ = write!(out, "[{sign}{seconds}");
    if millis != 0 {
        let _ = write!(out, ".{millis:03}");
    }
    let _ = write!(out, ",\"{}\"]", format_value(value));
}

pub(super) fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
