//! The part of a series between its braces: `{"my.name",label="value"}`.

use std::borrow::Cow;

use super::Format;
use super::entry::LabelPairs;
use super::error::{Fault, found_at};

/// Where a label's name and value stand, without their quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label {
    pub(super) name: (usize, usize),
    pub(super) value: (usize, usize),
}

/// What one pair of braces holds. Reused from sample to sample, so that the plain case allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Braces {
    /// The metric name in quotes, where it stands inside.
    pub(super) name: Option<(usize, usize)>,
    pub(super) labels: Vec<Label>,
    /// Faults that a lenient reading forgives.
    pub(super) soft: Vec<Fault>,
}

/// Whose braces are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Of {
    /// A sample's whose name stands before them.
    Named,
    /// A sample's whose name stands inside.
    Nameless,
    /// An exemplar's.
    Exemplar,
}

impl Braces {
    pub(super) fn clear(&mut self) {
        self.name = None;
        self.labels.clear();
    }

    /// Reads from the opening brace at `open`; gives the offset after the closing one.
    pub(super) fn scan(&mut self, body: &[u8], open: usize, format: Format, of: Of) -> Result<usize, Fault> {
        self.clear();
        let spaced = format == Format::PrometheusText;
        let skip = |at: usize| if spaced { skip_blanks(body, at) } else { at };
        let mut at = skip(open + 1);
        let mut first = true;
        loop {
            if body.get(at) == Some(&b'}') {
                break;
            }
            let (name, after) = scan_label_name(body, at, first)?;
            first = false;
            let after_name = skip(after);
            match body.get(after_name) {
                Some(b'=') => at = self.scan_value(body, at, name, skip(after_name + 1), spaced)?,
                Some(b',' | b'}') if body[at] == b'"' && of != Of::Exemplar => {
                    if of == Of::Named || self.name.is_some() {
                        return Err(Fault::new(at, "`=` after a label name", "a second metric name"));
                    }
                    self.name = Some(name);
                    at = after_name;
                }
                _ => {
                    return Err(Fault::new(after_name, "`=` after a label name", found_at(body, after_name)));
                }
            }
            let after_label = skip(at);
            match body.get(after_label) {
                Some(b',') => {
                    at = skip(after_label + 1);
                    if body.get(at) == Some(&b'}') && !spaced {
                        return Err(Fault::new(at, "a label name after the comma", "`}`"));
                    }
                }
                Some(b'}') => at = after_label,
                Some(b'"' | b'a'..=b'z' | b'A'..=b'Z' | b'_') if spaced => {
                    // The first of a series tells enough.
                    if self.soft.is_empty() {
                        let found = found_at(body, after_label);
                        self.soft.push(Fault::new(after_label, "a comma between two labels", found));
                    }
                    at = after_label;
                }
                _ => return Err(Fault::new(after_label, "`,` or `}`", found_at(body, after_label))),
            }
        }
        match self.duplicate(body, of) {
            // Prometheus never looks at an exemplar's names.
            Some(fault) if of == Of::Exemplar => self.soft.push(fault),
            Some(fault) => return Err(fault),
            None => {}
        }
        Ok(at + 1)
    }

    /// Reads a value from its opening quote and keeps the label.
    fn scan_value(
        &mut self,
        body: &[u8],
        label_at: usize,
        name: (usize, usize),
        quote: usize,
        spaced: bool,
    ) -> Result<usize, Fault> {
        if body.get(quote) != Some(&b'"') {
            return Err(Fault::new(quote, "a label value in double quotes", found_at(body, quote)));
        }
        let end = scan_quoted(body, quote, spaced, &mut self.soft)?;
        if name.0 == name.1 {
            return Err(Fault::new(label_at, "a label name", "an empty name"));
        }
        self.labels.push(Label { name, value: (quote + 1, end - 1) });
        Ok(end)
    }

    fn duplicate(&self, body: &[u8], of: Of) -> Option<Fault> {
        let name_of = |label: &Label| &body[label.name.0..label.name.1];
        let twice = |label: &Label| {
            let name = String::from_utf8_lossy(name_of(label)).into_owned();
            Fault::new(label.name.0, "each label name once", format!("{name:?} again"))
        };
        if of != Of::Exemplar
            && let Some(label) = self.labels.iter().find(|label| name_of(label) == b"__name__")
        {
            return Some(twice(label));
        }
        if self.labels.len() <= 16 {
            let earlier = |index: usize| &self.labels[..index];
            let mut labels = self.labels.iter().enumerate();
            let second = labels
                .find(|(index, label)| earlier(*index).iter().any(|other| name_of(other) == name_of(label)));
            return second.map(|(_, label)| twice(label));
        }
        // Many labels are sorted, so that a hostile body cannot make this quadratic.
        let mut sorted: Vec<&Label> = self.labels.iter().collect();
        sorted.sort_by_key(|label| (name_of(label), label.name.0));
        sorted.windows(2).find(|pair| name_of(pair[0]) == name_of(pair[1])).map(|pair| twice(pair[1]))
    }
}

