//! What must be remembered of a node between two rounds; small, and never needs a reset.

use std::collections::{BTreeMap, VecDeque};

use crate::health::{Reason, UnixMillis};

/// Restarts older than this no longer count.
const RESTART_WINDOW_MS: i64 = 15 * 60 * 1000;
/// A node that restarts more often in the window than this is counted no further.
const RESTARTS_KEPT: usize = 60;
/// Names remembered per kind, so that a node that invents names cannot fill the memory.
const NAMES_KEPT: usize = 64;
/// Clock and rounding slack when an uptime is compared with the time between two rounds.
const SLACK_SECONDS: f64 = 5.0;

/// The memory of one node.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    uptime: Option<(UnixMillis, f64)>,
    started: Option<f64>,
    restarts: VecDeque<UnixMillis>,
    check_times: BTreeMap<String, (String, UnixMillis)>,
    held: BTreeMap<String, UnixMillis>,
    rising: BTreeMap<String, Rise>,
    endpoints: BTreeMap<String, EndpointMemory>,
}

/// What is remembered of one endpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct EndpointMemory {
    /// It has answered before, so its silence is news even if it is optional.
    pub(crate) answered: bool,
    /// What it last said against the node, for a round in which it only asks for patience.
    pub(crate) reasons: Vec<Reason>,
    /// It last asked for the node to be taken out of traffic.
    pub(crate) draining: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rise {
    since: UnixMillis,
    from: f64,
    last: f64,
}

impl Memory {
    /// Takes note of an uptime; a process younger than the last look, or than it was, is a restart.
    pub(crate) fn see_uptime(&mut self, at: UnixMillis, seconds: f64) {
        if let Some((last_at, last)) = self.uptime {
            let elapsed = (at - last_at) as f64 / 1000.0;
            if seconds < last || seconds + SLACK_SECONDS < elapsed {
                self.restarted(at);
            }
        }
        self.uptime = Some((at, seconds));
    }

    /// Takes note of a process's start in Unix seconds; a later one is a restart.
    pub(crate) fn see_started(&mut self, at: UnixMillis, unix_seconds: f64) {
        if self.started.is_some_and(|last| unix_seconds > last + 1.0) {
            self.restarted(at);
        }
        self.started = Some(unix_seconds);
    }

    fn restarted(&mut self, at: UnixMillis) {
        // Uptime and start time tell of the same restart in the same round.
        if self.restarts.back() == Some(&at) {
            return;
        }
        self.restarts.push_back(at);
        if self.restarts.len() > RESTARTS_KEPT {
            self.restarts.pop_front();
        }
    }

    /// How many restarts the last 15 minutes saw, and when the last of them was.
    pub(crate) fn restarts(&mut self, now: UnixMillis) -> (u32, Option<UnixMillis>) {
        while self.restarts.front().is_some_and(|&at| now - at > RESTART_WINDOW_MS) {
            self.restarts.pop_front();
        }
        let count = u32::try_from(self.restarts.len()).expect("at most RESTARTS_KEPT are kept");
        (count, self.restarts.back().copied())
    }

    /// For how many milliseconds a check's time has stood still.
    pub(crate) fn check_still_for(&mut self, check: &str, time: &str, now: UnixMillis) -> i64 {
        match self.check_times.get_mut(check) {
            Some((last, since)) if last == time => now - *since,
            Some(entry) => {
                *entry = (time.to_owned(), now);
                0
            }
            None => {
                if self.check_times.len() < NAMES_KEPT {
                    self.check_times.insert(check.to_owned(), (time.to_owned(), now));
                }
                0
            }
        }
    }

    /// Whether a condition has held for `seconds`.
    pub(crate) fn held_for(&mut self, name: &str, holds: bool, seconds: u32, now: UnixMillis) -> bool {
        if !holds {
            self.held.remove(name);
            return false;
        }
        if !self.held.contains_key(name) && self.held.len() >= NAMES_KEPT {
            return false;
        }
        let since = *self.held.entry(name.to_owned()).or_insert(now);
        now - since >= i64::from(seconds) * 1000
    }

    /// Whether a value has risen, without falling once, over `seconds`.
    pub(crate) fn rising_for(&mut self, name: &str, value: f64, seconds: u32, now: UnixMillis) -> bool {
        if !self.rising.contains_key(name) && self.rising.len() >= NAMES_KEPT {
            return false;
        }
        let start = Rise { since: now, from: value, last: value };
        let rise = self.rising.entry(name.to_owned()).or_insert(start);
        if value < rise.last || (value == rise.last && rise.last == rise.from) {
            *rise = start;
            return false;
        }
        rise.last = value;
        value > rise.from && now - rise.since >= i64::from(seconds) * 1000
    }

    /// Whether an endpoint has ever given a usable answer.
    pub(crate) fn has_answered(&self, name: &str) -> bool {
        self.endpoints.get(name).is_some_and(|endpoint| endpoint.answered)
    }

    /// What is remembered of an endpoint.
    pub(crate) fn endpoint(&mut self, name: &str) -> &mut EndpointMemory {
        // Only names the family declares come here, so this is bounded by the family.
        self.endpoints.entry(name.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;

    const MINUTE: i64 = 60_000;

    #[test]
    fn an_uptime_that_goes_down_is_a_restart_and_three_in_15_minutes_are_counted() {
        let mut memory = Memory::default();
        for (minute, uptime) in [(0, 900.0), (1, 960.0), (2, 3.0), (3, 63.0), (4, 1.0), (5, 2.0)] {
            memory.see_uptime(minute * MINUTE, uptime);
        }
        assert_eq!(memory.restarts(5 * MINUTE), (3, Some(5 * MINUTE)));
        assert_eq!(memory.restarts(18 * MINUTE), (2, Some(5 * MINUTE)));
        assert_eq!(memory.restarts(60 * MINUTE), (0, None));
    }

    #[test]
    fn a_process_younger_than_the_last_look_has_restarted_even_if_its_uptime_grew() {
        let mut memory = Memory::default();
        memory.see_uptime(0, 10.0);
        memory.see_uptime(10 * MINUTE, 30.0);
        assert_eq!(memory.restarts(10 * MINUTE).0, 1);
    }

    #[test]
    fn uptime_and_start_time_of_one_round_tell_of_one_restart() {
        let mut memory = Memory::default();
        memory.see_uptime(0, 100.0);
        memory.see_started(0, 1000.0);
        memory.see_uptime(MINUTE, 5.0);
        memory.see_started(MINUTE, 1155.0);
        assert_eq!(memory.restarts(MINUTE).0, 1);
    }

    #[test]
    fn a_rise_is_told_after_its_time_and_a_fall_begins_anew() {
        let mut memory = Memory::default();
        let mut at = |minute: i64, value: f64| memory.rising_for("behind", value, 300, minute * MINUTE);
        assert!(!at(0, 0.0) && !at(1, 0.0) && !at(2, 1.0) && !at(5, 4.0));
        assert!(at(6, 5.0), "it has risen since minute 1");
        assert!(at(7, 5.0));
        assert!(!at(8, 2.0));
        assert!(!at(12, 3.0));
        assert!(at(13, 4.0));
    }

    #[test]
    fn a_node_that_invents_names_fills_no_memory() {
        let mut memory = Memory::default();
        for n in 0..1000 {
            memory.check_still_for(&format!("check-{n}"), "t", 0);
        }
        assert_eq!(memory.check_times.len(), super::NAMES_KEPT);
    }
}
