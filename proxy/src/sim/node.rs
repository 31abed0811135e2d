//! One simulated node: who it is, and what it is like at a moment.

use super::family::Family;
use super::faults::{self, Fault, Hit, Power, Window};
use super::value;

/// A moment of the simulation. Simulated time may run faster than real time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Simulated seconds since the fleet was started.
    pub t: f64,
    /// Real Unix time at which it was started, in seconds.
    pub epoch: f64,
    /// Simulated seconds per real second.
    pub speed: f64,
}

impl Moment {
    /// Real Unix time, in seconds, at which it was, or will be, the simulated second `t`.
    pub fn unix_of(&self, t: f64) -> f64 {
        self.epoch + t / self.speed
    }

    /// Real Unix time now, in seconds.
    pub fn unix(&self) -> f64 {
        self.unix_of(self.t)
    }
}

/// Operators run both what the families' documents describe and what their code does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// As the monitoring document says.
    Document,
    /// As the public code does.
    Code,
}

/// What some nodes have and others have not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traits {
    /// Serves health answers beside metrics.
    pub health: bool,
    /// Serves metrics.
    pub metrics: bool,
    /// Metrics have a port of their own.
    pub split: bool,
    /// A staking exporter runs beside it.
    pub staking: bool,
    /// Runs a release that exposes more than the first one did.
    pub rich: bool,
}

/// A listener of a node, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// Health and metrics, the one that the target's URL names.
    Ops,
    /// DataMgmt's internal API.
    Internal,
    /// DataMgmt's external API.
    External,
    /// Metrics, where they have a port of their own.
    Metrics,
    /// GenLayer's staking exporter.
    Staking,
    /// Peer to peer: accepts connections and speaks no HTTP.
    Gossip,
}

/// Where a node stands.
#[derive(Debug, PartialEq)]
pub struct Place {
    /// In ids.
    pub city: &'static str,
    /// The `region` label.
    pub region: &'static str,
    /// The usual time to answer, in seconds.
    pub latency: f64,
}

/// One node.
#[derive(Clone, Debug)]
pub struct NodeModel {
    /// Unique in the fleet.
    pub id: String,
    /// Its family.
    pub family: Family,
    /// Which of its family, from 1.
    pub ordinal: u32,
    /// All its noise comes from this.
    pub key: u64,
    /// Which answers it gives.
    pub shape: Shape,
    /// What it has.
    pub traits: Traits,
    /// Where it stands.
    pub place: &'static Place,
    /// The `provider` label.
    pub provider: &'static str,
    /// The `env` label.
    pub env: &'static str,
    /// How long it had run when the fleet was started, in seconds.
    pub ran_for: f64,
    /// The version it ran then, by [`Family::version`].
    pub first_version: u32,
    /// What goes wrong with it.
    pub windows: Vec<Window>,
    /// Synthetic series to add to its metrics, for benches.
    pub pad: u32,
}

impl NodeModel {
    /// Its listeners, the one of the target's URL first.
    pub fn ports(&self) -> &'static [Port] {
        match (self.family, self.traits) {
            (Family::Paraloom, _) => &[Port::Ops, Port::Gossip],
            (Family::Decdn, Traits { split: true, .. }) => &[Port::Ops, Port::Metrics],
            (Family::DataMgmt, Traits { metrics: true, .. }) => {
                &[Port::Internal, Port::External, Port::Metrics]
            }
            (Family::DataMgmt, _) => &[Port::Internal, Port::External],
            (Family::GenLayer, Traits { staking: true, .. }) => &[Port::Ops, Port::Staking],
            _ => &[Port::Ops],
        }
    }

    /// Whether it can have a fault: not every release shows every one.
    pub fn can_have(&self, fault: Fault) -> bool {
        fault.applies_to(self.family)
            && match fault {
                Fault::BlacklistLag | Fault::WatchtowerLoss | Fault::SlashEvidence => {
                    self.shape == Shape::Document
                }
                Fault::BlocksBehind | Fault::PermitsZero => self.traits.rich,
                Fault::NotLive => self.traits.staking,
                _ => true,
            }
    }

    /// Whether connections to a port are accepted at `t`, and until when that stays so.
    pub fn door(&self, port: Port, t: f64) -> Door {
        let power = faults::power(&self.windows, t);
        let mut door = Door { open: power.up, next: power.next };
        for window in self.windows.iter().filter(|w| w.fault == Fault::NoOps && port == Port::Ops) {
            let hit = window.hit(t);
            door.open &= hit.is_none();
            let change = match hit {
                Some(hit) => t - hit.since + window.length,
                None if t < window.start => window.start,
                None => f64::INFINITY,
            };
            door.next = door.next.min(change);
        }
        door
    }

    /// The node at a moment.
    pub fn at(&self, moment: Moment) -> View<'_> {
        let power = faults::power(&self.windows, moment.t);
        let boot = power.boot.max(-self.ran_for);
        let origin = moment.epoch;
        View {
            node: self,
            moment,
            power,
            boot,
            load: value::load(self.key, origin + moment.t),
            busy: value::load_integral(self.key, origin + boot, origin + moment.t),
        }
    }
}

/// Whether connections are accepted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Door {
    /// They are.
    pub open: bool,
    /// When that changes next, in simulated seconds; infinite: never.
    pub next: f64,
}

