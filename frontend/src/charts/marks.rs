//! Events as marks: what each looks like, which of them fit beside each other, which is near a time. Pure.

use std::ops::Range;

use fleetglass_shared::health::{Status, UnixMillis};
use fleetglass_shared::wire::{Event, EventKind, Severity};

use crate::components::{severity_mark, status_mark};

/// Between two marks, in pixels; what is nearer becomes a count.
const APART: f64 = 20.0;

/// Something that happened, as a chart shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: UnixMillis,
    /// Its shape.
    pub sign: Sign,
    /// What happened, in words.
    pub words: String,
}

/// What a mark looks like: a shape for each kind, never a colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// The shape of the new state.
    State(Status),
    /// An arrow in a circle.
    Restart,
    /// A diamond.
    Version,
    /// An arrow down.
    Drain,
    /// An arrow up.
    DrainEnd,
    /// An exclamation mark.
    Failure,
    /// A tick.
    Recovery,
    /// A plus.
    Added,
    /// A minus.
    Removed,
    /// Fleetglass itself: a triangle that points on.
    Start,
    /// Two bars.
    Stop,
    /// Three lines of a config.
    Reload,
    /// The shape of an alert's severity: it fires.
    Alert(Severity),
    /// A hollow octagon: an alert is over.
    AlertEnd,
    /// A flag: something that was told to us.
    Told,
}

impl Sign {
    /// What an event looks like.
    pub fn of(event: &Event) -> Self {
        match event.kind {
            EventKind::State => Self::State(Status::parse(&event.to).unwrap_or(Status::Unknown)),
            EventKind::Draining if event.to.is_empty() => Self::DrainEnd,
            EventKind::Draining => Self::Drain,
            EventKind::Version => Self::Version,
            EventKind::Restart => Self::Restart,
            EventKind::ScrapeFailure => Self::Failure,
            EventKind::ScrapeRecovery => Self::Recovery,
            EventKind::Added => Self::Added,
            EventKind::Removed => Self::Removed,
            EventKind::Start => Self::Start,
            EventKind::Stop => Self::Stop,
            EventKind::Reload => Self::Reload,
            EventKind::Alert if event.to == "firing" => Self::Alert(Severity::of(&event.from)),
            EventKind::Alert => Self::AlertEnd,
            EventKind::Mark => Self::Told,
        }
    }

    /// Whether charts show it: a failed scrape is seen by its gap already.
    pub fn on_charts(self) -> bool {
        !matches!(self, Self::Failure | Self::Recovery | Self::Added | Self::Removed)
    }

    /// Whether it is about Fleetglass and not about the node.
    pub fn is_own(self) -> bool {
        matches!(self, Self::Start | Self::Stop | Self::Reload)
    }

    /// Its outline in a box of 16 × 16.
    pub fn path(self) -> &'static str {
        match self {
            Self::State(status) => status_mark::shape(status),
            Self::Restart => "M13.4 9.2A5.5 5.5 0 1 1 12.6 5M13.2 1.8V5.4H9.6",
            Self::Version => "M8 1.8 14.2 8 8 14.2 1.8 8z",
            Self::Drain => "M8 2v11M3.5 8.8 8 13.3l4.5-4.5",
            Self::DrainEnd => "M8 14V3M3.5 7.2 8 2.7l4.5 4.5",
            Self::Failure => "M8 2v7.5M8 13.4v.2",
            Self::Recovery => "M2.5 8.5l3.6 3.6L13.5 4.5",
            Self::Added => "M8 2.5v11M2.5 8h11",
            Self::Removed => "M2.5 8h11",
            Self::Start => "M4 2.6 13 8 4 13.4z",
            Self::Stop => "M5 2.8v10.4M11 2.8v10.4",
            Self::Reload => "M2.5 3.5h11M2.5 8h11M2.5 12.5h11",
            Self::Alert(severity) => severity_mark::shape(severity),
            Self::AlertEnd => "M5.6 2.4h4.8l3.2 3.2v4.8l-3.2 3.2H5.6L2.4 10.4V5.6z",
            Self::Told => "M4 14V2.5h8.5L10.6 5.6 12.5 8.7H4",
        }
    }

    /// Whether its outline is filled.
    pub fn is_filled(self) -> bool {
        match self {
            Self::State(status) => !matches!(status, Status::Unreachable | Status::Unknown),
            Self::Alert(severity) => severity != Severity::Info,
            other => other == Self::Version,
        }
    }

    /// The state that gives it its colour.
    pub fn state(self) -> Option<Status> {
        match self {
            Self::State(status) => Some(status),
            Self::Alert(severity) => Some(severity_mark::colour(severity)),
            _ => None,
        }
    }

    /// What it is, for readers that do not see its shape.
    pub fn word(self) -> &'static str {
        match self {
            Self::State(status) => status.as_str(),
            Self::Restart => "restart",
            Self::Version => "version",
            Self::Drain | Self::DrainEnd => "draining",
            Self::Failure => "failed scrape",
            Self::Recovery => "answers again",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Start | Self::Stop | Self::Reload => "Fleetglass",
            Self::Alert(Severity::Critical) => "critical alert",
            Self::Alert(Severity::Warning) => "warning",
            Self::Alert(Severity::Info) => "notice",
            Self::AlertEnd => "alert over",
            Self::Told => "mark",
        }
    }
}

