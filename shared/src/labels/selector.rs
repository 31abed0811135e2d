//! `metric{label="value", …}` by PromQL's grammar: parsed, and written so that it is parsed again.

use std::fmt;

use super::matcher::RegexError;
use super::quote::{QuoteError, unquote, write_quoted};
use super::{METRIC_NAME, MatchOp, Matcher, is_plain_label, is_plain_metric};

/// What selects series: all matchers must pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The conditions, the metric's name among them as [`METRIC_NAME`].
    pub matchers: Vec<Matcher>,
}

/// Text that is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{column}: {problem}")]
pub struct SelectorError {
    /// The character it was found at, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: SelectorProblem,
}

/// What is wrong with a selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorProblem {
    /// Something else should stand here.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What the grammar wants.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// The name stands before the braces and inside them.
    #[error("the metric name must not be set twice")]
    NameTwice,
    /// Every series would pass.
    #[error("at least one matcher must not match the empty string, else every series is selected")]
    Everything,
    /// A string literal is broken.
    #[error(transparent)]
    Quote(#[from] QuoteError),
    /// A regular expression is broken.
    #[error(transparent)]
    Regex(#[from] RegexError),
}

impl Selector {
    /// Reads a whole selector.
    ///
    /// # Errors
    /// With the column, when the text is no selector, more follows it, or it would select everything.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let (selector, length) = Self::parse_prefix(text)?;
        let mut cursor = Cursor { text, at: length };
        cursor.end().map_err(|problem| cursor.error(problem))?;
        Ok(selector)
    }

    /// Reads the selector that `text` begins with, and how many bytes it took.
    ///
    /// # Errors
    /// With the column, when `text` begins with no selector, or it would select everything.
    pub fn parse_prefix(text: &str) -> Result<(Self, usize), SelectorError> {
        let mut cursor = Cursor { text, at: 0 };
        let matchers = cursor.selector().map_err(|problem| cursor.error(problem))?;
        Ok((Self { matchers }, cursor.at))
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.matchers.iter().position(|m| m.name() == METRIC_NAME && m.op() == MatchOp::Equal);
        let rest = self.matchers.iter().enumerate().filter(|(i, _)| Some(*i) != name);
        write_selector(
            f,
            name.map(|i| self.matchers[i].value()),
            rest.map(|(_, m)| (m.name(), m.op(), m.value())),
        )
    }
}

/// Writes a selector; a name that is no plain word goes quoted into the braces.
pub(super) fn write_selector<'a>(
    f: &mut fmt::Formatter<'_>,
    name: Option<&str>,
    labels: impl Iterator<Item = (&'a str, MatchOp, &'a str)>,
) -> fmt::Result {
    let plain = name.is_some_and(is_plain_metric);
    let mut open = false;
    match name {
        Some(name) if plain => f.write_str(name)?,
        Some(name) => {
            f.write_str("{")?;
            write_quoted(f, name)?;
            open = true;
        }
        None => {}
    }
    for (label, op, value) in labels {
        f.write_str(if open { "," } else { "{" })?;
        open = true;
        write_label(f, label)?;
        f.write_str(op.as_str())?;
        write_quoted(f, value)?;
    }
    match (open, name) {
        (true, _) => f.write_str("}"),
        (false, None) => f.write_str("{}"),
        (false, Some(_)) => Ok(()),
    }
}