/// A label name, or a metric name in quotes: its content and the offset after it.
fn scan_label_name(body: &[u8], at: usize, first: bool) -> Result<((usize, usize), usize), Fault> {
    match body.get(at) {
        Some(b'"') => {
            let mut soft = Vec::new();
            let end = scan_quoted(body, at, false, &mut soft)?;
            if end == at + 2 {
                return Err(Fault::new(at, "a name between the quotes", "an empty name"));
            }
            Ok(((at + 1, end - 1), end))
        }
        Some(b'a'..=b'z' | b'A'..=b'Z' | b'_') => {
            let end = at + body[at..].iter().take_while(|b| is_label_byte(**b)).count();
            Ok(((at, end), end))
        }
        _ if first => Err(Fault::new(at, "a label name or `}`", found_at(body, at))),
        _ => Err(Fault::new(at, "a label name", found_at(body, at))),
    }
}

/// From an opening quote to after its closing one. `lines`: a raw newline inside is forgiven.
pub(super) fn scan_quoted(
    body: &[u8],
    open: usize,
    lines: bool,
    soft: &mut Vec<Fault>,
) -> Result<usize, Fault> {
    let unclosed =
        |found: &str| Fault::new(open, "a closing `\"` for this one", format!("{found} before it"));
    let mut at = open + 1;
    let mut newline = None;
    loop {
        match body.get(at) {
            Some(b'"') => break,
            Some(b'\\') => match body.get(at + 1) {
                Some(b'\n') => return Err(Fault::new(at, "`\\\\`, `\\\"` or `\\n`", "`\\` and a line end")),
                Some(_) => at += 2,
                None => return Err(unclosed("the end of the body")),
            },
            Some(b'\n') if lines => {
                newline = newline.or(Some(at));
                at += 1;
            }
            Some(b'\n') => return Err(unclosed("the end of the line")),
            Some(_) => at += 1,
            None => return Err(unclosed("the end of the body")),
        }
    }
    if let Some(newline) = newline {
        soft.push(Fault::new(newline, "`\\n` for a line end in a label value", "a raw line end"));
    }
    Ok(at + 1)
}

#[inline]
pub(super) fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[inline]
pub(super) fn is_name_byte(byte: u8) -> bool {
    is_label_byte(byte) || byte == b':'
}

#[inline]
pub(super) fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':'
}

#[inline]
pub(super) fn skip_blanks(body: &[u8], mut at: usize) -> usize {
    while matches!(body.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    at
}

/// Undoes `\\`, `\"` and `\n`; any other backslash stays, as in Prometheus.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    unescape_with(text, true)
}

/// As [`unescape`]; HELP in Prometheus text has no `\"`.
pub(super) fn unescape_with(text: &str, quotes: bool) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            plain.push(char);
            continue;
        }
        match chars.next() {
            Some('n') => plain.push('\n'),
            Some('\\') => plain.push('\\'),
            Some('"') if quotes => plain.push('"'),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    Cow::Owned(plain)
}

/// Name and labels of a series that was already read once. Text that is no series gives what can be read.
pub fn split_series(series: &str) -> (Cow<'_, str>, LabelPairs<'_>) {
    let body = series.as_bytes();
    let name_end = body.iter().position(|byte| !is_name_byte(*byte)).unwrap_or(body.len());
    let mut braces = Braces::default();
    let open = skip_blanks(body, name_end);
    if body.get(open) == Some(&b'{') {
        let of = if name_end == 0 { Of::Nameless } else { Of::Named };
        // A fault cannot be new here: what was read before it is the answer.
        let _ = braces.scan(body, open, Format::PrometheusText, of);
    }
    let cut = |(from, to): (usize, usize)| unescape(series.get(from..to).unwrap_or_default());
    let name = braces.name.map_or(Cow::Borrowed(&series[..name_end]), cut);
    (name, braces.labels.iter().map(|label| (cut(label.name), cut(label.value))).collect())
}
