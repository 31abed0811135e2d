//! Reads and writes expositions: Prometheus text 0.0.4 and OpenMetrics 1.0.
//!
//! | module | does |
//! |---|---|
//! | `entry` | what a line means: metadata, a sample, its exemplar |
//! | `error` | positions, errors, warnings |
//! | `number` | numbers and time stamps, as Go and the standard read them |
//! | `parser` | the pull parser: the cursor, the hint path, strict or lenient |
//! | `text`, `open` | the grammar of either format |
//! | `labels` | the part between braces |
//! | `meaning` | what a grammar cannot say: groups, buckets, clashing names |
//! | [`write`] | the text 0.0.4 of our own `/metrics` |
//!
//! Grammar: <https://prometheus.io/docs/instrumenting/exposition_formats/> and
//! <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>.

mod entry;
mod error;
mod labels;
mod meaning;
mod number;
mod open;
mod parser;
mod text;
pub mod write;

pub use entry::{Entry, Exemplar, LabelPairs, MetricKind, Sample};
pub use error::{ParseError, Warning};
pub use labels::split_series;
pub use parser::{Parser, parse};

/// Which of the two text formats a body is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `text/plain; version=0.0.4`, and whatever is not OpenMetrics.
    PrometheusText,
    /// `application/openmetrics-text`.
    OpenMetrics,
}

impl Format {
    /// The format a `Content-Type` names; like Prometheus, everything that is not OpenMetrics, or is
    /// missing, is read as Prometheus text.
    pub fn from_content_type(content_type: Option<&str>) -> Self {
        let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::PrometheusText
        }
    }
}

/// How much is forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Every fault is an error, of form and of meaning: for checks.
    Strict,
    /// What a Prometheus scrape reads over is a [`Warning`]: for scraping.
    Lenient,
}

#[cfg(test)]
mod tests;
