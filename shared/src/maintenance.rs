//! Maintenance: windows of time, recurring or once, in which alerts are muted. Pure: the time comes in.
//!
//! | module | is |
//! |---|---|
//! | this file | [`Window`]: when it is, and which alerts it mutes |
//! | `interval` | [`TimeInterval`]: Alertmanager's `time_intervals` |
//! | `zone` | time zones: UTC, fixed offsets, and those of the IANA database |

mod interval;
#[cfg(test)]
mod tests;
mod zone;

pub use interval::{IntervalSpec, TimeInterval, TimeRangeSpec};
pub use zone::Zone;

use crate::health::UnixMillis;
use crate::labels::{LabelSet, MatchOp, Matcher};

/// So many spans that follow each other without a gap are told as one.
const JOINED: usize = 64;

/// A span of time, its end outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// When it begins; none where it began longer ago than is looked back.
    pub start: Option<UnixMillis>,
    /// When it ends; none where no end of it is near.
    pub end: Option<UnixMillis>,
}

/// One maintenance window.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Its name, unique.
    pub name: String,
    /// Why.
    pub comment: String,
    /// What an alert must pass, all of it.
    pub matchers: Vec<Matcher>,
    /// When it recurs; any of them will do.
    pub intervals: Vec<TimeInterval>,
    /// When it is once, from and until.
    pub once: Vec<(UnixMillis, UnixMillis)>,
    /// Public status pages show it, where it is about their nodes.
    pub on_status_pages: bool,
    /// What their readers are told beside when it is and which nodes.
    pub status_text: String,
}

/// A time such as `2026-12-01T02:00:00Z` or `2026-12-01T03:00:00+01:00`.
///
/// # Errors
/// In words, when it is none.
pub fn moment(text: &str) -> Result<UnixMillis, String> {
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|time| time.as_millisecond())
        .map_err(|_| format!("`{text}` is not a time with a zone, such as 2026-12-01T02:00:00Z"))
}

impl Window {
    /// Whether it is now.
    pub fn is_active(&self, at: UnixMillis) -> bool {
        self.once.iter().any(|(from, until)| (*from..*until).contains(&at))
            || self.intervals.iter().any(|interval| interval.contains(at))
    }

    /// Whether it is about an alert of these labels.
    pub fn matches(&self, labels: &LabelSet) -> bool {
        self.matchers.iter().all(|matcher| matcher.matches_set(labels))
    }

    /// Whether it is about a node of these labels, and not about chosen alerts alone.
    pub fn covers(&self, labels: &LabelSet) -> bool {
        self.matchers.iter().all(|matcher| match (matcher.name(), matcher.op()) {
            // What is muted of them says nothing of which nodes are worked on.
            ("severity", _) | ("alertname", MatchOp::NotEqual | MatchOp::NotRegex) => true,
            ("alertname", MatchOp::Regex) => [".+", ".*"].contains(&matcher.value()),
            ("alertname", MatchOp::Equal) => false,
            _ => matcher.matches_set(labels),
        })
    }

    /// The span that it is in, else the next; none when it is never again, or not in some years.
    pub fn next(&self, at: UnixMillis) -> Option<Span> {
        let mut span = self.spans(at).min_by_key(|span| span.start)?;
        for _ in 0..JOINED {
            let Some(end) = span.end else { break };
            let goes_on = |next: &Span| next.start.is_none_or(|start| start <= end);
            let Some(next) = self.spans(end).find(goes_on) else { break };
            span.end = next.end;
        }
        Some(span)
    }

    /// Of each of its times the span that holds `at`, else the next.
    fn spans(&self, at: UnixMillis) -> impl Iterator<Item = Span> {
        let once = self.once.iter().filter(move |(_, until)| at < *until);
        let once = once.map(|(from, until)| Span { start: Some(*from), end: Some(*until) });
        once.chain(self.intervals.iter().filter_map(move |interval| interval.next(at)))
    }
}
