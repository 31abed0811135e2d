//! How bad an alert is, as a shape in its colour, with the word beside it.

use fleetglass_shared::health::Status;
use fleetglass_shared::wire::{Alert, Severity};

use super::status_mark::state_class;
use crate::dom::{El, drawing, span};

/// The outline of a severity in a box of 16 × 16: an octagon, a triangle, a ring.
pub fn shape(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4L1.8 10.6V5.4z",
        Severity::Warning => "M8 2.2 14.4 13.4H1.6z",
        Severity::Info => "M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10z",
    }
}

/// The state whose colour it has.
pub fn colour(severity: Severity) -> Status {
    match severity {
        Severity::Critical => Status::Unreachable,
        Severity::Warning => Status::Degraded,
        Severity::Info => Status::Unknown,
    }
}

/// The class that gives a severity its colour: sets `--state`.
pub fn severity_class(severity: Severity) -> &'static str {
    state_class(colour(severity))
}

/// The shape alone; the word must stand beside it or in the label of what holds it.
pub fn severity_shape(severity: Severity) -> El {
    let open = if severity == Severity::Info { "mark mark-open" } else { "mark mark-full" };
    drawing(format!("{open} {}", severity_class(severity)), "0 0 16 16", shape(severity))
}

/// Shape and word, and the word of its rule where that is another one: `critical P1`.
pub fn severity_mark(alert: &Alert) -> El {
    let word = alert.severity.as_str();
    let own = alert.severity_text.trim();
    let other = !own.is_empty() && !own.eq_ignore_ascii_case(word);
    span("status severity")
        .class(format!("status severity {}", severity_class(alert.severity)))
        .child(severity_shape(alert.severity))
        .child(span("status-word").text(word))
        .maybe(other.then(|| span("severity-own").text(own.to_owned())))
}
