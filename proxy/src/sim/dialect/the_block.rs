//! The-Block nodes: several hundred series from a table of the public registry, upper-case names on
//! nodes that follow the document, and, as on real ones, metrics as the answer to any path.

use std::sync::LazyLock;

use super::super::exposition::{Exposition, Labels, Style};
use super::super::faults::Fault;
use super::super::node::{Shape, Spread, View};
use super::super::value::mix;
use super::{Answer, pad, rounded};

/// Name, type, labels, value, buckets and help of each metric; its head says how to read it.
static TABLE: &str = include_str!("the_block_metrics.tsv");

static METRICS: LazyLock<Vec<Metric>> =
    LazyLock::new(|| TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(Metric::parse).collect());

/// The buckets of the client library where a metric names none.
const DEFAULT_BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Metrics that the document names in capitals.
const UPPER: [&str; 8] = [
    "settle_applied_total",
    "settle_failed_total",
    "settle_mode_change_total",
    "slashing_burn_ct_total",
    "compute_sla_violations_total",
    "compute_sla_pending_total",
    "compute_sla_next_deadline_ts",
    "compute_sla_automated_slash_total",
];

/// One metric of the table.
struct Metric {
    name: &'static str,
    kind: &'static str,
    labels: Vec<(&'static str, Values)>,
    value: Model,
    buckets: Vec<f64>,
    help: &'static str,
}

/// Where the values of a label come from.
enum Values {
    /// The same on every node.
    Fixed(Vec<&'static str>),
    /// The node's own, by what they name: peers, providers, …
    Own(&'static str),
}

/// How a metric's value comes about.
enum Model {
    Counter(f64),
    Whole(f64, f64),
    Gauge(f64, f64),
    Constant(f64),
    Peers,
    UnixIn(f64),
    Boot,
    FirstOnly,
    Histogram(f64, f64),
}

impl Metric {
    fn parse(line: &'static str) -> Option<Self> {
        let mut columns = line.split('\t');
        let mut next = || columns.next();
        let (name, kind, labels, value, buckets, help) =
            (next()?, next()?, next()?, next()?, next()?, next()?);
        let labels = labels.split(';').filter(|text| !text.is_empty()).map(|text| {
            let (label, values) = text.split_once('=')?;
            Some((
                label,
                match values.strip_prefix('@') {
                    Some(own) => Values::Own(own),
                    None => Values::Fixed(values.split('|').collect()),
                },
            ))
        });
        let buckets: Option<Vec<f64>> = buckets.split_whitespace().map(|bound| bound.parse().ok()).collect();
        let buckets = buckets.filter(|bounds| !bounds.is_empty()).unwrap_or_else(|| DEFAULT_BUCKETS.to_vec());
        Some(Self {
            name,
            kind,
            labels: labels.collect::<Option<_>>()?,
            value: Model::parse(value)?,
            buckets,
            help,
        })
    }

    /// Every set of label values that `node` has.
    fn label_sets<'a>(&self, own: &'a OwnValues) -> Vec<Vec<(&'static str, &'a str)>> {
        self.labels.iter().fold(vec![Vec::new()], |sets, (label, values)| {
            let values: Vec<&str> = match values {
                Values::Fixed(values) => values.clone(),
                Values::Own(what) => own.of(what).iter().map(String::as_str).collect(),
            };
            let with = |set: &Vec<(&'static str, &'a str)>, value| {
                let mut set = set.clone();
                set.push((*label, value));
                set
            };
            sets.iter().flat_map(|set| values.iter().map(move |value| with(set, *value))).collect()
        })
    }
}

impl Model {
    fn parse(text: &str) -> Option<Self> {
        let (letter, rest) = text.split_at_checked(1)?;
        let number = |text: &str| text.parse::<f64>().ok();
        let pair = |mark| rest.split_once(mark).and_then(|(a, b)| Some((number(a)?, number(b)?)));
        Some(match letter {
            "r" => Self::Counter(number(rest)?),
            "i" => pair('~').map(|(base, spread)| Self::Whole(base, spread))?,
            "g" => pair('~').map(|(base, spread)| Self::Gauge(base, spread))?,
            "k" => Self::Constant(number(rest)?),
            "p" => Self::Peers,
            "t" => Self::UnixIn(number(rest)?),
            "b" => Self::Boot,
            "o" => Self::FirstOnly,
            "h" => pair('@').map(|(rate, median)| Self::Histogram(rate, median))?,
            _ => return None,
        })
    }
}

/// The label values that differ from node to node.
struct OwnValues {
    peers: Vec<String>,
    providers: Vec<String>,
    identities: Vec<String>,
    clients: Vec<String>,
    correlations: Vec<String>,
}

impl OwnValues {
    fn new(view: &View<'_>) -> Self {
        let hex = |kind: u64, n: u64| mix(mix(view.node.key, kind), n);
        let made = |kind: u64, count: u64, make: &dyn Fn(u64) -> String| {
            (0..count).map(|n| make(hex(kind, n))).collect()
        };
        Self {
            // A peer that left is still in the table, as it is on real nodes.
            peers: made(1, 6 + view.node.key % 7, &|key| base58(key, 16)),
            providers: made(2, 3, &|key| format!("prov-{:06x}", key >> 40)),
            identities: made(3, 4, &|key| format!("id-{:08x}", key >> 32)),
            clients: made(4, 3, &|key| {
                format!("10.{}.{}.{}", key % 16, (key >> 8) % 250, 1 + (key >> 16) % 250)
            }),
            correlations: made(5, 4, &|key| format!("{:012x}", key >> 16)),
        }
    }

