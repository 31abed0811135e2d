//! What a round of asking a node came to: the input of the mapping engine.

use crate::health::{Check, Fact, Reason, ScrapeFailure, Status, UnixMillis};

/// One round: every endpoint of one node, asked at one instant.
#[derive(Clone, Copy)]
pub struct Round<'a> {
    /// When it was asked.
    pub at: UnixMillis,
    /// How often it is asked.
    pub interval_ms: u64,
    /// How each endpoint answered.
    pub answers: &'a [EndpointAnswer<'a>],
}

/// How one endpoint answered.
pub struct EndpointAnswer<'a> {
    /// Its name in the family.
    pub endpoint: &'a str,
    /// An answer of any HTTP status, or why there was none.
    pub outcome: Result<Answer<'a>, ScrapeFailure>,
}

/// An HTTP answer.
pub struct Answer<'a> {
    /// Its status code.
    pub http_status: u16,
    /// What it holds.
    pub body: Body<'a>,
    /// How long it took.
    pub duration_seconds: f64,
}

/// The body of an answer.
pub enum Body<'a> {
    /// As it came, for endpoints of kind `json` and `text`.
    Bytes(&'a [u8]),
    /// The parsed exposition, for endpoints of kind `metrics`.
    Metrics(&'a dyn MetricLookup),
}

/// One sample of an exposition.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Its labels, without the name.
    pub labels: &'a [(&'a str, &'a str)],
    /// Its value.
    pub value: f64,
    /// Its value as written, where that is known: a big integer is exact only there. Else empty.
    pub text: &'a str,
}

impl<'a> Sample<'a> {
    /// A label's value.
    pub fn label(&self, name: &str) -> Option<&'a str> {
        self.labels.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }
}

/// The samples of an exposition, by name. The scraper implements it over what it has parsed.
pub trait MetricLookup {
    /// Calls `visit` for every sample of exactly this name (a counter's with `_total`).
    fn for_each(&self, metric: &str, visit: &mut dyn FnMut(Sample<'_>));

    /// Calls `visit` for every sample name, in any order, repeats allowed.
    fn for_each_name(&self, visit: &mut dyn FnMut(&str));

    /// Whether there is a sample of exactly this name.
    fn has(&self, metric: &str) -> bool {
        let mut found = false;
        self.for_each(metric, &mut |_| found = true);
        found
    }
}

/// A derived series: one sample to store beside those the node exposes.
#[derive(Clone, Debug, PartialEq)]
pub struct DerivedSeries {
    /// The metric's name.
    pub name: String,
    /// Its labels, without `instance` and `job`.
    pub labels: Vec<(String, String)>,
    /// The sample.
    pub value: f64,
    /// `gauge` or `counter`.
    pub kind: &'static str,
    /// The HELP text.
    pub help: String,
    /// The unit word; may be empty.
    pub unit: String,
}

/// What a round means.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalised {
    /// How the node is.
    pub status: Status,
    /// It asks to be taken out of traffic.
    pub draining: bool,
    /// Why, the worst first.
    pub reasons: Vec<Reason>,
    /// What it said, in the family's order, unknown fields last.
    pub facts: Vec<Fact>,
    /// Its named checks.
    pub checks: Vec<Check>,
    /// Connected peers.
    pub peers: Option<u64>,
    /// The software version.
    pub version: Option<String>,
    /// Process uptime.
    pub uptime_seconds: Option<f64>,
    /// Restarts seen in the last 15 minutes.
    pub restarts: u32,
    /// When the last of them was seen.
    pub restarted_at: Option<UnixMillis>,
    /// The value of the family's sparkline.
    pub spark: Option<f64>,
    /// Samples to store beside those the node exposes.
    pub series: Vec<DerivedSeries>,
    /// Mandatory metrics the node does not expose.
    pub missing: Vec<String>,
    /// Endpoints that gave nothing usable, one entry each.
    pub failures: Vec<ScrapeFailure>,
    /// Faults that were read over, e.g. a field of a wrong type.
    pub warnings: Vec<ScrapeFailure>,
    /// At least one endpoint gave a usable answer.
    pub answered: bool,
}
