//! Why a text gave no output: where, in which template, and what to do.

use std::fmt;

/// A template that cannot be read, or that failed while it ran.
///
/// It reads like Go's, with the column in both kinds: `template: X:1:4: undefined variable "$x"` and
/// `template: X:1:4: executing "X" at <first .a>: error calling first: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The name that the text was parsed under.
    pub name: String,
    /// From 1.
    pub line: usize,
    /// From 1, in bytes.
    pub column: usize,
    /// What ran, when it ran; `None` where the text could not be read.
    pub executing: Option<Executing>,
    /// What is wrong, in words.
    pub message: String,
}

/// The part of a template that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executing {
    /// The template, which may be one that the text defines.
    pub template: String,
    /// The part, as it is written.
    pub part: String,
}

/// Of a failing part no more than this is shown.
const SHOWN_CHARS: usize = 80;

impl TemplateError {
    /// The error at a byte of the text.
    pub(super) fn parse(name: &str, text: &str, byte: usize, message: impl Into<String>) -> Self {
        let (line, column) = place(text, byte);
        Self { name: name.to_owned(), line, column, executing: None, message: message.into() }
    }

    /// The same error, which came while `part` of `template` ran.
    pub(super) fn executing(mut self, template: &str, part: &str) -> Self {
        let mut words = part.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((cut, _)) = words.char_indices().nth(SHOWN_CHARS) {
            words.truncate(cut);
            words.push('…');
        }
        self.executing = Some(Executing { template: template.to_owned(), part: words });
        self
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template: {}:{}:{}: ", self.name, self.line, self.column)?;
        if let Some(Executing { template, part }) = &self.executing {
            write!(f, "executing {template:?} at <{part}>: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateError {}

/// Line and column, both from 1, of a byte.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let line = before.iter().filter(|&&b| b == b'\n').count();
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    (line + 1, before.len() - start + 1)
}
