//! A range of the node's history in words. Pure.

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::health::{Status, UnixMillis};
use fleetglass_shared::wire::{Event, EventKind};

use super::lanes::{Lanes, Span, at};
use crate::components::words::counted;

/// What happened in the range, in one line: `2 outages, 4 min down; 1 restart; 1 new version`.
pub(super) fn summary(lanes: &Lanes, events: &[Event]) -> String {
    let is_down = |state: &Option<Status>| matches!(state, Some(Status::Unhealthy | Status::Unreachable));
    // Unhealthy and then unreachable is one outage.
    let outages = lanes.states.chunk_by(|a, b| is_down(&a.what) && is_down(&b.what));
    let outages = outages.filter(|run| run.iter().any(|span| is_down(&span.what))).count();
    let down: i64 =
        lanes.states.iter().filter(|span| is_down(&span.what)).map(|span| span.to - span.from).sum();
    let unseen: i64 =
        lanes.states.iter().filter(|span| span.what.is_none()).map(|span| span.to - span.from).sum();
    let count = |kind: EventKind| events.iter().filter(|event| event.kind == kind).count();
    let counts = [
        (outages, "outage", "outages"),
        (count(EventKind::Restart), "restart", "restarts"),
        (count(EventKind::Version), "change of version", "changes of version"),
        (lanes.failing.len(), "spell of failed scrapes", "spells of failed scrapes"),
    ];
    let mut parts: Vec<String> = counts
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| counted(count, one, many))
        .collect();
    if outages > 0
        && let Some(first) = parts.first_mut()
    {
        first.push_str(&format!(" ({} down)", duration_ms(down)));
    }
    if unseen >= 1000 {
        parts.push(format!("not watched for {}", duration_ms(unseen)));
    }
    match parts.is_empty() {
        true => "Nothing happened in this range".to_owned(),
        false => parts.join(" · "),
    }
}

/// The state that holds, in a word.
pub(super) fn state_word(state: Option<Status>) -> &'static str {
    state.map_or("not watched", Status::as_str)
}

/// What the lanes say of a time, most of it first.
pub(super) fn reading(lanes: &Lanes, time: UnixMillis) -> String {
    let mut words = match at(&lanes.states, time) {
        Some(state) => state_word(*state).to_owned(),
        None => return "ahead of now".to_owned(),
    };
    if at(&lanes.draining, time).is_some() {
        words.push_str(", draining");
    }
    if let Some(version) = at(&lanes.versions, time).filter(|version| !version.is_empty()) {
        words.push_str(&format!(" · version {version}"));
    }
    if let Some(failure) = at(&lanes.failing, time) {
        words.push_str(&format!(" · {failure}"));
    }
    words
}

/// A lane in words, for readers that do not see it: at most six spans.
pub(super) fn spoken<T>(
    spans: &[Span<T>],
    word: impl Fn(&T) -> String,
    time: impl Fn(UnixMillis) -> String,
) -> String {
    const MOST: usize = 6;
    let parts: Vec<String> = spans
        .iter()
        .take(MOST)
        .map(|span| format!("{} from {}", word(&span.what), time(span.from)))
        .collect();
    let more = spans.len().saturating_sub(MOST);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    format!("{}{more}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span<T>(from: i64, to: i64, what: T) -> Span<T> {
        Span { from: from * 60_000, to: to * 60_000, what }
    }

    fn day() -> Lanes {
        Lanes {
            states: vec![
                span(0, 10, None),
                span(10, 20, Some(Status::Healthy)),
                span(20, 22, Some(Status::Unhealthy)),
                span(22, 24, Some(Status::Unreachable)),
                span(24, 60, Some(Status::Healthy)),
            ],
            draining: vec![span(30, 40, ())],
            versions: vec![span(10, 60, "1.2".to_owned())],
            failing: vec![span(22, 24, "No answer (connection refused)".to_owned())],
        }
    }

    #[test]
    fn a_day_in_one_line() {
        let restart = Event {
            id: 1,
            at: 5,
            node: None,
            kind: EventKind::Restart,
            from: String::new(),
            to: String::new(),
            text: "restarted".to_owned(),
        };
        assert_eq!(
            summary(&day(), &[restart]),
            "1 outage (4 min down) · 1 restart · 1 spell of failed scrapes · not watched for 10 min"
        );
        let calm = Lanes { states: vec![span(0, 60, Some(Status::Healthy))], ..Lanes::default() };
        assert_eq!(summary(&calm, &[]), "Nothing happened in this range");
    }

    #[test]
    fn a_time_is_read_from_all_lanes() {
        assert_eq!(
            reading(&day(), 23 * 60_000),
            "unreachable · version 1.2 · No answer (connection refused)"
        );
        assert_eq!(reading(&day(), 35 * 60_000), "healthy, draining · version 1.2");
        assert_eq!(reading(&day(), 5 * 60_000), "not watched");
        assert_eq!(reading(&day(), 99 * 60_000), "ahead of now");
        let words =
            spoken(&day().states, |state| state_word(*state).to_owned(), |at| (at / 60_000).to_string());
        assert!(words.starts_with("not watched from 0, healthy from 10, unhealthy from 20"), "{words}");
    }
}
