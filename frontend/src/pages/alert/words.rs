//! How an alert stands, in sentences. Pure.

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::{Alert, AlertState, Held, Others};

use crate::components::words::counted;
use crate::pages::alerts::silences::Silence;

/// `firing for 12 min, true for 14 min`.
pub fn stands(alert: &Alert, now: UnixMillis) -> String {
    let since = |at: UnixMillis| duration_ms(now - at);
    match (alert.state, alert.fired_at, alert.resolved_at) {
        (AlertState::Resolved, _, Some(at)) => format!("resolved {} ago", since(at)),
        (AlertState::Resolved, ..) => "resolved".to_owned(),
        (AlertState::Firing, Some(at), _) if at - alert.active_at >= 1000 => {
            format!("firing for {}, true for {}", since(at), since(alert.active_at))
        }
        (AlertState::Firing, ..) => format!("firing for {}", since(alert.active_at)),
        (AlertState::Pending, ..) => format!("pending, true for {}", since(alert.active_at)),
    }
}

/// What else must be known: a sentence each.
pub fn notes(alert: &Alert, silences: &[Silence], now: UnixMillis) -> Vec<String> {
    let mut notes = Vec::new();
    match alert.held {
        Some(Held::NoData) => notes.push(
            "Held: its node gives no data now, and nothing shows that the trouble is over. The value is the last one."
                .to_owned(),
        ),
        Some(Held::KeepFiring) => {
            notes.push("The condition is over; the rule keeps it firing a while longer.".to_owned());
        }
        None => {}
    }
    if let Some(flaps) = alert.flaps {
        notes.push(format!(
            "Flapping: it changed {} in the last hour, so its changes are not told one by one.",
            counted(flaps as usize, "time", "times")
        ));
    }
    if let Some(taken) = &alert.acknowledged {
        let until = match taken.until {
            Some(until) => format!("for another {}", duration_ms(until - now)),
            None => "until it is resolved".to_owned(),
        };
        let note = if taken.note.is_empty() { String::new() } else { format!(" “{}”", taken.note) };
        notes.push(format!("{} has it, {until}.{note}", taken.by));
    }
    for silence in silences.iter().filter(|silence| alert.silenced_by.contains(&silence.id)) {
        let why = if silence.comment.is_empty() { String::new() } else { format!(": {}", silence.comment) };
        notes.push(format!("Silenced by {}, {}{why}.", silence.by, silence.until(now)));
    }
    if !alert.inhibited_by.is_empty() {
        notes.push("Quiet, because another alert explains it.".to_owned());
    }
    if !alert.muted_by.is_empty() {
        let names = alert.muted_by.join(", ");
        notes.push(format!("Muted by maintenance {names}; if it still fires after that, it is told then."));
    }
    notes
}

/// "Mine or everyone's?"
pub fn whose(others: &Others) -> String {
    let all = counted(others.nodes as usize, "other node", "other nodes");
    match (others.alike.len(), others.nodes) {
        (_, 0) => "No other node of its family is watched, so there is nothing to compare with.".to_owned(),
        (0, _) => format!("This node's own: none of the {all} of its family has the same alert."),
        (some, of) if some as u32 == of => {
            format!("Everyone's: all {all} of its family have it too. Look for one cause.")
        }
        (some, of) if some as u32 * 2 >= of => {
            format!("Most of the family: {some} of the {all} have it too. Look for one cause.")
        }
        (some, _) => format!("Not this node alone: {some} of the {all} of its family have it too."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::alerts::tests::sample;

    #[test]
    fn how_it_stands() {
        let at = |own| stands(&sample(own), 600_000);
        assert_eq!(at(json!({"active_at": 0, "fired_at": 300_000})), "firing for 5 min, true for 10 min");
        assert_eq!(at(json!({"active_at": 0, "fired_at": 0})), "firing for 10 min");
        assert_eq!(at(json!({"active_at": 0, "state": "pending"})), "pending, true for 10 min");
        assert_eq!(at(json!({"state": "resolved", "resolved_at": 540_000})), "resolved 1 min ago");
    }

    #[test]
    fn what_else_must_be_known() {
        let alert = sample(json!({"held": "no_data", "flaps": 1,
            "acknowledged": {"by": "ada", "note": "on it", "at": 0}, "inhibited_by": ["x"]}));
        let notes = notes(&alert, &[], 0);
        assert_eq!(notes.len(), 4);
        assert!(notes[0].starts_with("Held: ") && notes[1].contains("1 time in the last hour"));
        assert_eq!(notes[2], "ada has it, until it is resolved. “on it”");
        assert!(super::notes(&sample(json!({})), &[], 0).is_empty());
    }

    #[test]
    fn mine_or_everyones() {
        let of = |nodes, alike: usize| whose(&Others { nodes, alike: vec![String::new(); alike] });
        assert!(of(0, 0).starts_with("No other node"));
        assert!(of(9, 0).starts_with("This node's own"));
        assert!(of(9, 2).starts_with("Not this node alone: 2 of the 9 other nodes"));
        assert!(of(9, 5).starts_with("Most of the family"));
        assert!(of(9, 9).starts_with("Everyone's"));
    }
}
