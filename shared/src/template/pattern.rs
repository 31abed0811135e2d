//! Regular expressions as Go understands them, for a crate that understands nearly the same.
//!
//! What differs: `\d`, `\w`, `\s` and `\b` mean ASCII in Go; `[`, `&&`, `--` and `~~` have no meaning inside
//! a class; a brace that counts nothing is a brace; `\Q…\E` quotes.

use std::ops::Deref;

use regex::{Regex, RegexBuilder};

/// How large a compiled pattern may be, in bytes, and how many steps a byte of text then counts: a search
/// may look at every part of the pattern for each byte.
const SIZES: [(usize, usize); 3] = [(1 << 15, 4), (1 << 18, 32), (1 << 20, 128)];

/// Bytes of a pattern as it is written.
const MAX_PATTERN: usize = 10_000;

/// A compiled pattern.
pub(super) struct Pattern {
    regex: Regex,
    steps_per_byte: usize,
}

impl Deref for Pattern {
    type Target = Regex;

    fn deref(&self) -> &Regex {
        &self.regex
    }
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When it is none, or too large.
    pub(super) fn compile(pattern: &str) -> Result<Self, String> {
        if pattern.len() > MAX_PATTERN {
            return Err(format!("error parsing regexp: it has more than {MAX_PATTERN} bytes"));
        }
        let translated = translated(pattern);
        let mut reason = String::new();
        for (size, steps_per_byte) in SIZES {
            match RegexBuilder::new(&translated).size_limit(size).build() {
                Ok(regex) => return Ok(Self { regex, steps_per_byte }),
                Err(regex::Error::CompiledTooBig(_)) => reason = "it is too large when compiled".to_owned(),
                Err(other) => {
                    // The last line says what; those before it draw where, in the translated form.
                    let said = other.to_string();
                    let last = said.lines().last().unwrap_or("not understood");
                    reason = last.trim_start_matches("error: ").to_owned();
                    break;
                }
            }
        }
        Err(format!("error parsing regexp: {reason}: `{pattern}`"))
    }

    /// What a byte of searched text counts.
    pub(super) fn steps_per_byte(&self) -> usize {
        self.steps_per_byte
    }
}

/// The pattern as the crate wants it.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '\\' => escape(rest, false, &mut out),
            '[' => class(rest, &mut out),
            '{' if !is_count(rest) => {
                out.push_str("\\{");
                1
            }
            c => {
                out.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    out
}

/// What stands after a backslash; gives how many bytes it took.
fn escape(rest: &str, in_class: bool, out: &mut String) -> usize {
    let Some(kind) = rest[1..].chars().next() else {
        out.push('\\');
        return 1;
    };
    let ascii = match kind {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        's' => "[\\t\\n\\x0c\\r ]",
        'S' => "[^\\t\\n\\x0c\\r ]",
        'b' if !in_class => "(?-u:\\b)",
        'B' if !in_class => "(?-u:\\B)",
        'Q' if !in_class => {
            let quoted = &rest[2..];
            let end = quoted.find("\\E").unwrap_or(quoted.len());
            out.push_str(&regex::escape(&quoted[..end]));
            return (2 + end + 2).min(rest.len());
        }
        _ => {
            out.push('\\');
            out.push(kind);
            return 1 + kind.len_utf8();
        }
    };
    out.push_str(ascii);
    2
}

/// A class in brackets; gives how many bytes it took. One that is not closed stays open, for the crate to
/// say so.
fn class(rest: &str, out: &mut String) -> usize {
    let mut at = 1;
    out.push('[');
    if rest[at..].starts_with('^') {
        out.push('^');
        at += 1;
    }
    let mut first = true;
    while let Some(c) = rest[at..].chars().next() {
        at += match c {
            ']' if !first => {
                out.push(']');
                return at + 1;
            }
            '\\' => escape(&rest[at..], true, out),
            '[' if rest[at..].starts_with("[:") && rest[at..].contains(":]") => {
                let end = rest[at..].find(":]").map_or(1, |end| end + 2);
                out.push_str(&rest[at..at + end]);
                end
            }
            ']' | '[' | '&' | '~' => {
                out.extend(['\\', c]);
                1
            }
            '-' if first || rest[at + 1..].starts_with(']') => {
                out.push_str("\\-");
                1
            }
            c => {
                out.push(c);
                c.len_utf8()
            }
        };
        first = false;
    }
    at
}

/// Whether a brace opens `{2}`, `{2,}` or `{2,3}`.
fn is_count(rest: &str) -> bool {
    let Some((inner, _)) = rest[1..].split_once('}') else { return false };
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let is_number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    !least.is_empty() && is_number(least) && is_number(most)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_go() {
        for (pattern, text, is_match) in [
            (r"^\d+$", "12", true),
            (r"^\d+$", "٣", false),
            (r"^[\d.]+$", "1.2", true),
            (r"^\w$", "é", false),
            (r"\bfoo\b", "a foo b", true),
            (r"^[[a]+$", "[a", true),
            (r"^[]a]+$", "]a", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[^]]$", "a", true),
            (r"^[a-]$", "-", true),
            (r"^[-a]$", "-", true),
            (r"^[[:alpha:]_]+$", "a_b", true),
            (r"^{a}$", "{a}", true),
            (r"^a{2}$", "aa", true),
            (r"^a{,2}$", "a{,2}", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b", "axb", false),
            (r"(?i)ÉA", "éa", true),
            (r"é.", "éa", true),
        ] {
            assert_eq!(Pattern::compile(pattern).unwrap().is_match(text), is_match, "{pattern} on {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for pattern in ["(", "[a", "\\", "(?P<a", "a{1000000}", "(\\pL{100}){100}"] {
            let error = Pattern::compile(pattern).err().unwrap();
            assert!(error.starts_with("error parsing regexp: "), "{pattern}: {error}");
            assert!(error.ends_with(&format!(": `{pattern}`")), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(pattern in "\\PC*|[\\\\\\[\\]{}()&~^,:QEdwb0-9a-z-]*") {
            let _ = Pattern::compile(&pattern);
        }
    }
}
