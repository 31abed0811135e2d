//! What a round makes of what was known of a node, and the events that tell of the difference. Pure: this is
//! the one place where a node's events are made.

use fleetglass_shared::{
    health::{FailureKind, Status, UnixMillis},
    wire::{EndpointDetail, EventKind},
};

use super::Observation;
use crate::state::{Draft, Known};

/// Clock and rounding slack when an uptime is compared with the time since the last look.
const SLACK_MS: f64 = 5_000.0;

/// What is known after a round, and what happened to bring that about.
pub(super) fn after(node: &str, before: &Known, seen: &Observation) -> (Known, Vec<Draft>) {
    let after = known(before, seen);
    let drafts = between(node, before, &after, seen);
    (after, drafts)
}

/// The node came into the fleet.
pub(super) fn added(node: &str, at: UnixMillis) -> Draft {
    Draft { text: "It came into the fleet".to_owned(), ..of(node, at, EventKind::Added) }
}

/// The node left the fleet.
pub(super) fn removed(node: &str, at: UnixMillis) -> Draft {
    Draft { text: "It left the fleet".to_owned(), ..of(node, at, EventKind::Removed) }
}

fn of(node: &str, at: UnixMillis, kind: EventKind) -> Draft {
    let nothing = String::new;
    Draft { at, node: Some(node.to_owned()), kind, from: nothing(), to: nothing(), text: nothing() }
}

fn known(before: &Known, seen: &Observation) -> Known {
    let normalised = &seen.normalised;
    let mut endpoints = before.endpoints.clone();
    // While nothing recognised the node, its own endpoints are not asked.
    if !seen.endpoints.is_empty() {
        endpoints.retain(|name, _| seen.endpoints.iter().any(|(_, endpoint)| endpoint.name == *name));
    }
    for (_, endpoint) in &seen.endpoints {
        match outcome(endpoint) {
            Outcome::Answers => {
                endpoints.insert(endpoint.name.clone(), None);
            }
            // One that never answered has not ceased to; a failure of another kind is the same one.
            Outcome::Fails(kind) => {
                if let Some(known) = endpoints.get_mut(&endpoint.name) {
                    known.get_or_insert(kind);
                }
            }
            Outcome::Absent => {
                endpoints.remove(&endpoint.name);
            }
            Outcome::SaysNothing => {}
        }
    }
    Known {
        status: normalised.status,
        draining: normalised.draining,
        version: normalised.version.clone().or_else(|| before.version.clone()),
        endpoints,
        away_since: before.away_since.filter(|_| normalised.uptime_seconds.is_none()),
    }
}

/// How an endpoint answered.
enum Outcome {
    Answers,
    Fails(FailureKind),
    /// The node has no such endpoint, and its family allows for that.
    Absent,
    /// It was not asked, or only asked for patience.
    SaysNothing,
}

fn outcome(endpoint: &EndpointDetail) -> Outcome {
    match (&endpoint.failure, endpoint.http_status) {
        (Some(failure), _) if failure.kind == FailureKind::RateLimited => Outcome::SaysNothing,
        (Some(failure), _) => Outcome::Fails(failure.kind),
        (None, Some(400..=499 | 501)) => Outcome::Absent,
        (None, Some(_)) => Outcome::Answers,
        (None, None) => Outcome::SaysNothing,
    }
}

fn between(node: &str, before: &Known, after: &Known, seen: &Observation) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let draft = |kind| of(node, seen.at, kind);
    if let Some(text) = restarted(before, seen) {
        drafts.push(Draft { text, ..draft(EventKind::Restart) });
    }
    if let (Some(from), Some(to)) = (&before.version, &after.version)
        && from != to
    {
        let text = format!("Version {from} became {to}");
        drafts.push(Draft { from: from.clone(), to: to.clone(), text, ..draft(EventKind::Version) });
    }
    for (name, now) in &after.endpoints {
        // One that answers for the first time is no news beside the node's state.
        let was = before.endpoints.get(name).copied().flatten();
        match (was, now) {
            (None, Some(kind)) => drafts.push(Draft {
                to: word(*kind),
                text: format!("{name} fails: {}", kind.as_words()),
                ..draft(EventKind::ScrapeFailure)
            }),
            (Some(kind), None) => drafts.push(Draft {
                from: word(kind),
                text: format!("{name} answers again; it failed: {}", kind.as_words()),
                ..draft(EventKind::ScrapeRecovery)
            }),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }
    if before.status != after.status {
        drafts.push(Draft {
            from: before.status.as_str().to_owned(),
            to: after.status.as_str().to_owned(),
            text: state_text(before.status, after.status, seen),
            ..draft(EventKind::State)
        });
    }
    if before.draining != after.draining {
        let (to, text) = match after.draining {
            true => ("draining", "It asks to be taken out of traffic"),
            false => ("", "It no longer asks to be taken out of traffic"),
        };
        drafts.push(Draft { to: to.to_owned(), text: text.to_owned(), ..draft(EventKind::Draining) });
    }
    drafts
}

/// Whether its process began anew: seen in this very round, or while nobody looked.
fn restarted(before: &Known, seen: &Observation) -> Option<String> {
    if seen.normalised.restarted_at == Some(seen.at) {
        return Some("It was started anew".to_owned());
    }
    let age_ms = seen.normalised.uptime_seconds? * 1000.0;
    let unseen_ms = seen.at.saturating_sub(before.away_since?) as f64;
    (age_ms + SLACK_MS < unseen_ms).then(|| "It was started anew while Fleetglass did not look".to_owned())
}

fn state_text(from: Status, to: Status, seen: &Observation) -> String {
    let worst = seen.normalised.reasons.first();
    match (to, worst) {
        (Status::Healthy, _) if from == Status::Unknown => "Healthy".to_owned(),
        (Status::Healthy, _) => "Healthy again".to_owned(),
        (_, Some(reason)) => format!("{}: {}", capital(to), reason.text),
        (_, None) => capital(to),
    }
}

