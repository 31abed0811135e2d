//! Each endpoint's answer, told apart: usable, absent, or a failure.

use serde_json::Value;

use super::Gathered;
use crate::family::answer::{Answer, Body, MetricLookup, Round};
use crate::family::model::{EndpointKind, EndpointSpec, FamilySpec};
use crate::health::{FailureKind, ScrapeFailure, Status, UnixMillis};

/// What an endpoint said.
pub(super) enum Content<'a> {
    Json(Value),
    /// Text of an endpoint of kind `text`: only its HTTP status says something.
    Text,
    Metrics(&'a dyn MetricLookup),
}

/// One endpoint of the round.
pub(super) struct Read<'a> {
    pub(super) spec: &'a EndpointSpec,
    pub(super) http_status: Option<u16>,
    pub(super) content: Option<Content<'a>>,
    pub(super) failure: Option<ScrapeFailure>,
    /// The node does not have this endpoint.
    pub(super) absent: bool,
    /// The HTTP status alone says that it is not well, so the body may be anything.
    pub(super) decides: bool,
}

impl Read<'_> {
    /// What a reason calls it.
    pub(super) fn title(&self) -> &str {
        if self.spec.title.is_empty() { &self.spec.path } else { &self.spec.title }
    }

    pub(super) fn json(&self) -> Option<&Value> {
        match &self.content {
            Some(Content::Json(value)) => Some(value),
            _ => None,
        }
    }
}

/// Reads every answer, in the family's order of endpoints.
pub(super) fn read_all<'a>(
    spec: &'a FamilySpec,
    round: &Round<'a>,
    gathered: &mut Gathered,
) -> Vec<Read<'a>> {
    let mut reads = Vec::new();
    for endpoint in &spec.endpoint {
        let Some(answer) = round.answers.iter().find(|answer| answer.endpoint == endpoint.name) else {
            continue;
        };
        let read = match &answer.outcome {
            Ok(answer) => read_one(spec, endpoint, answer, round.at),
            Err(failure) => Read {
                spec: endpoint,
                http_status: None,
                content: None,
                failure: Some(failure.clone()),
                absent: false,
                decides: false,
            },
        };
        if let Some(failure) = &read.failure {
            gathered.failures.push(failure.clone());
        }
        if let (Ok(answer), Some(limit), Some(_)) = (&answer.outcome, endpoint.slow_seconds, &read.content)
            && answer.duration_seconds > limit
        {
            let text = format!(
                "{} took {}, more than {}",
                read.title(),
                crate::format::duration_seconds(answer.duration_seconds),
                crate::format::duration_seconds(limit)
            );
            gathered.reason(&endpoint.name, "slow", Status::Degraded, text);
        }
        reads.push(read);
    }
    reads
}

fn read_one<'a>(
    spec: &FamilySpec,
    endpoint: &'a EndpointSpec,
    answer: &Answer<'a>,
    at: UnixMillis,
) -> Read<'a> {
    let code = answer.http_status;
    // A code that says "well" does not excuse a body that cannot be read: anybody may answer 200.
    let decides =
        spec.status.iter().filter(|status| status.endpoint == endpoint.name).any(|status| {
            status.http.get(&code.to_string()).is_some_and(|&status| status != Status::Healthy)
        });
    let mut read = Read {
        spec: endpoint,
        http_status: Some(code),
        content: None,
        failure: None,
        absent: endpoint.absent.contains(&code),
        decides,
    };
    if read.absent {
        return read;
    }
    let outcome = if code == 429 && !endpoint.accepts.contains(&code) {
        Err((FailureKind::RateLimited, "HTTP 429: asked for fewer requests, and obeyed".to_owned()))
    } else if !endpoint.accepts.contains(&code) && !decides {
        Err((FailureKind::HttpStatus, http_status_message(endpoint, answer)))
    } else {
        content(endpoint, answer)
    };
    match outcome {
        Ok(content) => read.content = Some(content),
        Err((kind, message)) => {
            read.failure = Some(ScrapeFailure { endpoint: endpoint.name.clone(), kind, message, at });
        }
    }
    read
}

fn http_status_message(endpoint: &EndpointSpec, answer: &Answer<'_>) -> String {
    let accepted: Vec<_> = endpoint.accepts.iter().map(u16::to_string).collect();
    let page = match answer.body {
        Body::Bytes(bytes) if is_html(bytes) => {
            "; the body is an HTML page: does a proxy answer in its place?"
        }
        _ => "",
    };
    format!("HTTP {} from {}, expected {}{page}", answer.http_status, endpoint.path, accepted.join(" or "))
}

fn content<'a>(endpoint: &EndpointSpec, answer: &Answer<'a>) -> Result<Content<'a>, (FailureKind, String)> {
    let bytes = match answer.body {
        Body::Metrics(metrics) => return Ok(Content::Metrics(metrics)),
        Body::Bytes(bytes) => bytes,
    };
    if endpoint.kind == EndpointKind::Metrics {
        let message = "expected an exposition, which the scraper did not parse".to_owned();
        return Err((FailureKind::MalformedExposition, message));
    }
    let text_will_do = endpoint.kind == EndpointKind::Text;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        if text_will_do {
            return Ok(Content::Text);
        }
        return Err((FailureKind::EmptyBody, format!("{} answered with an empty body", endpoint.path)));
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value @ Value::Object(_)) => Ok(Content::Json(value)),
        _ if text_will_do => Ok(Content::Text),
        Ok(other) => {
            let message = format!("expected a JSON object, found {}", kind_of(&other));
            Err((FailureKind::MalformedJson, message))
        }
        Err(_) if is_html(bytes) => Err((
            FailureKind::MalformedJson,
            "expected JSON, found an HTML page: does a proxy answer in its place?".to_owned(),
        )),
        Err(error) => Err((
            FailureKind::MalformedJson,
            // serde_json's own message ends in the position; ours starts with it, as everywhere.
            format!("line {}, column {}: {}", error.line(), error.column(), without_position(&error)),
        )),
    }
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

fn is_html(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    let begins = |word: &[u8]| start.len() >= word.len() && start[..word.len()].eq_ignore_ascii_case(word);
    begins(b"<!doctype html") || begins(b"<html")
}

/// What a JSON value is, in words.
pub(super) fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => format!("`{flag}`"),
        Value::Number(number) => format!("the number {}", shortened(&number.to_string())),
        Value::String(text) => format!("the text \"{}\"", shortened(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// Keeps what a node sends from filling a message or a fact.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