/// A node at a moment: everything a dialect needs to answer.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The node.
    pub node: &'a NodeModel,
    /// The moment.
    pub moment: Moment,
    /// Whether it runs, and until when.
    pub power: Power,
    /// When its process was started, in simulated seconds.
    pub boot: f64,
    /// How busy it is, 1 on average.
    pub load: f64,
    /// Seconds at the average load since the process was started.
    busy: f64,
}

impl View<'_> {
    /// Seconds since the process was started.
    pub fn uptime(&self) -> f64 {
        (self.moment.t - self.boot).max(0.0)
    }

    /// The fault, if it is on.
    pub fn hit(&self, fault: Fault) -> Option<Hit> {
        self.node.windows.iter().filter(|w| w.fault == fault).find_map(|w| w.hit(self.moment.t))
    }

    /// How bad a fault is now, 0 (not on) to 1: worse over the first `rise` (a share) of its length.
    pub fn severity(&self, fault: Fault, rise: f64) -> f64 {
        self.hit(fault).map_or(0.0, |hit| hit.severity(rise))
    }

    /// For how many seconds of this process's life a fault has been on.
    pub fn suffered(&self, fault: Fault) -> f64 {
        let covered = |w: &Window| w.covered(self.moment.t) - w.covered(self.boot);
        self.node.windows.iter().filter(|w| w.fault == fault).map(covered).sum()
    }

    /// A counter that grows by `rate` a second at the average load; real-valued.
    pub fn total(&self, name: &str, rate: f64) -> f64 {
        let key = value::mix(self.node.key, value::name_key(name));
        (rate * (self.busy + value::counter_noise(key, self.boot, self.moment.t))).max(0.0)
    }

    /// A counter of whole events.
    pub fn count(&self, name: &str, rate: f64) -> f64 {
        self.total(name, rate).floor()
    }

    /// A gauge around `base` that wanders by up to `spread` (a share of it) and a little with the load.
    pub fn gauge(&self, name: &str, base: f64, spread: f64) -> f64 {
        let key = value::mix(self.node.key, value::name_key(name));
        let wander = value::wander(key, self.moment.epoch + self.moment.t);
        base * (1.0 + spread * (0.8 * wander + 0.2 * (self.load - 1.0)))
    }

    /// A constant of this node.
    pub fn fixed(&self, name: &str, low: f64, high: f64) -> f64 {
        value::between(value::mix(self.node.key, value::name_key(name)), low, high)
    }

    /// Connected peers around `base`: they come back within a minute after a start, and go in a loss.
    pub fn peers(&self, base: f64) -> f64 {
        let joined = (self.uptime() / 45.0).min(1.0);
        let kept = 1.0 - self.severity(Fault::PeerLoss, 0.1);
        (self.gauge("peers", base, 0.16) * joined * kept).round()
    }

    /// Bytes that a leak has taken so far.
    pub fn leaked(&self) -> f64 {
        self.hit(Fault::Leak).map_or(0.0, |hit| {
            let rate = if hit.length.is_finite() { 3.2e9 / hit.length } else { 5e5 };
            rate * hit.since.min(self.uptime())
        })
    }

    /// Observations of a latency-like histogram with the given bucket bounds: cumulative counts, sum
    /// and count. `slow` is a second group of observations, as an incident adds them.
    pub fn histogram(&self, name: &str, bounds: &[f64], main: Spread, slow: Spread) -> Observed {
        let usual = self.count(name, main.rate);
        let late = slow.seen.unwrap_or_else(|| self.count(name, slow.rate));
        let below = |x: f64| {
            (usual * value::share_below(x, main.median, SHAPE)).floor()
                + (late * value::share_below(x, slow.median, SHAPE)).floor()
        };
        Observed {
            cumulative: bounds.iter().map(|&bound| (bound, below(bound))).collect(),
            sum: usual * value::mean_of(main.median, SHAPE) + late * value::mean_of(slow.median, SHAPE),
            count: usual + late,
        }
    }

    /// The version that runs.
    pub fn version(&self) -> String {
        let rolled = self.node.windows.iter().filter(|w| w.fault == Fault::Rollout);
        let times: u32 = rolled.map(|w| w.begun(self.moment.t)).sum();
        self.node.family.version(self.node.first_version + times)
    }
}

/// How heavy the tail of latencies is; see [`value::share_below`].
const SHAPE: f64 = 2.6;

/// A group of observations of a histogram.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spread {
    /// Observations a second.
    pub rate: f64,
    /// Their median.
    pub median: f64,
    /// Their number, where it is not `rate` times the uptime.
    pub seen: Option<f64>,
}

impl Spread {
    /// No observations.
    pub const NONE: Self = Self { rate: 0.0, median: 1.0, seen: Some(0.0) };

    /// So many a second, around a median.
    pub fn new(rate: f64, median: f64) -> Self {
        Self { rate, median, seen: None }
    }

    /// So many in all.
    pub fn seen(count: f64, median: f64) -> Self {
        Self { rate: 0.0, median, seen: Some(count.floor()) }
    }
}

/// What a histogram has observed.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Upper bounds and how many lie at or below each.
    pub cumulative: Vec<(f64, f64)>,
    /// The sum of all.
    pub sum: f64,
    /// How many.
    pub count: f64,
}
