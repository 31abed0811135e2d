//! Prometheus's JSON: a status, the data, and samples as `[seconds, "value"]`.

use std::fmt::Write;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::sample::format_value;

use super::{QueryError, Steps, Value};

/// `data` of a range query.
pub(super) fn range(value: &Value, steps: Steps) -> String {
    format!(r#"{{"resultType":"matrix","result":{}}}"#, series(value, steps))
}

/// The list of series of a range query.
pub(super) fn series(value: &Value, steps: Steps) -> String {
    let mut out = String::from("[");
    match value {
        Value::Vector(lines) => {
            for (at, line) in lines.iter().enumerate() {
                separate(&mut out, at);
                let there = steps.times().zip(line.points());
                push_series(&mut out, &line.labels, there.filter_map(|(time, point)| Some((time, point?))));
            }
        }
        Value::Scalar(values) => {
            push_series(&mut out, &LabelSet::default(), steps.times().zip(values.iter().copied()));
        }
        // A range query of these is refused.
        Value::Matrix(_) | Value::Text(_) => {}
    }
    out.push(']');
    out
}

/// `data` of an instant query.
pub(super) fn instant(value: &Value, at: UnixMillis) -> String {
    let mut out = String::new();
    match value {
        Value::Scalar(values) => {
            out.push_str(r#"{"resultType":"scalar","result":"#);
            push_point(&mut out, at, values.first().copied().unwrap_or(f64::NAN));
        }
        Value::Text(text) => {
            out.push_str(r#"{"resultType":"string","result":["#);
            push_time(&mut out, at);
            out.push(',');
            push_string(&mut out, text);
            out.push(']');
        }
        Value::Vector(lines) => {
            out.push_str(r#"{"resultType":"vector","result":["#);
            for (place, line) in lines.iter().enumerate() {
                separate(&mut out, place);
                out.push_str(r#"{"metric":"#);
                push_labels(&mut out, &line.labels);
                out.push_str(r#","value":"#);
                push_point(&mut out, at, line.values.first().copied().unwrap_or(f64::NAN));
                out.push('}');
            }
            out.push(']');
        }
        Value::Matrix(series) => {
            out.push_str(r#"{"resultType":"matrix","result":["#);
            for (place, (labels, samples)) in series.iter().enumerate() {
                separate(&mut out, place);
                push_series(&mut out, labels, samples.iter().copied());
            }
            out.push(']');
        }
    }
    out.push('}');
    out
}

fn push_series(out: &mut String, labels: &LabelSet, samples: impl Iterator<Item = (UnixMillis, f64)>) {
    out.push_str(r#"{"metric":"#);
    push_labels(out, labels);
    out.push_str(r#","values":["#);
    for (at, (time, value)) in samples.enumerate() {
        separate(out, at);
        push_point(out, time, value);
    }
    out.push_str("]}");
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

/// So many notes of a kind are sent.
const MOST_NOTES: usize = 10;

/// The whole answer.
pub(super) fn success(data: &str, warnings: &[String], infos: &[String]) -> Response {
    let mut body = format!(r#"{{"status":"success","data":{data}"#);
    for (kind, notes) in [("warnings", warnings), ("infos", infos)] {
        if notes.is_empty() {
            continue;
        }
        let more = notes.len().saturating_sub(MOST_NOTES);
        let last = format!("{more} more {} annotations omitted", kind.trim_end_matches('s'));
        let sent = notes.iter().take(MOST_NOTES).map(String::as_str);
        let sent = strings(sent.chain((more > 0).then_some(last.as_str())));
        // Writing to a String never fails.
        let _ = write!(body, r#","{kind}":{sent}"#);
    }
    body.push('}');
    json(StatusCode::OK, body)
}

impl IntoResponse for QueryError {
    fn into_response(self) -> Response {
        let (status, kind) = match &self {
            Self::BadData(_) => (StatusCode::BAD_REQUEST, "bad_data"),
            Self::Execution(_) => (StatusCode::UNPROCESSABLE_ENTITY, "execution"),
            Self::Timeout(_) => (StatusCode::SERVICE_UNAVAILABLE, "timeout"),
            // 499, as nginx and Prometheus call a client that left.
            Self::Canceled(_) => (StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST), "canceled"),
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
    out.push('[');
    push_time(out, at);
    // Writing to a String never fails.
    let _ = write!(out, ",\"{}\"]", format_value(value));
}

fn push_time(out: &mut String, at: UnixMillis) {
    let sign = if at < 0 { "-" } else { "" };
    let (seconds, millis) = (at.unsigned_abs() / 1000, at.unsigned_abs() % 1000);
    // Writing to a String never fails.
    let _ = write!(out, "{sign}{seconds}");
    if millis != 0 {
        let _ = write!(out, ".{millis:03}");
    }
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