/// One or more marks that stand at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Where it stands.
    pub at: UnixMillis,
    /// Which of the marks.
    pub marks: Range<usize>,
}

/// The places of marks, whose times are in order, on an axis from `from` to `to` that is `width` pixels wide.
/// Marks outside of it have none.
pub fn pins(times: &[UnixMillis], from: UnixMillis, to: UnixMillis, width: f64) -> Vec<Pin> {
    let per_pixel = (to - from) as f64 / width.max(1.0);
    let apart = (per_pixel * APART) as i64;
    let mut all: Vec<Pin> = Vec::new();
    let within = times.iter().enumerate().filter(|(_, at)| (from..=to).contains(at));
    for (index, &at) in within {
        let mut pin = Pin { at, marks: index..index + 1 };
        // A pin that has taken a mark in stands elsewhere, and may be too near to the one before it by now.
        while let Some(before) = all.pop_if(|before| pin.at - before.at < apart) {
            pin.marks.start = before.marks.start;
            let (first, last) = (times[pin.marks.start], times[pin.marks.end - 1]);
            pin.at = first + (last - first) / 2;
        }
        all.push(pin);
    }
    all
}

/// The marks no farther than `reach` from a time.
pub fn near(marks: &[Mark], at: UnixMillis, reach: i64) -> &[Mark] {
    let first = marks.partition_point(|mark| mark.at < at - reach);
    let end = marks.partition_point(|mark| mark.at <= at + reach);
    &marks[first..end.max(first)]
}

/// The mark that stands for several: the worst state, else the first.
pub fn worst(marks: &[Mark]) -> Option<&Mark> {
    let states = marks.iter().filter(|mark| mark.sign.state().is_some());
    states.max_by_key(|mark| mark.sign.state()).or(marks.first())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(at: UnixMillis, sign: Sign) -> Mark {
        Mark { at, sign, words: String::new() }
    }

    #[test]
    fn near_marks_become_one_pin_and_what_is_outside_has_none() {
        // A pixel is 10 ms.
        let found = pins(&[-5, 0, 100, 310, 500, 1000, 1001], 0, 1000, 100.0);
        let found: Vec<_> = found.into_iter().map(|pin| (pin.at, pin.marks)).collect();
        assert_eq!(found, [(50, 1..3), (405, 3..5), (1000, 5..6)]);
        assert!(pins(&[], 0, 10, 100.0).is_empty());
        assert_eq!(pins(&[5, 6], 0, 10, 0.0).len(), 1);
    }

    #[test]
    fn no_more_pins_than_fit() {
        let times: Vec<i64> = (0..5000).collect();
        let found = pins(&times, 0, 5000, 320.0);
        assert!(
            found.windows(2).all(|two| (two[1].at - two[0].at) as f64 * 320.0 / 5000.0 > 19.0),
            "{found:?}"
        );
        assert!(found.len() <= 17, "{}", found.len());
        assert_eq!(found.iter().map(|pin| pin.marks.len()).sum::<usize>(), 5000);
    }

    #[test]
    fn the_crosshair_finds_what_is_near() {
        let marks = [10, 20, 30].map(|at| mark(at, Sign::Restart));
        assert_eq!(near(&marks, 22, 5).len(), 1);
        assert_eq!(near(&marks, 20, 10).len(), 3);
        assert!(near(&marks, 90, 10).is_empty() && near(&[], 0, 10).is_empty());
    }

    #[test]
    fn the_worst_stands_for_all() {
        let states =
            [Status::Healthy, Status::Unreachable, Status::Degraded].map(|s| mark(0, Sign::State(s)));
        assert_eq!(worst(&states).map(|mark| mark.sign), Some(Sign::State(Status::Unreachable)));
        let others = [mark(0, Sign::Reload), mark(1, Sign::Restart)];
        assert_eq!(worst(&others).map(|mark| mark.sign), Some(Sign::Reload));
        assert_eq!(worst(&[]), None);
    }
}
