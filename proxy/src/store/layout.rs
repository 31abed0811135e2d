//! The byte layout of an endpoint's last exposition, so that an unchanged series costs one comparison.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

const NOWHERE: u32 = u32::MAX;

/// Which column each raw `name{labels}` belongs to, and in which order they came last time.
#[derive(Default)]
pub(super) struct Layout {
    /// The raw texts, one behind the other.
    text: String,
    entries: Vec<Entry>,
    by_text: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Entries in the order of the last exposition.
    order: Vec<u32>,
    /// Where in `order` the next sample is expected.
    cursor: usize,
    /// The order of this exposition, from the moment it differs.
    changed: Option<Vec<u32>>,
}

#[derive(Clone, Copy)]
struct Entry {
    end: u32,
    column: u32,
    /// Its index in `order`.
    place: u32,
}

impl Layout {
    /// Begins an exposition.
    pub(super) fn rewind(&mut self) {
        self.cursor = 0;
        self.changed = None;
    }

    /// The bytes that come next if nothing changed.
    pub(super) fn expected(&self) -> Option<&str> {
        self.order.get(self.cursor).map(|&entry| self.raw(entry))
    }

    /// The column of a raw series, if it was ever seen; the cursor moves behind it.
    pub(super) fn find(&mut self, raw: &str) -> Option<u32> {
        if let Some(&entry) = self.order.get(self.cursor)
            && self.raw(entry) == raw
        {
            self.cursor += 1;
            if let Some(changed) = &mut self.changed {
                changed.push(entry);
            }
            return Some(self.entries[entry as usize].column);
        }
        let entry = *self.by_text.find(self.hasher.hash_one(raw), |&entry| self.raw(entry) == raw)?;
        let Entry { column, place, .. } = self.entries[entry as usize];
        self.changed().push(entry);
        if place != NOWHERE {
            self.cursor = place as usize + 1;
        }
        Some(column)
    }

    /// Remembers a raw series that [`Layout::find`] did not know.
    pub(super) fn add(&mut self, raw: &str, column: u32) {
        let entry = self.entries.len() as u32;
        self.text.push_str(raw);
        self.entries.push(Entry { end: self.text.len() as u32, column, place: NOWHERE });
        self.index(entry);
        self.changed().push(entry);
    }

    /// Ends an exposition that was read whole: its order is the one expected next.
    pub(super) fn finish(&mut self) {
        match self.changed.take() {
            None if self.cursor == self.order.len() => return,
            None => self.order.truncate(self.cursor),
            Some(order) => self.order = order,
        }
        // A node that writes its labels in another order every time must not grow this without end.
        if self.entries.len() > 2 * self.order.len() + 1024 {
            let columns: Vec<(String, u32)> = (self.order.iter())
                .map(|&e| (self.raw(e).to_owned(), self.entries[e as usize].column))
                .collect();
            *self = Self::default();
            for (raw, column) in columns {
                self.add(&raw, column);
            }
            self.order = self.changed.take().unwrap_or_default();
        }
        self.entries.iter_mut().for_each(|entry| entry.place = NOWHERE);
        for (place, &entry) in self.order.iter().enumerate() {
            self.entries[entry as usize].place = place as u32;
        }
    }

    /// How many raw series it knows.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Forgets what was added since it had `length` entries, with the exposition that added it.
    pub(super) fn abandon(&mut self, length: usize) {
        self.changed = None;
        if self.entries.len() > length {
            self.entries.truncate(length);
            self.text.truncate(self.entries.last().map_or(0, |entry| entry.end as usize));
            self.by_text.retain(|&mut entry| (entry as usize) < length);
        }
    }

    /// Renumbers the columns; entries whose column is gone (`None`) go too.
    pub(super) fn renumber(&mut self, new_column: impl Fn(u32) -> Option<u32>) {
        let old = std::mem::take(self);
        let mut kept = vec![NOWHERE; old.entries.len()];
        for (entry, kept) in kept.iter_mut().enumerate() {
            if let Some(column) = new_column(old.entries[entry].column) {
                *kept = self.entries.len() as u32;
                self.add(old.raw(entry as u32), column);
            }
        }
        self.changed = Some(old.order.iter().map(|&e| kept[e as usize]).filter(|&e| e != NOWHERE).collect());
        self.finish();
    }

