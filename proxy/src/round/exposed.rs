//! An exposition on its way into the store, with what normalising needs of it noted in passing, so
//! that each byte is read once.

use std::collections::HashMap;

use fleetglass_shared::{
    exposition::{Entry, ParseError, Parser, Sample},
    family::{self, MetricLookup},
    labels::LabelSet,
};

use crate::store::{Exposition, Item, Reader, StoreError};

/// A parser, and the samples it gave so far.
pub(super) struct Exposed<'a> {
    parser: Parser<'a>,
    samples: Vec<Sample<'a>>,
    /// Where the samples of each name stand: expositions keep a name's samples together.
    runs: HashMap<&'a str, Vec<(usize, usize)>>,
    held: Option<Entry<'a>>,
}

impl<'a> Exposed<'a> {
    pub(super) fn new(parser: Parser<'a>) -> Self {
        Self { parser, samples: Vec::new(), runs: HashMap::new(), held: None }
    }

    /// How many samples it gave.
    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    /// What the parser read over, in words.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.parser.warnings().iter().map(ToString::to_string).collect()
    }

    /// Whether the warnings are all there are: a body that is as the last one was is not read for its meaning again.
    pub(super) fn checks_meaning(&self) -> bool {
        self.parser.checks_meaning()
    }

    /// Reads to the end without a store.
    pub(super) fn drain(&mut self) -> Result<(), StoreError> {
        while let Some(item) = self.next_item(None) {
            item.map_err(StoreError::Exposition)?;
        }
        Ok(())
    }

    fn note(&mut self, sample: &Sample<'a>) {
        let index = self.samples.len();
        let name = plain_name(sample.series);
        let runs = self.runs.entry(name).or_default();
        match runs.last_mut() {
            Some((_, end)) if *end == index => *end += 1,
            _ => runs.push((index, index + 1)),
        }
        self.samples.push(sample.clone());
    }
}

impl Exposition for Exposed<'_> {
    fn next_item(&mut self, hint: Option<&[u8]>) -> Option<Result<Item<'_>, String>> {
        loop {
            let entry = match self.parser.next_entry_with(hint)? {
                Ok(entry) => entry,
                Err(error) => return Some(Err(ParseError::to_string(&error))),
            };
            match &entry {
                Entry::Comment(_) | Entry::Eof => continue,
                Entry::Sample(sample) => self.note(&sample.clone()),
                _ => {}
            }
            return Item::of(self.held.insert(entry)).map(Ok);
        }
    }

    fn labels(raw: &str) -> Result<LabelSet, String> {
        Reader::labels(raw)
    }
}

impl MetricLookup for Exposed<'_> {
    fn for_each(&self, metric: &str, visit: &mut dyn FnMut(family::Sample<'_>)) {
        for &(start, end) in self.runs.get(metric).into_iter().flatten() {
            for sample in &self.samples[start..end] {
                let (_, labels) = sample.name_and_labels();
                let labels: Vec<(&str, &str)> =
                    labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
                visit(family::Sample { labels: &labels, value: sample.value, text: sample.value_text });
            }
        }
    }

    fn for_each_name(&self, visit: &mut dyn FnMut(&str)) {
        self.runs.keys().for_each(|name| visit(name));
    }
}

/// The name at the head of a raw series, without its labels. A name in quotes inside the braces keeps
/// its escapes: no family maps such a name.
fn plain_name(series: &str) -> &str {
    match series.split_once('{') {
        Some(("", inner)) => {
            inner.strip_prefix('"').and_then(|rest| rest.split('"').next()).unwrap_or_default()
        }
        Some((name, _)) => name.trim_end(),
        None => series,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use fleetglass_shared::exposition::{Format, Mode, parse};

    use super::*;

    #[test]
    fn samples_are_found_by_name_while_they_are_read() {
        let body = b"# TYPE a gauge\na{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\na{x=\"3\"} 18446744073709551617\n{\"q\",x=\"y\"} 5\n";
        let mut exposed = Exposed::new(parse(body, Format::PrometheusText, Mode::Lenient));
        exposed.drain().unwrap();
        assert_eq!(exposed.len(), 5);
        let mut seen = Vec::new();
        exposed.for_each("a", &mut |sample| {
            seen.push((sample.label("x").unwrap().to_owned(), sample.text.to_owned()))
        });
        let expected = [("1", "1"), ("2", "2"), ("3", "18446744073709551617")];
        assert_eq!(seen, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert!(exposed.has("q") && !exposed.has("c"));
    }
}
