//! Where a body is wrong and what was expected there.

use std::fmt;

/// Why a body was refused, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: expected {expected}, found {found}")]
pub struct ParseError {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// What could have stood there, in words.
    pub expected: String,
    /// What stands there, in words or quoted.
    pub found: String,
}

/// A fault that was read over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// What was expected and what stands there.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// A fault by byte offset. Lines and columns are counted only once it is reported, so that a sound body
/// never pays for them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Fault {
    pub(super) fn new(at: usize, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { at, expected: expected.into(), found: found.into() }
    }

    pub(super) fn into_error(self, body: &[u8]) -> ParseError {
        let (line, column) = position(body, self.at);
        ParseError { line, column, expected: self.expected, found: self.found }
    }

    pub(super) fn into_warning(self, body: &[u8]) -> Warning {
        let (line, column) = position(body, self.at);
        Warning { line, column, message: format!("expected {}, found {}", self.expected, self.found) }
    }
}

/// Line and column, both 1-based, of a byte offset; columns count characters.
fn position(body: &[u8], at: usize) -> (usize, usize) {
    let before = &body[..at.min(body.len())];
    let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    // A byte that starts no character continues one: counting the others counts characters.
    let column = before[line_start..].iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
    (line, column)
}

/// What stands at `at`, for a message: the token up to the next space, quoted and cut short. Looks at a
/// few bytes only, however long the token: a hostile body has many faults and no spaces.
pub(super) fn found_at(body: &[u8], at: usize) -> String {
    const MOST: usize = 40;
    let rest = body.get(at..).unwrap_or_default();
    let rest = &rest[..rest.len().min(MOST * 8)];
    match rest.first() {
        None => return "the end of the body".to_owned(),
        Some(b'\n') => return "the end of the line".to_owned(),
        Some(b'\r') if rest.get(1) == Some(&b'\n') => return "the end of the line".to_owned(),
        Some(b' ') => return "a space".to_owned(),
        Some(b'\t') => return "a tab".to_owned(),
        Some(_) => {}
    }
    if at == 0 && rest[0] == b'[' {
        return "a JSON document".to_owned();
    }
    if let Some(kind) = foreign(rest) {
        return kind.to_owned();
    }
    let end = rest.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(rest.len());
    quoted(&rest[..end], MOST)
}

/// Quotes bytes for a message, cut to `most` characters.
pub(super) fn quoted(bytes: &[u8], most: usize) -> String {
    // Four bytes a character at most: never decode a long line to show its beginning.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(most * 4)]);
    let mut shown: String = text.chars().take(most).collect();
    if shown.len() < bytes.len() && text.chars().nth(most).is_some() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// A fault in what would be labels, told as what it is where the body is JSON: `{`, a string, a colon.
pub(super) fn or_json(body: &[u8], fault: Fault) -> Fault {
    let inner = body.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    let string = inner.and_then(|inner| inner.strip_prefix(b"\""));
    let after =
        string.and_then(|string| Some(string[memchr::memchr(b'"', string)? + 1..].trim_ascii_start()));
    match after.and_then(<[u8]>::first) {
        Some(b':') => Fault::new(0, "an exposition", "a JSON document"),
        _ => fault,
    }
}

/// Bodies that are another kind of document altogether, at their first byte.
fn foreign(rest: &[u8]) -> Option<&'static str> {
    let starts = |what: &[u8]| rest.len() >= what.len() && rest[..what.len()].eq_ignore_ascii_case(what);
    if starts(b"<!doctype") || starts(b"<html") || starts(b"<head") || starts(b"<body") {
        Some("an HTML page")
    } else if starts(b"<?xml") {
        Some("an XML document")
    } else if starts(b"\xEF\xBB\xBF") {
        Some("a byte order mark")
    } else if starts(b"\x1F\x8B") {
        Some("gzip data")
    } else {
        None
    }
}
