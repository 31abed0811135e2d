//! The words of a query with their places. The parser's tree has no places, and Prometheus's warnings do.

use std::ops::Range;

use super::error::ParseError;
use crate::labels::quote::unquote;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    Number,
    /// `1h30m`
    Duration,
    /// A quoted string.
    Text,
    /// An operator, a bracket, a comma.
    Sign,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
    /// Inside `[…]`, where numbers are durations.
    pub(super) bracketed: bool,
}

/// Operators of two characters.
const PAIRS: [&str; 6] = ["==", "!=", "<=", ">=", "=~", "!~"];

/// Splits a query. Comments and white space are left out.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, ParseError> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut bracketed = false;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match c {
            ' ' | '\t' | '\n' | '\r' => {
                at += 1;
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            '"' | '\'' | '`' => {
                let read = unquote(rest).map_err(|e| ParseError::at(text, at, e.to_string()))?;
                (Kind::Text, read.1)
            }
            '0'..='9' => number(rest),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => number(rest),
            'a'..='z' | 'A'..='Z' | '_' => (Kind::Word, word(rest)),
            ':' if !bracketed => (Kind::Word, word(rest)),
            _ => (Kind::Sign, if PAIRS.iter().any(|p| rest.starts_with(p)) { 2 } else { c.len_utf8() }),
        };
        bracketed = match c {
            '[' => true,
            ']' => false,
            _ => bracketed,
        };
        found.push(Token { kind, span: at..at + length, bracketed });
        at += length;
    }
    Ok(found)
}

fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':').unwrap_or(text.len())
}

/// The kind and length of a number or a duration.
fn number(text: &str) -> (Kind, usize) {
    let bytes = text.as_bytes();
    let digits = |mut at: usize| {
        while bytes.get(at).is_some_and(u8::is_ascii_digit) {
            at += 1;
        }
        at
    };
    if bytes[0] == b'0' && matches!(bytes.get(1), Some(b'x' | b'X')) {
        let length = text[2..].find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len() - 2);
        return (Kind::Number, length + 2);
    }
    let mut at = digits(0);
    if bytes.get(at) == Some(&b'.') {
        at = digits(at + 1);
    } else if bytes.get(at).is_some_and(|b| b"smhdwy".contains(b)) {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        return (Kind::Duration, end);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let end = digits(at + 1 + sign);
        if end > at + 1 + sign {
            at = end;
        }
    }
    (Kind::Number, at)
}

/// `1h30m` and the like in milliseconds: units from large to small, each once. `None` where it is no such
/// thing, or too long to count.
pub fn duration_ms(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    let mut rest = text;
    let mut total = 0i64;
    let mut allowed = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = &rest[..rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len())];
        let place = UNITS.iter().position(|(name, _)| *name == unit).filter(|&place| place >= allowed)?;
        allowed = place + 1;
        total = total.checked_add(number.checked_mul(UNITS[place].1)?)?;
        rest = &rest[unit.len()..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        tokens(text).unwrap().into_iter().map(|token| &text[token.span]).collect()
    }

    #[test]
    fn a_query_is_split() {
        assert_eq!(words("a:b[5m:1m] # no"), ["a:b", "[", "5m", ":", "1m", "]"]);
        assert_eq!(
            words("x{a=~\"]#\"}>=.5e3-0x1F"),
            ["x", "{", "a", "=~", "\"]#\"", "}", ">=", ".5e3", "-", "0x1F"]
        );
        assert_eq!(words("1.-2e+5m"), ["1.", "-", "2e+5", "m"]);
        assert!(tokens("\"").is_err());
    }

    #[test]
    fn durations() {
        assert_eq!(duration_ms("1h30m"), Some(5_400_000));
        assert_eq!(duration_ms("1m500ms"), Some(60_500));
        for bad in ["", "5", "m", "1m1h", "1m1m", "-1m", "1.5h", "99999999999999999y"] {
            assert_eq!(duration_ms(bad), None, "{bad}");
        }
    }
}