pub(super) fn write_label(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if is_plain_label(name) { f.write_str(name) } else { write_quoted(f, name) }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn error(&self, problem: SelectorProblem) -> SelectorError {
        SelectorError { column: self.text[..self.at].chars().count() + 1, problem }
    }

    /// White space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn take(&mut self, token: &str) -> bool {
        self.skip();
        let there = self.rest().starts_with(token);
        self.at += if there { token.len() } else { 0 };
        there
    }

    fn expected(&self, expected: &'static str) -> SelectorProblem {
        let found = match self.rest().chars().next() {
            Some(c) => format!("{c:?}"),
            None => "the end".to_owned(),
        };
        SelectorProblem::Expected { expected, found }
    }

    /// A word of a metric's letters (a label's, where `:` is not allowed), or "".
    fn word(&mut self, colon: bool) -> &'a str {
        self.skip();
        let rest = self.rest();
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':');
        let length = rest.find(|c| !letter(c)).unwrap_or(rest.len());
        let length = if rest.starts_with(|c: char| c.is_ascii_digit()) { 0 } else { length };
        self.at += length;
        &rest[..length]
    }

    fn string(&mut self) -> Result<Option<String>, SelectorProblem> {
        self.skip();
        if !self.rest().starts_with(['"', '\'', '`']) {
            return Ok(None);
        }
        let (value, length) = unquote(self.rest())?;
        self.at += length;
        Ok(Some(value))
    }

    fn end(&mut self) -> Result<(), SelectorProblem> {
        self.skip();
        if self.rest().is_empty() { Ok(()) } else { Err(self.expected("the end of the selector")) }
    }

    fn selector(&mut self) -> Result<Vec<Matcher>, SelectorProblem> {
        let mut matchers = Vec::new();
        let name = self.word(true);
        let mut named = !name.is_empty();
        if named {
            matchers.push(Matcher::equal(METRIC_NAME, name));
        }
        let end_of_name = self.at;
        if self.take("{") {
            while !self.take("}") {
                self.matcher(&mut matchers, &mut named)?;
                if !self.take(",") {
                    if self.take("}") {
                        break;
                    }
                    return Err(self.expected("\",\" or \"}\""));
                }
            }
        } else if named {
            self.at = end_of_name;
        } else {
            return Err(self.expected("a metric name or \"{\""));
        }
        if matchers.iter().all(|m| m.matches("")) {
            return Err(SelectorProblem::Everything);
        }
        Ok(matchers)
    }

    /// `label op "value"`, or a quoted metric name alone.
    fn matcher(&mut self, matchers: &mut Vec<Matcher>, named: &mut bool) -> Result<(), SelectorProblem> {
        let (label, quoted) = match self.string()? {
            Some(label) => (label, true),
            None => (self.word(false).to_owned(), false),
        };
        if label.is_empty() && !quoted {
            return Err(self.expected("a label name or \"}\""));
        }
        let op = if self.take("=~") {
            MatchOp::Regex
        } else if self.take("!~") {
            MatchOp::NotRegex
        } else if self.take("!=") {
            MatchOp::NotEqual
        } else if self.take("=") {
            MatchOp::Equal
        } else if quoted {
            if std::mem::replace(named, true) {
                return Err(SelectorProblem::NameTwice);
            }
            matchers.push(Matcher::equal(METRIC_NAME, &label));
            return Ok(());
        } else {
            return Err(self.expected("=, !=, =~ or !~"));
        };
        let Some(value) = self.string()? else {
            return Err(self.expected("a quoted string"));
        };
        if label == METRIC_NAME && *named {
            return Err(SelectorProblem::NameTwice);
        }
        matchers.push(Matcher::new(&label, op, &value)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn round(text: &str) -> String {
        let selector = Selector::parse(text).unwrap();
        let written = selector.to_string();
        assert_eq!(Selector::parse(&written).unwrap(), selector, "{written}");
        written
    }

    #[test]
    fn selectors_of_every_shape_are_read_and_written() {
        assert_eq!(round("up"), "up");
        assert_eq!(round(" job:up:rate5m { } # why"), "job:up:rate5m");
        assert_eq!(
            round(r#"up{job="a", instance!='b', x=~`\d+`, y!~"z",}"#),
            r#"up{job="a",instance!="b",x=~"\\d+",y!~"z"}"#
        );
        assert_eq!(round(r#"{"a.b c", "l.x"="é\n"}"#), r#"{"a.b c","l.x"="é\n"}"#);
        assert_eq!(round(r#"{__name__=~"a.*"}"#), r#"{__name__=~"a.*"}"#);
        assert_eq!(round(r#"{__name__="a"}"#), "a");
        assert_eq!(round(r#"m{by="1",on="2"}"#), r#"m{by="1",on="2"}"#);
    }

    #[test]
    fn a_prefix_leaves_the_rest() {
        let (selector, length) = Selector::parse_prefix("up [5m]").unwrap();
        assert_eq!((selector.to_string().as_str(), length), ("up", 2));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_column() {
        let error = |text: &str| Selector::parse(text).unwrap_err().to_string();
        assert_eq!(error("up{job=a}"), "8: expected a quoted string, found 'a'");
        assert_eq!(error("up{job}"), "7: expected =, !=, =~ or !~, found '}'");
        assert_eq!(error("up{"), "4: expected a label name or \"}\", found the end");
        assert_eq!(error("1up"), "1: expected a metric name or \"{\", found '1'");
        assert_eq!(error("up{a:b=\"\"}"), "5: expected =, !=, =~ or !~, found ':'");
        assert_eq!(error("up up"), "4: expected the end of the selector, found 'u'");
        assert!(error("{}").contains("at least one matcher"));
        assert!(error("{a=~\".*\",b=\"\"}").contains("at least one matcher"));
        assert!(error("up{\"down\"}").contains("twice"));
        assert!(error("up{__name__=\"a\"}").contains("twice"));
        assert!(error("up{a=~\"(\"}").contains("unclosed group"));
    }

    proptest::proptest! {
        #[test]
        fn any_label_set_selects_itself(pairs in proptest::collection::vec(("\\PC{1,6}", "\\PC{0,8}"), 0..4), name in "\\PC{1,8}") {
            let set = super::super::LabelSet::from_pairs(
                pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).filter(|(n, _)| *n != METRIC_NAME)
                    .chain([(METRIC_NAME, name.as_str())]));
            let selector = Selector::parse(&set.to_string()).unwrap();
            proptest::prop_assert!(selector.matchers.iter().all(|m| m.matches_set(&set)));
        }

        #[test]
        fn nothing_panics(text in "[a-z{}\"'`=!~, \\\\#\\PC]*") {
            let _ = Selector::parse(&text);
        }
    }
}
