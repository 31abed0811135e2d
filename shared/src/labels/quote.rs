//! PromQL's string literals: double, single or back quoted, with Go's escapes.

use std::fmt::{self, Write};

/// A string literal that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// There is no quote where one should be.
    #[error("expected a quoted string")]
    NoQuote,
    /// The closing quote is missing.
    #[error("the string has no closing {0}")]
    Unclosed(char),
    /// A line break inside `"` or `'`.
    #[error("a line break inside {0}…{0}; write \\n, or use back quotes")]
    LineBreak(char),
    /// A backslash before something that is no escape.
    #[error("unknown escape sequence \\{0}")]
    Escape(String),
}

/// Writes a string in double quotes so that [`unquote`] gives it back.
///
/// # Errors
/// Only those of the writer.
pub fn write_quoted(f: &mut impl Write, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '\\' => f.write_str("\\\\")?,
            '"' => f.write_str("\\\"")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() && u32::from(c) < 0x80 => write!(f, "\\x{:02x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

/// The text in double quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    // Writing to a String never fails.
    let _ = write_quoted(&mut out, text);
    out
}

/// Reads the literal that `text` begins with: its value, and how many bytes it took.
///
/// # Errors
/// When `text` begins with no quote, or the literal is not closed or holds an unknown escape.
pub fn unquote(text: &str) -> Result<(String, usize), QuoteError> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`')).ok_or(QuoteError::NoQuote)?;
    if quote == '`' {
        let end = text[1..].find('`').ok_or(QuoteError::Unclosed(quote))?;
        return Ok((text[1..=end].to_owned(), end + 2));
    }
    // Octal and \x escapes give bytes, which together must be UTF-8 again.
    let mut value: Vec<u8> = Vec::new();
    let mut chars = text.char_indices();
    chars.next();
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => {
                let value = String::from_utf8(value)
                    .map_err(|_| QuoteError::Escape("x… (the bytes are not UTF-8)".to_owned()))?;
                return Ok((value, at + 1));
            }
            '\n' => return Err(QuoteError::LineBreak(quote)),
            '\\' => {
                let taken = escape(&text[at + 1..], quote, &mut value)?;
                for _ in 0..taken {
                    chars.next();
                }
            }
            c => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(QuoteError::Unclosed(quote))
}

/// Reads what follows a backslash; gives how many characters it took.
fn escape(rest: &str, quote: char, value: &mut Vec<u8>) -> Result<usize, QuoteError> {
    let unknown = || QuoteError::Escape(rest.chars().take(1).collect());
    let kind = rest.chars().next().ok_or(QuoteError::Unclosed(quote))?;
    let simple = match kind {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        c if c == quote => c as u8,
        '0'..='7' => {
            let code = digits(rest, 0, 3, 8).ok_or_else(unknown)?;
            value.push(u8::try_from(code).map_err(|_| unknown())?);
            return Ok(3);
        }
        'x' => {
            let code = digits(rest, 1, 2, 16).ok_or_else(unknown)?;
            value.push(u8::try_from(code).map_err(|_| unknown())?);
            return Ok(3);
        }
        'u' | 'U' => {
            let length = if kind == 'u' { 4 } else { 8 };
            let code = digits(rest, 1, length, 16).and_then(char::from_u32).ok_or_else(unknown)?;
            value.extend_from_slice(code.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(length + 1);
        }
        _ => return Err(unknown()),
    };
    value.push(simple);
    Ok(1)
}

fn digits(rest: &str, from: usize, count: usize, radix: u32) -> Option<u32> {
    let word = rest.get(from..from + count)?;
    if !word.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(word, radix).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn all_three_quotes_and_every_escape() {
        assert_eq!(unquote(r#""a\"b" rest"#), Ok(("a\"b".to_owned(), 6)));
        assert_eq!(unquote(r"'it\'s'"), Ok(("it's".to_owned(), 7)));
        assert_eq!(unquote(r"`\d+`}"), Ok((r"\d+".to_owned(), 5)));
        assert_eq!(unquote(r#""\a\t\\\101\x41\u00e9\U0001F600""#).unwrap().0, "\u{7}\t\\AA\u{e9}\u{1F600}");
        assert_eq!(unquote(r#""\xc3\xa9""#).unwrap().0, "é");
    }

    #[test]
    fn bad_literals_are_errors() {
        assert_eq!(unquote("abc"), Err(QuoteError::NoQuote));
        assert_eq!(unquote(r#""abc"#), Err(QuoteError::Unclosed('"')));
        assert_eq!(unquote("\"a\nb\""), Err(QuoteError::LineBreak('"')));
        for bad in [r#""\q""#, r#""\'""#, r#""\xg0""#, r#""\uD800""#, r#""\400""#, r#""\xff""#, r#""\"#] {
            assert!(unquote(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_quoted_is_read_back(text in "\\PC*|[\\x00-\\x7f]*") {
            let literal = quoted(&text);
            proptest::prop_assert_eq!(unquote(&literal), Ok((text, literal.len())));
        }

        #[test]
        fn nothing_panics(text in "[\"'`][\\\\\"'`xuU0-9a-f\\PC\n]*") {
            let _ = unquote(&text);
        }
    }
}
