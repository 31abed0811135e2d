//! What is said of a node of `family = "auto"` while nothing recognised it.

use fleetglass_shared::{
    family::Normalised,
    health::{Reason, ScrapeFailure, Status, UnixMillis},
};

use super::ask::Reply;
use crate::fleet::Observation;

/// Unreachable when nothing answered at all, else unknown: it answers, but not as any family does.
pub(super) fn observation(replies: &[Reply], at: UnixMillis) -> Observation {
    let failures: Vec<_> =
        replies.iter().filter_map(|reply| Some((reply, reply.outcome.as_ref().err()?))).collect();
    let first = failures.iter().find(|(_, failure)| failure.kind.is_unreachable());
    let (status, code, text) = match first {
        Some((_, failure)) if failures.len() == replies.len() => {
            (Status::Unreachable, "no-answer", format!("No answer ({})", failure.kind.as_words()))
        }
        _ => (
            Status::Unknown,
            "not-recognised",
            "It answers, but not as a node of a known family does; name its family in the config".to_owned(),
        ),
    };
    let failures = failures.iter().take(4).map(|(reply, failure)| ScrapeFailure {
        endpoint: reply.endpoint.name.clone(),
        kind: failure.kind,
        message: failure.message.clone(),
        at,
    });
    let normalised = Normalised {
        status,
        draining: false,
        reasons: vec![Reason { code: code.to_owned(), text, status }],
        facts: Vec::new(),
        checks: Vec::new(),
        peers: None,
        version: None,
        uptime_seconds: None,
        restarts: 0,
        restarted_at: None,
        spark: None,
        series: Vec::new(),
        missing: Vec::new(),
        failures: failures.collect(),
        warnings: Vec::new(),
        answered: false,
    };
    Observation {
        at,
        family: None,
        family_note: "not recognised so far".to_owned(),
        normalised,
        endpoints: Vec::new(),
        risks: Vec::new(),
    }
}