    /// Bytes on the heap, nearly.
    pub(super) fn heap_bytes(&self) -> usize {
        self.text.capacity()
            + self.entries.capacity() * size_of::<Entry>()
            + (self.by_text.capacity() * 8 / 7) * 5
            + self.order.capacity() * 4
    }

    fn changed(&mut self) -> &mut Vec<u32> {
        let (order, cursor) = (&self.order, self.cursor);
        self.changed.get_or_insert_with(|| order[..cursor].to_vec())
    }

    fn raw(&self, entry: u32) -> &str {
        raw(&self.text, &self.entries, entry)
    }

    fn index(&mut self, entry: u32) {
        let Self { text, entries, by_text, hasher, .. } = self;
        let hash = |&entry: &u32| hasher.hash_one(raw(text, entries, entry));
        by_text.insert_unique(hash(&entry), entry, hash);
    }
}

fn raw<'a>(text: &'a str, entries: &[Entry], entry: u32) -> &'a str {
    let entry = entry as usize;
    let start = if entry == 0 { 0 } else { entries[entry - 1].end as usize };
    &text[start..entries[entry].end as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds an exposition, new series getting the next column; gives the columns, and how many of the
    /// series were the expected ones.
    fn feed(layout: &mut Layout, series: &str) -> (Vec<u32>, usize) {
        layout.rewind();
        let mut expected = 0;
        let columns = series.split_whitespace().map(|raw| {
            expected += usize::from(layout.expected() == Some(raw));
            layout.find(raw).unwrap_or_else(|| {
                let column = layout.len() as u32;
                layout.add(raw, column);
                column
            })
        });
        let columns = columns.collect();
        layout.finish();
        (columns, expected)
    }

    #[test]
    fn an_unchanged_exposition_is_all_expected() {
        let mut layout = Layout::default();
        assert_eq!(feed(&mut layout, "a b c d"), (vec![0, 1, 2, 3], 0));
        assert_eq!(feed(&mut layout, "a b c d"), (vec![0, 1, 2, 3], 4));
    }

    #[test]
    fn a_series_more_or_less_costs_one_lookup_once() {
        let mut layout = Layout::default();
        feed(&mut layout, "a b c d");
        assert_eq!(feed(&mut layout, "a x b c d"), (vec![0, 4, 1, 2, 3], 4));
        assert_eq!(feed(&mut layout, "a x b c d"), (vec![0, 4, 1, 2, 3], 5));
        assert_eq!(feed(&mut layout, "a c d"), (vec![0, 2, 3], 2));
        assert_eq!(feed(&mut layout, "a c"), (vec![0, 2], 2));
        assert_eq!(feed(&mut layout, "a c x"), (vec![0, 2, 4], 2));
        assert_eq!(feed(&mut layout, "x c a"), (vec![4, 2, 0], 0));
        assert_eq!(feed(&mut layout, "x c a"), (vec![4, 2, 0], 3));
    }

    #[test]
    fn an_abandoned_exposition_leaves_no_trace() {
        let mut layout = Layout::default();
        feed(&mut layout, "a b");
        layout.rewind();
        assert_eq!(layout.find("b"), Some(1));
        layout.add("x", 7);
        layout.abandon(2);
        assert_eq!(feed(&mut layout, "a b"), (vec![0, 1], 2));
        assert_eq!(layout.find("x"), None);
    }

    #[test]
    fn renumbering_keeps_the_order() {
        let mut layout = Layout::default();
        feed(&mut layout, "a b c d");
        layout.renumber(|column| (column != 1).then(|| if column == 0 { 0 } else { column - 1 }));
        assert_eq!(feed(&mut layout, "a c d"), (vec![0, 1, 2], 3));
        assert_eq!(layout.find("b"), None);
    }

    #[test]
    fn an_ever_changing_spelling_does_not_grow_it() {
        let mut layout = Layout::default();
        for round in 0..5000 {
            feed(&mut layout, &format!("a b{round} c"));
        }
        assert!(layout.len() < 1100);
    }
}
