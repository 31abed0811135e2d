//! What the grammar cannot say: which lines belong together, in which order, with which values.
//!
//! A check never stops the parser by itself. It gives a fault; strict mode makes that an error, lenient
//! mode a warning, and the check goes on from there.

mod histogram;
mod open;
mod text;

use std::borrow::Cow;

use super::Format;
use super::entry::MetricKind;
use super::error::Fault;
use super::number::Stamp;

/// A sample as far as its meaning goes.
pub(super) struct Facts<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: f64,
    pub(super) stamp: Option<Stamp>,
    pub(super) has_exemplar: bool,
    /// Byte offset of the series.
    pub(super) at: usize,
    /// Byte offset of the value.
    pub(super) value_at: usize,
}

/// The rules of either format, with what they remember of the body so far.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "the parser keeps its only one in a box")]
pub(super) enum Meaning {
    Open(open::Rules),
    Text(text::Rules),
}

impl Meaning {
    pub(super) fn new(format: Format) -> Self {
        match format {
            Format::OpenMetrics => Self::Open(open::Rules::default()),
            Format::PrometheusText => Self::Text(text::Rules::default()),
        }
    }

    pub(super) fn help(&mut self, metric: &str, at: usize) -> Result<(), Fault> {
        match self {
            Self::Open(rules) => rules.help(metric, at),
            Self::Text(rules) => rules.help(metric, at),
        }
    }

    pub(super) fn kind(&mut self, metric: &str, kind: MetricKind, at: usize) -> Result<(), Fault> {
        match self {
            Self::Open(rules) => rules.kind(metric, kind, at),
            Self::Text(rules) => rules.kind(metric, kind, at),
        }
    }

    pub(super) fn unit(&mut self, metric: &str, unit: &str, at: usize) -> Result<(), Fault> {
        match self {
            Self::Open(rules) => rules.unit(metric, unit, at),
            Self::Text(_) => Ok(()),
        }
    }

    pub(super) fn sample<'l>(
        &mut self,
        facts: &Facts<'_>,
        labels: impl Iterator<Item = (Cow<'l, str>, Cow<'l, str>)> + Clone,
    ) -> Result<(), Fault> {
        match self {
            Self::Open(rules) => rules.sample(facts, labels),
            Self::Text(rules) => rules.sample(facts, labels),
        }
    }

    /// The body is over.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        match self {
            Self::Open(rules) => rules.close_family(),
            Self::Text(_) => Ok(()),
        }
    }
}
