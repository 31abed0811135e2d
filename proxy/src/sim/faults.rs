//! What can go wrong with a simulated node, and when: windows in time, each a pure function of the
//! seconds since the fleet was started.

pub mod schedule;
pub mod spec;

use super::family::Family;
use Family::{DataMgmt, Decdn, GenLayer, Paraloom, TheBlock};

/// How long a node is down when it restarts, in seconds.
const RESTART: f64 = 3.0;
/// A crash-loop: down for this long …
const CRASH_DOWN: f64 = 8.0;
/// … of each cycle of this length, in seconds.
const CRASH_CYCLE: f64 = 30.0;

/// One way to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Nothing listens.
    Down,
    /// Down, up for a moment, down again; uptime starts anew each time.
    CrashLoop,
    /// Accepts connections and does not answer.
    Stall,
    /// Answers after seconds.
    Slow,
    /// Expositions that are not, and JSON cut in half.
    Malformed,
    /// Closes the connection in the middle of the body.
    Cut,
    /// A reverse proxy's HTML error page with status 502.
    ErrorPage,
    /// Peers go away.
    PeerLoss,
    /// Memory grows until the process is killed and restarted.
    Leak,
    /// A new version, installed node by node.
    Rollout,
    /// The event loop hangs: `/health` says 503.
    LoopStalled,
    /// No operations endpoint, only the gossip port.
    NoOps,
    /// The time since the last blacklist poll climbs past 300 and 600 s.
    BlacklistLag,
    /// Watchtowers go away: degraded.
    WatchtowerLoss,
    /// Probe-hold slots fill up.
    ProbeSaturation,
    /// The node found evidence against itself.
    SlashEvidence,
    /// The advertised rate was clamped to the governance bounds.
    RateClamp,
    /// The internal API is degraded while the external one is healthy.
    Disagree,
    /// The internal API answers 503 with an error.
    Unhealthy,
    /// `429` with `Retry-After` on everything but `/health`.
    RateLimit,
    /// One check's timestamp stands still while it says `up`.
    StaleCheck,
    /// One check is down, and the node with it.
    CheckDown,
    /// Blocks behind rises.
    BlocksBehind,
    /// No permits left.
    PermitsZero,
    /// Not live, and out of the active set.
    NotLive,
    /// Gossip takes half a minute to converge.
    ConvergenceLag,
    /// Reads are denied at a high rate.
    ReadDenied,
}

const ALL: &[Family] = &Family::ALL;

/// Every fault: its name in a SPEC, and the families that can have it.
pub const FAULTS: [(Fault, &str, &[Family]); 27] = [
    (Fault::Down, "down", ALL),
    (Fault::CrashLoop, "crash-loop", ALL),
    (Fault::Stall, "stall", ALL),
    (Fault::Slow, "slow", ALL),
    (Fault::Malformed, "malformed", ALL),
    (Fault::Cut, "cut", ALL),
    (Fault::ErrorPage, "error-page", ALL),
    (Fault::PeerLoss, "peer-loss", &[Paraloom, Decdn, DataMgmt, TheBlock]),
    (Fault::Leak, "leak", &[GenLayer, TheBlock]),
    (Fault::Rollout, "rollout", &[Paraloom, Decdn, DataMgmt, GenLayer]),
    (Fault::LoopStalled, "loop-stalled", &[Paraloom]),
    (Fault::NoOps, "no-ops", &[Paraloom]),
    (Fault::BlacklistLag, "blacklist-lag", &[Decdn]),
    (Fault::WatchtowerLoss, "watchtower-loss", &[Decdn]),
    (Fault::ProbeSaturation, "probe-saturation", &[Decdn]),
    (Fault::SlashEvidence, "slash-evidence", &[Decdn]),
    (Fault::RateClamp, "rate-clamp", &[Decdn]),
    (Fault::Disagree, "disagree", &[DataMgmt]),
    (Fault::Unhealthy, "unhealthy", &[DataMgmt]),
    (Fault::RateLimit, "rate-limit", &[DataMgmt]),
    (Fault::StaleCheck, "stale-check", &[GenLayer]),
    (Fault::CheckDown, "check-down", &[GenLayer]),
    (Fault::BlocksBehind, "blocks-behind", &[GenLayer]),
    (Fault::PermitsZero, "permits-zero", &[GenLayer]),
    (Fault::NotLive, "not-live", &[GenLayer]),
    (Fault::ConvergenceLag, "convergence-lag", &[TheBlock]),
    (Fault::ReadDenied, "read-denied", &[TheBlock]),
];

