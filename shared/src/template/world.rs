//! What functions work with while a template runs: the host, and what is left of the limits.

use std::collections::HashMap;
use std::sync::Arc;

use super::host::{Host, Limits};
use super::pattern::Pattern;

/// Why a function or a step gave nothing.
#[derive(Debug)]
pub(super) enum Problem {
    /// These arguments give nothing.
    Failed(String),
    /// A limit was hit: which.
    Limit(String),
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

impl From<&str> for Problem {
    fn from(message: &str) -> Self {
        Self::Failed(message.to_owned())
    }
}

/// How many bytes read or written count as one step.
const BYTES_PER_STEP: usize = 16;
/// Steps that it takes to compile a regular expression.
const STEPS_PER_PATTERN: usize = 1000;

/// The host and the limits of one run.
pub(super) struct World<'h> {
    pub(super) host: &'h mut dyn Host,
    pub(super) limits: Limits,
    steps: usize,
    queries: usize,
    /// A pattern inside a loop is compiled once.
    patterns: HashMap<String, Arc<Pattern>>,
}

impl<'h> World<'h> {
    pub(super) fn new(host: &'h mut dyn Host) -> Self {
        let limits = host.limits();
        Self { host, limits, steps: 0, queries: 0, patterns: HashMap::new() }
    }

    /// Counts steps.
    pub(super) fn steps(&mut self, count: usize) -> Result<(), Problem> {
        self.steps = self.steps.saturating_add(count);
        if self.steps > self.limits.steps {
            return Err(Problem::Limit(format!(
                "the template took more than {} steps: it loops too often, or over too much text",
                self.limits.steps
            )));
        }
        Ok(())
    }

    /// Counts bytes read or written.
    pub(super) fn bytes(&mut self, count: usize) -> Result<(), Problem> {
        self.steps(count / BYTES_PER_STEP)
    }

    /// Whether a text may be this long.
    pub(super) fn length(&self, bytes: usize) -> Result<(), Problem> {
        if bytes > self.limits.output_bytes { Err(self.too_long()) } else { Ok(()) }
    }

    /// The limit on texts was hit.
    pub(super) fn too_long(&self) -> Problem {
        Problem::Limit(format!("a text of more than {} bytes", self.limits.output_bytes))
    }

    pub(super) fn query(&mut self, expression: &str) -> Result<Vec<super::Sample>, Problem> {
        self.queries += 1;
        if self.queries > self.limits.queries {
            return Err(Problem::Limit(format!("more than {} queries", self.limits.queries)));
        }
        let samples = self.host.query(expression)?;
        self.steps(samples.len())?;
        Ok(samples)
    }

    /// The time of the evaluation, in Unix seconds.
    pub(super) fn now(&self) -> Result<f64, Problem> {
        self.host.now().ok_or_else(|| "the time is not known here".into())
    }

    /// A pattern compiled, to search a text of so many bytes.
    pub(super) fn pattern(&mut self, pattern: &str, bytes: usize) -> Result<Arc<Pattern>, Problem> {
        let known = self.patterns.get(pattern).cloned();
        let compiled = match known {
            Some(compiled) => compiled,
            None => {
                self.steps(STEPS_PER_PATTERN + pattern.len())?;
                let compiled = Arc::new(Pattern::compile(pattern)?);
                self.patterns.insert(pattern.to_owned(), Arc::clone(&compiled));
                compiled
            }
        };
        self.steps(bytes.saturating_mul(compiled.steps_per_byte()))?;
        Ok(compiled)
    }
}
