//! One condition on one label, as PromQL has them: `=`, `!=`, `=~`, `!~`.

use std::fmt;

use regex::{Regex, RegexBuilder};

use super::LabelSet;
use super::quote::write_quoted;

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored at both ends.
    Regex,
    /// `!~`, anchored at both ends.
    NotRegex,
}

impl MatchOp {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Regex => "=~",
            Self::NotRegex => "!~",
        }
    }
}

/// A condition on one label. A label that a series does not have counts as the empty string.
#[derive(Clone)]
pub struct Matcher {
    name: Box<str>,
    op: MatchOp,
    value: Box<str>,
    regex: Option<Regex>,
}

/// A regular expression that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad regular expression {pattern:?} for label {label:?}: {reason}")]
pub struct RegexError {
    /// The label it was for.
    pub label: String,
    /// As it was written.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Matcher {
    /// Makes a matcher.
    ///
    /// # Errors
    /// When the operator wants a regular expression and `value` is none, or is too large.
    pub fn new(name: &str, op: MatchOp, value: &str) -> Result<Self, RegexError> {
        let regex = match op {
            MatchOp::Equal | MatchOp::NotEqual => None,
            MatchOp::Regex | MatchOp::NotRegex => Some(
                // As Prometheus does: anchored, and `.` is any character, a line break too.
                RegexBuilder::new(&format!("^(?s:{value})$")).size_limit(1 << 20).build().map_err(|e| {
                    RegexError {
                        label: name.to_owned(),
                        pattern: value.to_owned(),
                        reason: match e {
                            regex::Error::CompiledTooBig(_) => "it is too large when compiled".to_owned(),
                            // The last line says what; those before it draw where, in our anchored form.
                            other => other
                                .to_string()
                                .lines()
                                .last()
                                .unwrap_or("not understood")
                                .trim_start_matches("error: ")
                                .to_owned(),
                        },
                    }
                })?,
            ),
        };
        Ok(Self { name: name.into(), op, value: value.into(), regex })
    }

    /// `name="value"`.
    pub fn equal(name: &str, value: &str) -> Self {
        Self { name: name.into(), op: MatchOp::Equal, value: value.into(), regex: None }
    }

    /// The label it looks at.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it compares.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// What it compares with.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label's value passes; `""` for a label that is not there.
    pub fn matches(&self, value: &str) -> bool {
        match (self.op, &self.regex) {
            (MatchOp::Equal, _) => *self.value == *value,
            (MatchOp::NotEqual, _) => *self.value != *value,
            (MatchOp::Regex, Some(regex)) => regex.is_match(value),
            (MatchOp::NotRegex, Some(regex)) => !regex.is_match(value),
            // `new` compiles a regex for both operators that want one.
            (MatchOp::Regex | MatchOp::NotRegex, None) => false,
        }
    }

    /// Whether a series passes.
    pub fn matches_set(&self, labels: &LabelSet) -> bool {
        self.matches(labels.get(&self.name).unwrap_or(""))
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::selector::write_label(f, &self.name)?;
        f.write_str(self.op.as_str())?;
        write_quoted(f, &self.value)
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

impl Eq for Matcher {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn matches(op: MatchOp, pattern: &str, value: &str) -> bool {
        Matcher::new("l", op, pattern).unwrap().matches(value)
    }

    #[test]
    fn regexes_are_anchored_and_a_dot_is_any_character() {
        assert!(matches(MatchOp::Regex, "a|b", "b"));
        assert!(!matches(MatchOp::Regex, "a|b", "ab"));
        assert!(!matches(MatchOp::Regex, "b", "abc"));
        assert!(matches(MatchOp::Regex, "a.c", "a\nc"));
        assert!(matches(MatchOp::NotRegex, "a.*", "ba"));
        assert!(matches(MatchOp::Regex, "", ""));
        assert!(matches(MatchOp::NotEqual, "x", ""));
    }

    #[test]
    fn a_bad_regex_says_what_is_wrong() {
        let error = Matcher::new("job", MatchOp::Regex, "a(").unwrap_err();
        assert_eq!(error.reason, "unclosed group");
        assert!(Matcher::new("job", MatchOp::Regex, "(a{1000}){1000}").is_err());
    }
}
