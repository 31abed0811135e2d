//! What a template may ask of the world, and how much it may take.

use crate::labels::LabelSet;

/// What a template may ask for while it runs. Everything has a default that gives nothing: `&mut ()` is a
/// host.
pub trait Host {
    /// An instant query: what `query` in a template gives.
    ///
    /// # Errors
    /// Why there is no result, in words. The default refuses.
    fn query(&mut self, expression: &str) -> Result<Vec<Sample>, String> {
        Err(format!("queries cannot be made here, and this is one: {expression}"))
    }

    /// The time of the evaluation in Unix seconds, for `now` and `since`; `None` where there is none.
    fn now(&self) -> Option<f64> {
        None
    }

    /// Where the reader finds this instance, for `externalURL` and `pathPrefix`.
    fn external_url(&self) -> &str {
        ""
    }

    /// How much a template may take.
    fn limits(&self) -> Limits {
        Limits::default()
    }
}

impl Host for () {}

/// One series of a query's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// With the metric's name as `__name__`, where there is one.
    pub labels: LabelSet,
    /// The value.
    pub value: f64,
}

/// How much a template may take before it fails and says which limit it hit.
///
/// How deep blocks and templates nest has a limit too, which is fixed: the stack has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the output, and of every text on the way to it. Default: 1 MiB.
    pub output_bytes: usize,
    /// Steps: a part of the template that ran once, or sixteen bytes that a function read or wrote.
    /// Default: a million, which is less than a second.
    pub steps: usize,
    /// Queries. Default: 100.
    pub queries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output_bytes: 1 << 20, steps: 1_000_000, queries: 100 }
    }
}