    fn of(&self, what: &str) -> &[String] {
        match what {
            "peers" => &self.peers,
            "providers" => &self.providers,
            "identities" => &self.identities,
            "clients" => &self.clients,
            _ => &self.correlations,
        }
    }
}

/// An id as overlay ids look.
fn base58(mut key: u64, length: usize) -> String {
    const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let digit = |_| {
        let digit = DIGITS[(key % 58) as usize];
        key = mix(key, 58);
        char::from(digit)
    };
    (0..length).map(digit).collect()
}

pub(super) fn answer(view: &View<'_>) -> Answer {
    let own = OwnValues::new(view);
    let mut expo = Exposition::new(Style::Rust);
    for metric in METRICS.iter() {
        let name = spelled(view, metric.name);
        expo.family(&name, metric.kind, metric.help);
        for (index, labels) in metric.label_sets(&own).iter().enumerate() {
            write(view, &mut expo, metric, &name, labels, index == 0);
        }
    }
    pad(view, &mut expo);
    Answer::metrics(Style::Rust, expo)
}

/// The name as this node's release writes it.
fn spelled(view: &View<'_>, name: &str) -> String {
    match view.node.shape {
        Shape::Document if UPPER.contains(&name) => name.to_uppercase(),
        Shape::Code if name == "rent_escrow_locked_ct_total" && view.node.ordinal.is_multiple_of(2) => {
            "rent_escrow_locked_total".to_owned()
        }
        _ => name.to_owned(),
    }
}

fn write(
    view: &View<'_>,
    expo: &mut Exposition,
    metric: &Metric,
    name: &str,
    labels: Labels<'_>,
    first: bool,
) {
    let key = labels.iter().fold(metric.name.to_owned(), |key, (_, value)| key + value);
    // Label sets of one metric differ in size: the first is the largest.
    let share = if first { 1.0 } else { view.fixed(&key, 0.15, 0.8) };
    let value = match metric.value {
        Model::Counter(rate) => view.count(&key, rate * share) + incident(view, metric.name, labels),
        Model::Whole(base, spread) => {
            (view.gauge(&key, base, spread) + grown(view, metric.name)).round().max(0.0)
        }
        Model::Gauge(base, spread) => rounded(view.gauge(&key, base, spread), 4),
        Model::Constant(value) => value,
        Model::Peers => view.peers(view.fixed("peer base", 22.0, 48.0)),
        Model::UnixIn(seconds) => (view.moment.unix() + seconds * share).floor(),
        Model::Boot => view.moment.unix_of(view.boot).floor(),
        Model::FirstOnly => f64::from(first),
        Model::Histogram(rate, median) => {
            let slow = match metric.name {
                "gossip_convergence_seconds" => {
                    Spread::seen(4.0 * view.suffered(Fault::ConvergenceLag), 44.0)
                }
                _ => Spread::NONE,
            };
            let seen = view.histogram(&key, &metric.buckets, Spread::new(rate * share, median), slow);
            expo.histogram(name, labels, &seen.cumulative, rounded(seen.sum, 6), seen.count);
            return;
        }
    };
    expo.sample(name, labels, value);
}

/// What incidents add to a counter.
fn incident(view: &View<'_>, name: &str, labels: Labels<'_>) -> f64 {
    let is = |value: &str| labels.iter().any(|(_, v)| *v == value);
    let seconds = |fault, rate: f64| (view.suffered(fault) * rate).floor();
    match name {
        "read_denied_total" if is("limit") => seconds(Fault::ReadDenied, 6.5),
        "rpc_rate_limit_reject_total" => seconds(Fault::ReadDenied, 2.0),
        "gossip_peer_failure_total" if is("timeout") => {
            seconds(Fault::ConvergenceLag, 1.1) + seconds(Fault::PeerLoss, 2.3)
        }
        "fork_reorg_total" if is("1") => seconds(Fault::ConvergenceLag, 0.02),
        "quic_handshake_fail_total" if is("timeout") => seconds(Fault::PeerLoss, 0.3),
        _ => 0.0,
    }
}

/// What a leak adds to a gauge.
fn grown(view: &View<'_>, name: &str) -> f64 {
    match name {
        "telemetry_alloc_bytes" => view.leaked() * 0.3,
        "peer_metrics_memory_bytes" => view.leaked() * 0.1,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(METRICS.len(), lines);
        assert!(lines > 280, "{lines}");
    }
}
