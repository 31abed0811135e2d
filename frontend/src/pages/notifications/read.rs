//! The proxy's answer: who is told, how it goes, and what was tried.

use fleetglass_shared::health::UnixMillis;

use crate::json::Json;

/// How a way does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// The last attempt went well.
    Works,
    /// It did not.
    Fails,
    /// There was none.
    #[default]
    Untried,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Fails => "fails",
            Self::Untried => "not tried",
        }
    }

    pub(super) fn shape(self) -> &'static str {
        match self {
            Self::Works => "●",
            Self::Fails => "✕",
            Self::Untried => "○",
        }
    }
}

/// A way to somebody; the heartbeat has no receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) name: String,
    pub(super) receiver: Option<String>,
    pub(super) state: State,
    pub(super) delivered_at: Option<UnixMillis>,
    pub(super) error: String,
    pub(super) queue: usize,
    pub(super) oldest: Option<UnixMillis>,
}

/// An attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) way: String,
    pub(super) at: UnixMillis,
    pub(super) delivered: bool,
    /// In words.
    pub(super) outcome: &'static str,
    pub(super) title: String,
    pub(super) text: String,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) ways: Vec<Way>,
    pub(super) attempts: Vec<Attempt>,
}

fn text(json: &Json, name: &str) -> String {
    json.get(name).text().unwrap_or_default()
}

fn time(json: &Json, name: &str) -> Option<UnixMillis> {
    json.get(name).number().map(|at| at as i64)
}

fn health(json: &Json, name: String) -> Way {
    let state = match json.get("ok").flag() {
        Some(true) => State::Works,
        Some(false) => State::Fails,
        None => State::Untried,
    };
    Way {
        name,
        state,
        delivered_at: time(json, "delivered_at"),
        error: text(json, "error"),
        ..Way::default()
    }
}

fn attempt(json: &Json) -> Attempt {
    let word = text(json, "outcome");
    let outcome = match word.as_str() {
        "delivered" => "delivered",
        "again" => "tried again",
        "refused" => "refused",
        _ => "given up",
    };
    Attempt {
        way: text(json, "way"),
        at: time(json, "at").unwrap_or_default(),
        delivered: word == "delivered",
        outcome,
        title: text(json, "title"),
        text: text(json, "text"),
    }
}

impl Told {
    pub(super) fn read(json: &Json) -> Self {
        let one = |json: &Json| Way {
            receiver: Some(text(json, "receiver")),
            queue: json.get("queue").number().unwrap_or_default() as usize,
            oldest: time(json, "oldest"),
            ..health(&json.get("health"), text(json, "way"))
        };
        let mut ways: Vec<Way> = json.get("ways").items().unwrap_or_default().iter().map(one).collect();
        let heartbeat = json.get("heartbeat");
        if !heartbeat.is_null() {
            ways.push(health(&heartbeat, "Heartbeat".to_owned()));
        }
        let attempts = json.get("attempts").items().unwrap_or_default().iter().map(attempt).collect();
        Self { ways, attempts }
    }
}

/// What came of a test, in words.
pub(super) fn tried(json: &Json) -> String {
    let attempts: Vec<Attempt> =
        json.get("attempts").items().unwrap_or_default().iter().map(attempt).collect();
    let words =
        attempts.iter().map(|attempt| format!("{} {}: {}", attempt.way, attempt.outcome, attempt.text));
    words.collect::<Vec<_>>().join(". ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ways_attempts_and_the_heartbeat_are_read() {
        let body = r#"{"at": 9, "heartbeat": {"ok": true, "delivered_at": 5}, "ways": [
            {"way": "team/slack/0", "receiver": "team", "integration": "slack", "queue": 2, "oldest": 3,
             "health": {"ok": false, "failed_at": 4, "error": "HTTP 500"}},
            {"way": "b/email/0", "receiver": "b", "integration": "email", "queue": 0, "health": {}}],
            "attempts": [{"way": "team/slack/0", "at": 4, "took_ms": 7, "outcome": "again", "title": "T", "text": "HTTP 500"}]}"#;
        let told = Told::read(&Json::parse(body).unwrap());
        let states: Vec<State> = told.ways.iter().map(|way| way.state).collect();
        assert_eq!(states, [State::Fails, State::Untried, State::Works]);
        assert_eq!((told.ways[0].queue, told.ways[0].oldest), (2, Some(3)));
        assert_eq!((told.ways[2].name.as_str(), told.ways[2].receiver.as_deref()), ("Heartbeat", None));
        assert_eq!((told.attempts[0].outcome, told.attempts[0].delivered), ("tried again", false));
        assert_eq!(tried(&Json::parse(body).unwrap()), "team/slack/0 tried again: HTTP 500");
    }
}