impl Fault {
    /// Its name in a SPEC.
    pub fn name(self) -> &'static str {
        FAULTS.iter().find(|(fault, ..)| *fault == self).map_or("", |(_, name, _)| name)
    }

    /// The fault a name stands for.
    pub fn parse(name: &str) -> Option<Self> {
        FAULTS.iter().find(|(_, known, _)| *known == name).map(|(fault, ..)| *fault)
    }

    /// Whether a family's nodes can have it.
    pub fn applies_to(self, family: Family) -> bool {
        FAULTS.iter().any(|(fault, _, families)| *fault == self && families.contains(&family))
    }

    /// Whether the node is restarted when the fault ends, which clears what it had counted.
    fn ends_with_restart(self) -> bool {
        matches!(self, Self::Leak | Self::SlashEvidence | Self::RateClamp)
    }
}

/// When one node has one fault. Times are seconds since the fleet was started.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// What goes wrong.
    pub fault: Fault,
    /// From when.
    pub start: f64,
    /// For how long; infinite: until the end.
    pub length: f64,
    /// It comes again after so long; infinite: once.
    pub period: f64,
}

/// A fault that is on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// For how many seconds.
    pub since: f64,
    /// How much of it has passed: 0 to 1, and 0 for one without an end.
    pub progress: f64,
    /// Of how many seconds.
    pub length: f64,
}

impl Hit {
    /// How bad it is now, 0 to 1: worse over the first `rise` of it, better again over the last 15 %.
    pub fn severity(&self, rise: f64) -> f64 {
        let length = if self.length.is_finite() { self.length } else { 120.0 };
        let up = (self.since / (rise * length)).min(1.0);
        let down = ((1.0 - self.progress) / 0.15).min(1.0);
        up.min(down)
    }
}

/// Whether a node's process runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// It runs.
    pub up: bool,
    /// When it was last started; negative infinity: not since the fleet was started.
    pub boot: f64,
    /// When that changes next; infinite: never.
    pub next: f64,
}

impl Window {
    /// The repetition that is on at `t`.
    pub fn hit(&self, t: f64) -> Option<Hit> {
        let since = t - self.begin(t)?;
        let progress = if self.length.is_finite() { since / self.length } else { 0.0 };
        (since < self.length).then_some(Hit { since, progress, length: self.length })
    }

    /// For how many seconds it was on until `t`.
    pub fn covered(&self, t: f64) -> f64 {
        let Some(begin) = self.begin(t) else { return 0.0 };
        let whole =
            if self.period.is_finite() { (begin - self.start) / self.period * self.length } else { 0.0 };
        whole + (t - begin).min(self.length)
    }

    /// How many repetitions have begun at `t`.
    pub fn begun(&self, t: f64) -> u32 {
        match self.begin(t) {
            None => 0,
            Some(_) if !self.period.is_finite() => 1,
            Some(begin) => ((begin - self.start) / self.period).round() as u32 + 1,
        }
    }

    /// When the latest repetition that has begun at `t` began.
    fn begin(&self, t: f64) -> Option<f64> {
        if t < self.start {
            return None;
        }
        if !self.period.is_finite() {
            return Some(self.start);
        }
        Some(self.start + ((t - self.start) / self.period).floor() * self.period)
    }

    /// Adds to `power` what this window does to the process at `t`.
    fn apply(&self, t: f64, power: &mut Power) {
        let repetition = self.begin(t);
        let following = match repetition {
            None => self.start,
            Some(begin) => begin + self.period,
        };
        // The one before may still reach into now with its closing restart.
        let before = repetition.map(|begin| begin - self.period).filter(|&begin| begin >= self.start);
        for begin in [before, repetition, Some(following)].into_iter().flatten() {
            if begin.is_finite() {
                self.apply_one(begin, t, power);
            }
        }
    }

