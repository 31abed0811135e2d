//! What went wrong and what to do about it, as one value that prints well.

use std::fmt;

/// The result of every fallible step in this crate.
pub(crate) type Result<T> = std::result::Result<T, Problem>;

/// A failure in words, with the way out of it where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    what: String,
    fix: Option<String>,
}

impl Problem {
    /// A failure nobody has a recipe for.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), fix: None }
    }

    /// The same failure, with what to do about it.
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.fix {
            Some(fix) => write!(f, "\n  what to do: {fix}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

/// Says at which path an input or output operation failed.
pub(crate) trait AtPath<T> {
    /// Turns the error into a [`Problem`] that names `path` and what was tried.
    fn at(self, doing: &str, path: &std::path::Path) -> Result<T>;
}

impl<T> AtPath<T> for std::io::Result<T> {
    fn at(self, doing: &str, path: &std::path::Path) -> Result<T> {
        self.map_err(|error| Problem::new(format!("cannot {doing} {}: {error}", path.display())))
    }
}
