//! Why a query has no answer.

/// A text that is no PromQL, or none that is understood, with the place in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: parse error: {problem}")]
pub struct ParseError {
    /// From 1.
    pub line: usize,
    /// From 1, in bytes as Prometheus counts.
    pub column: usize,
    /// What is wrong, in words.
    pub problem: String,
}

impl ParseError {
    /// The error at a byte of the text.
    pub(super) fn at(text: &str, byte: usize, problem: impl Into<String>) -> Self {
        let (line, column) = place(text, byte);
        Self { line, column, problem: problem.into() }
    }
}

/// Line and column, both from 1, of a byte.
pub(super) fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let line = before.iter().filter(|&&b| b == b'\n').count();
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    (line + 1, before.len() - start + 1)
}

/// Why an evaluation came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// These data give no answer, or the parameters of a function are wrong.
    #[error("{0}")]
    Execution(String),
    /// Part of Prometheus's language that is not understood here; its name.
    #[error("{0} not supported")]
    NotSupported(String),
    /// A limit was hit: which, and what to do.
    #[error("{0}")]
    Limit(String),
    /// It took too long.
    #[error("query timed out in expression evaluation")]
    TimedOut,
    /// Nobody waits for the answer any more.
    #[error("query was canceled in expression evaluation")]
    Cancelled,
}

impl EvalError {
    pub(super) fn execution(problem: impl Into<String>) -> Self {
        Self::Execution(problem.into())
    }

    /// Prometheus's words for two rows that are one.
    pub(super) fn same_labels() -> Self {
        Self::execution("vector cannot contain metrics with the same labelset")
    }
}