    fn apply_one(&self, begin: f64, t: f64, power: &mut Power) {
        let end = begin + self.length;
        let outage = |from: f64, to: f64, power: &mut Power| {
            if t < from {
                power.next = power.next.min(from);
            } else if t < to {
                power.up = false;
                power.next = power.next.min(to);
            } else {
                power.boot = power.boot.max(to);
            }
        };
        match self.fault {
            Fault::Down => outage(begin, end, power),
            Fault::Rollout => outage(begin, begin + RESTART, power),
            Fault::CrashLoop => {
                let cycle = ((t.min(end) - begin) / CRASH_CYCLE).floor().max(0.0);
                for n in [cycle - 1.0, cycle, cycle + 1.0] {
                    let from = begin + n * CRASH_CYCLE;
                    if n >= 0.0 && from < end {
                        outage(from, (from + CRASH_DOWN).min(end), power);
                    }
                }
            }
            fault if fault.ends_with_restart() && end.is_finite() => outage(end, end + RESTART, power),
            _ => {}
        }
    }
}

/// What a node's windows do to its process at `t`.
pub fn power(windows: &[Window], t: f64) -> Power {
    let mut power = Power { up: true, boot: f64::NEG_INFINITY, next: f64::INFINITY };
    for window in windows {
        window.apply(t, &mut power);
    }
    power
}

#[cfg(test)]
mod tests {
    use super::*;

    fn once(fault: Fault, start: f64, length: f64) -> Window {
        Window { fault, start, length, period: f64::INFINITY }
    }

    #[test]
    fn a_window_is_on_from_its_start_until_its_end_and_comes_again() {
        let window = Window { fault: Fault::Stall, start: 10.0, length: 20.0, period: 100.0 };
        for (t, on) in
            [(9.9, false), (10.0, true), (29.9, true), (30.0, false), (115.0, true), (131.0, false)]
        {
            assert_eq!(window.hit(t).is_some(), on, "at {t}");
        }
        assert_eq!(window.hit(120.0).map(|hit| hit.progress), Some(0.5));
        assert_eq!(window.covered(5.0), 0.0);
        assert_eq!(window.covered(20.0), 10.0);
        assert_eq!(window.covered(115.0), 25.0);
    }

    #[test]
    fn a_node_that_is_down_starts_anew_when_it_comes_back() {
        let windows = [once(Fault::Down, 10.0, 20.0)];
        assert_eq!(power(&windows, 5.0), Power { up: true, boot: f64::NEG_INFINITY, next: 10.0 });
        assert_eq!(power(&windows, 15.0), Power { up: false, boot: f64::NEG_INFINITY, next: 30.0 });
        assert_eq!(power(&windows, 35.0), Power { up: true, boot: 30.0, next: f64::INFINITY });
    }

    #[test]
    fn a_crash_loop_restarts_every_cycle_and_recovers() {
        for window in [once(Fault::CrashLoop, 10.0, 95.0), once(Fault::CrashLoop, 10.0, f64::INFINITY)] {
            let windows = [window];
            assert!(!power(&windows, 10.0).up);
            assert_eq!(power(&windows, 20.0), Power { up: true, boot: 18.0, next: 40.0 });
            assert_eq!(power(&windows, 41.0).next, 48.0);
            assert_eq!(power(&windows, 60.0).boot, 48.0);
        }
        let over = power(&[once(Fault::CrashLoop, 10.0, 95.0)], 500.0);
        assert_eq!(over, Power { up: true, boot: 105.0, next: f64::INFINITY });
    }

    #[test]
    fn evidence_is_gone_after_the_restart_that_ends_it() {
        let windows = [once(Fault::SlashEvidence, 10.0, 20.0)];
        assert!(power(&windows, 20.0).up);
        assert!(!power(&windows, 31.0).up);
        assert_eq!(power(&windows, 40.0).boot, 33.0);
    }

    #[test]
    fn the_next_change_is_where_the_state_changes() {
        let windows = [
            Window { fault: Fault::CrashLoop, start: 7.0, length: 70.0, period: 200.0 },
            Window { fault: Fault::Down, start: 60.0, length: 30.0, period: 150.0 },
            Window { fault: Fault::Leak, start: 0.0, length: 99.0, period: 120.0 },
        ];
        let mut t = 0.0;
        while t < 1_000.0 {
            let now = power(&windows, t);
            let step = t + 0.5;
            if step < now.next {
                assert_eq!(power(&windows, step).up, now.up, "between {t} and {}", now.next);
            }
            assert!(now.next > t && now.boot <= t);
            t = step;
        }
    }

    #[test]
    fn every_fault_has_one_name() {
        for (fault, name, families) in FAULTS {
            assert_eq!(Fault::parse(name), Some(fault));
            assert_eq!(fault.name(), name);
            assert!(!families.is_empty());
        }
    }
}