fn capital(status: Status) -> String {
    let (first, rest) = status.as_str().split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

/// The kind of a failure as the API writes it everywhere.
fn word(kind: FailureKind) -> String {
    serde_json::to_value(kind).ok().and_then(|word| Some(word.as_str()?.to_owned())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use fleetglass_shared::{
        family::{EndpointRole, Normalised},
        health::{Reason, ScrapeFailure},
    };

    use super::*;

    fn seen(at: UnixMillis, status: Status, endpoints: &[(&str, Option<FailureKind>)]) -> Observation {
        let reason = Reason { code: "x".into(), text: "Because".into(), status };
        let detail = |name: &str, kind: Option<FailureKind>| EndpointDetail {
            name: name.to_owned(),
            url: String::new(),
            kind: "json".to_owned(),
            asked_at: Some(at),
            answered_at: None,
            http_status: kind.is_none().then_some(200),
            duration_seconds: None,
            samples: None,
            failure: kind.map(|kind| ScrapeFailure {
                endpoint: name.to_owned(),
                kind,
                message: "secret address".to_owned(),
                at,
            }),
        };
        Observation {
            at,
            family: None,
            family_note: String::new(),
            normalised: Normalised {
                status,
                draining: false,
                reasons: vec![reason],
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
                failures: Vec::new(),
                warnings: Vec::new(),
                answered: true,
            },
            endpoints: endpoints
                .iter()
                .map(|&(name, kind)| (EndpointRole::Other, detail(name, kind)))
                .collect(),
            risks: Vec::new(),
        }
    }

    /// What happens from round to round, as `kind from→to text`.
    fn story(rounds: &[Observation]) -> Vec<String> {
        let mut known = Known::default();
        let mut lines = Vec::new();
        for round in rounds {
            let (next, drafts) = after("a", &known, round);
            for draft in drafts {
                assert_eq!((draft.at, draft.node.as_deref()), (round.at, Some("a")));
                let Draft { kind, from, to, text, .. } = draft;
                lines.push(format!("{} {} {from}→{to} {text}", round.at, kind.as_str()));
            }
            known = next;
        }
        lines
    }

    #[test]
    fn only_what_changes_is_told_and_in_the_round_that_saw_it() {
        let down = Some(FailureKind::ConnectionRefused);
        let rounds = [
            seen(1, Status::Healthy, &[("health", None)]),
            seen(2, Status::Healthy, &[("health", None)]),
            seen(3, Status::Unreachable, &[("health", down)]),
            seen(4, Status::Unreachable, &[("health", Some(FailureKind::Timeout))]),
            seen(5, Status::Healthy, &[("health", None)]),
        ];
        assert_eq!(
            story(&rounds),
            [
                "1 state unknown→healthy Healthy",
                "3 scrape_failure →connection-refused health fails: connection refused",
                "3 state healthy→unreachable Unreachable: Because",
                "5 scrape_recovery connection-refused→ health answers again; it failed: connection refused",
                "5 state unreachable→healthy Healthy again",
            ]
        );
    }

    #[test]
    fn an_endpoint_that_never_answered_and_one_that_asks_for_patience_do_not_fail() {
        let refused = Some(FailureKind::ConnectionRefused);
        let patience = Some(FailureKind::RateLimited);
        let mut absent = seen(0, Status::Healthy, &[("extra", None)]);
        absent.endpoints[0].1.http_status = Some(404);
        let rounds = [
            absent,
            seen(1, Status::Healthy, &[("health", None), ("extra", refused)]),
            seen(2, Status::Healthy, &[("health", patience), ("extra", refused)]),
            // Nothing recognises it any more; what its endpoints did is not forgotten.
            seen(3, Status::Healthy, &[]),
            seen(4, Status::Healthy, &[("health", refused), ("extra", refused)]),
        ];
        assert_eq!(
            story(&rounds),
            [
                "0 state unknown→healthy Healthy",
                "4 scrape_failure →connection-refused health fails: connection refused"
            ]
        );
    }

    #[test]
    fn versions_draining_and_restarts() {
        let round = |at, version: Option<&str>, draining, restarted_at| {
            let mut round = seen(at, Status::Unknown, &[]);
            round.normalised.version = version.map(str::to_owned);
            round.normalised.draining = draining;
            round.normalised.restarted_at = restarted_at;
            round
        };
        let rounds = [
            round(1, Some("1.0"), false, None),
            round(2, None, true, None),
            round(3, Some("1.1"), true, Some(3)),
            round(4, Some("1.1"), false, Some(3)),
        ];
        assert_eq!(
            story(&rounds),
            [
                "2 draining →draining It asks to be taken out of traffic",
                "3 restart → It was started anew",
                "3 version 1.0→1.1 Version 1.0 became 1.1",
                "4 draining → It no longer asks to be taken out of traffic",
            ]
        );
    }

    #[test]
    fn a_process_younger_than_the_last_look_was_started_anew_meanwhile() {
        let away = Known { away_since: Some(1_000_000), ..Known::default() };
        let look = |uptime| {
            let mut round = seen(1_100_000, Status::Unknown, &[]);
            round.normalised.uptime_seconds = uptime;
            let (known, drafts) = after("a", &away, &round);
            (drafts.len(), known.away_since)
        };
        assert_eq!(look(Some(30.0)), (1, None));
        assert_eq!(look(Some(98.0)), (0, None), "within the slack of clocks");
        assert_eq!(look(Some(5_000.0)), (0, None));
        assert_eq!(look(None), (0, Some(1_000_000)), "it will say so later");
    }
}
