//! An exposition that goes to the store and nowhere else.

use fleetglass_shared::exposition::{Entry, Parser, split_series};
use fleetglass_shared::labels::{LabelSet, METRIC_NAME};

use super::{Exposition, Item};

/// A parser as [`super::Row::expose`] takes it.
pub struct Reader<'a> {
    parser: Parser<'a>,
    /// The entry that the last item borrows from.
    held: Option<Entry<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads what the parser gives.
    pub fn new(parser: Parser<'a>) -> Self {
        Self { parser, held: None }
    }
}

impl<'a> Item<'a> {
    /// What an entry is to the store: nothing, for a comment or the end.
    pub fn of(entry: &'a Entry<'_>) -> Option<Self> {
        Some(match entry {
            Entry::Sample(sample) => Item::Sample {
                raw: sample.series,
                value: sample.value,
                value_text: sample.value_text,
                timestamp: sample.timestamp,
            },
            Entry::Type { metric, kind } => Item::Kind { family: metric, kind: kind.as_str() },
            Entry::Help { metric, help } => Item::Help { family: metric, help },
            Entry::Unit { metric, unit } => Item::Unit { family: metric, unit },
            Entry::Comment(_) | Entry::Eof => return None,
        })
    }
}

impl Exposition for Reader<'_> {
    fn next_item(&mut self, hint: Option<&[u8]>) -> Option<Result<Item<'_>, String>> {
        let entry = loop {
            match self.parser.next_entry_with(hint)? {
                Ok(Entry::Comment(_) | Entry::Eof) => {}
                Ok(entry) => break entry,
                Err(error) => return Some(Err(error.to_string())),
            }
        };
        Item::of(self.held.insert(entry)).map(Ok)
    }

    fn labels(raw: &str) -> Result<LabelSet, String> {
        let (name, labels) = split_series(raw);
        let own = labels.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        Ok(LabelSet::from_pairs(own.chain([(METRIC_NAME, name.as_ref())])))
    }
}
