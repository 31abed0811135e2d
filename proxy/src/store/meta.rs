//! What a target says about its metrics: type, help and unit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;

/// Type, help and unit of one metric family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// `counter`, `gauge`, `histogram`, `gaugehistogram`, `summary`, `info`, `stateset` or `unknown`.
    pub kind: &'static str,
    /// The HELP text; empty if none.
    pub help: Arc<str>,
    /// The unit; empty if none.
    pub unit: Arc<str>,
}

impl Default for Meta {
    fn default() -> Self {
        Self { kind: "unknown", help: Arc::from(""), unit: Arc::from("") }
    }
}

/// The word for a type, one of those in [`Meta::kind`].
pub fn kind_word(word: &str) -> &'static str {
    const KINDS: [&str; 7] =
        ["counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"];
    KINDS.into_iter().find(|kind| kind.eq_ignore_ascii_case(word)).unwrap_or("unknown")
}

/// Texts that many targets send alike, kept once.
#[derive(Default)]
pub(super) struct Texts(Mutex<HashSet<Arc<str>>>);

impl Texts {
    /// The one of these words, where somebody sent them.
    pub(super) fn known(&self, text: &str) -> Option<Arc<str>> {
        self.0.lock().get(text).cloned()
    }

    /// The one of these words, kept from now on if it is new.
    pub(super) fn share(&self, text: &str) -> Arc<str> {
        let mut texts = self.0.lock();
        if let Some(known) = texts.get(text) {
            return known.clone();
        }
        if texts.len() == texts.capacity() {
            texts.retain(|text| Arc::strong_count(text) > 1);
        }
        let text: Arc<str> = text.into();
        texts.insert(text.clone());
        text
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let texts = self.0.lock();
        texts.capacity() * 17 + texts.iter().map(|text| text.len() + 16).sum::<usize>()
    }
}

/// The metadata of one target, by metric family.
#[derive(Default)]
pub(super) struct Metadata(HashMap<Box<str>, Meta>);

/// More families than this say nothing that a person could read.
const MAX_FAMILIES: usize = 20_000;

impl Metadata {
    fn change(&mut self, family: &str, change: impl FnOnce(&mut Meta)) {
        if let Some(meta) = self.0.get_mut(family) {
            change(meta);
        } else if self.0.len() < MAX_FAMILIES {
            change(self.0.entry(family.into()).or_default());
        }
    }

    pub(super) fn set_kind(&mut self, family: &str, kind: &str) {
        self.change(family, |meta| {
            if meta.kind != kind {
                meta.kind = kind_word(kind);
            }
        });
    }

    pub(super) fn set_help(&mut self, family: &str, help: &str, texts: &Texts) {
        self.change(family, |meta| {
            if *meta.help != *help {
                meta.help = texts.share(help);
            }
        });
    }

    pub(super) fn set_unit(&mut self, family: &str, unit: &str, texts: &Texts) {
        self.change(family, |meta| {
            if *meta.unit != *unit {
                meta.unit = texts.share(unit);
            }
        });
    }

    /// The family of a sample's name, and what is known of it: `x` for `x`, `x_total`, `x_bucket`, ….
    pub(super) fn of<'a>(&'a self, metric: &'a str) -> Option<(&'a str, &'a Meta)> {
        let families = std::iter::once(metric).chain(suffixes(metric));
        families.into_iter().find_map(|family| self.0.get(family).map(|meta| (family, meta)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Meta)> {
        self.0.iter().map(|(family, meta)| (&**family, meta))
    }

    /// Forgets families of which no metric is left.
    pub(super) fn keep_only(&mut self, has_metric: impl Fn(&str) -> bool) {
        self.0.retain(|family, _| {
            let suffixed = |suffix: &&str| has_metric(&format!("{family}{suffix}"));
            has_metric(family) || SUFFIXES.iter().any(suffixed)
        });
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let entry = size_of::<(Box<str>, Meta)>() + 1;
        self.0.capacity() * 8 / 7 * entry + self.0.keys().map(|family| family.len()).sum::<usize>()
    }
}

const SUFFIXES: [&str; 8] = ["_total", "_bucket", "_sum", "_count", "_created", "_info", "_gcount", "_gsum"];

fn suffixes(metric: &str) -> impl Iterator<Item = &str> {
    SUFFIXES.into_iter().filter_map(|suffix| metric.strip_suffix(suffix))
}
