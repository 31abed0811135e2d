//! A config error: what, where (file, line, column) and what to do.

use std::{fmt, ops::Range, path::Path};

use toml::de::{DeTable, DeValue};

/// Why a configuration is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    file: String,
    position: Option<(usize, usize)>,
    message: String,
    hint: Option<String>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl ConfigError {
    pub(super) fn unreadable(path: &Path, source: &std::io::Error) -> Self {
        Self {
            file: path.display().to_string(),
            position: None,
            message: format!("cannot be read: {source}"),
            hint: Some(
                "give the file with --config FILE; `fleetglass serve --help` shows a small one".to_owned(),
            ),
        }
    }

    pub(super) fn toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let message = error.message().trim_end().replace('\n', ", ");
        Self {
            file: path.display().to_string(),
            position: error.span().map(|span| position(text, &span)),
            hint: nearest_name(&message),
            message,
        }
    }

    pub(super) fn environment(name: &str, message: &str) -> Self {
        Self {
            file: format!("environment variable {name}"),
            position: None,
            hint: nearest_name(message),
            message: message.trim_end().replace('\n', ", "),
        }
    }
}

/// A setting that is well formed but wrong, with the way to it in the document.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) path: Vec<Step>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// A step from a TOML value to one inside it.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Key(&'static str),
    Name(String),
    Index(usize),
}

impl Fault {
    pub(super) fn at(self, path: &Path, text: &str) -> ConfigError {
        ConfigError {
            file: path.display().to_string(),
            position: locate(text, &self.path).map(|span| position(text, &span)),
            message: self.message,
            hint: self.hint,
        }
    }
}

/// Where the deepest part of `steps` that exists stands in the text.
fn locate(text: &str, steps: &[Step]) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    let mut span = None;
    let mut value: Option<&DeValue<'_>> = None;
    for step in steps {
        let next = match (step, value) {
            (Step::Key(_) | Step::Name(_), at) => {
                let key = match step {
                    Step::Key(key) => key,
                    Step::Name(name) => name.as_str(),
                    Step::Index(_) => "",
                };
                match at {
                    None => table.get_ref().get(key),
                    Some(DeValue::Table(inner)) => inner.get(key),
                    Some(_) => None,
                }
            }
            (Step::Index(index), Some(DeValue::Array(items))) => items.get(*index),
            (Step::Index(_), _) => None,
        };
        let Some(next) = next else { break };
        span = Some(next.span());
        value = Some(next.get_ref());
    }
    span
}

fn position(text: &str, span: &Range<usize>) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(span.start)];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    (line, column)
}

/// "did you mean", from serde's own "unknown field `x`, expected one of `a`, `b`".
fn nearest_name(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("unknown field `")?;
    let (wrong, rest) = rest.split_once('`')?;
    let near = rest
        .split('`')
        .skip(1)
        .step_by(2)
        .map(|known| (distance(wrong, known), known))
        .min_by_key(|&(far, _)| far)?;
    (near.0 <= 3).then(|| format!("did you mean `{}`?", near.1))
}

/// Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let replace = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = replace.min(row[j] + 1).min(corner + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
