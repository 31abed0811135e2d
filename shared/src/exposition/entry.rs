//! What the lines of an exposition say.

use std::borrow::Cow;

use super::labels;

/// One line, or what it stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry<'a> {
    /// `# HELP`.
    Help {
        /// The metric family.
        metric: Cow<'a, str>,
        /// Unescaped.
        help: Cow<'a, str>,
    },
    /// `# TYPE`.
    Type {
        /// The metric family.
        metric: Cow<'a, str>,
        /// Its type.
        kind: MetricKind,
    },
    /// `# UNIT`, in OpenMetrics only.
    Unit {
        /// The metric family.
        metric: Cow<'a, str>,
        /// May be empty.
        unit: Cow<'a, str>,
    },
    /// Any other line that starts with `#`, in Prometheus text only; from its `#`, bad UTF-8 replaced.
    Comment(Cow<'a, str>),
    /// A sample.
    Sample(Sample<'a>),
    /// `# EOF`, in OpenMetrics only.
    Eof,
}

/// A metric family's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// Only rises, or starts again.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Cumulative buckets of events so far.
    Histogram,
    /// Cumulative buckets of what is now.
    GaugeHistogram,
    /// Quantiles made by the exposer.
    Summary,
    /// Facts in labels, value 1.
    Info,
    /// One series a state, value 0 or 1.
    StateSet,
    /// Not said, `untyped` in Prometheus text.
    Unknown,
}

impl MetricKind {
    /// The OpenMetrics word, which is also the one Prometheus's metadata API answers with.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
        }
    }
}

/// Label names with their values, unescaped, in the order written.
pub type LabelPairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// One sample. Everything borrows from the body.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<'a> {
    /// `name{labels}` exactly as written, without the spaces around it.
    pub series: &'a str,
    /// The value.
    pub value: f64,
    /// The value as written: integers beyond 2⁵³ are exact only here.
    pub value_text: &'a str,
    /// Unix milliseconds, where the line gives a time.
    pub timestamp: Option<i64>,
    /// The exemplar, in OpenMetrics only.
    pub exemplar: Option<Exemplar<'a>>,
}

impl<'a> Sample<'a> {
    /// The metric name and the labels, unescaped, in the order written. Read anew on each call: callers
    /// that meet the same [`Sample::series`] again keep the answer.
    pub fn name_and_labels(&self) -> (Cow<'a, str>, LabelPairs<'a>) {
        labels::split_series(self.series)
    }
}

/// An exemplar: one event that a counter or bucket counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exemplar<'a> {
    /// `{labels}` as written, braces included.
    pub labels: &'a str,
    /// The event's value.
    pub value: f64,
    /// Unix milliseconds, where given.
    pub timestamp: Option<i64>,
}

impl<'a> Exemplar<'a> {
    /// The labels, unescaped, in the order written.
    pub fn label_pairs(&self) -> LabelPairs<'a> {
        labels::split_series(self.labels).1
    }
}
