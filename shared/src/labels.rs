//! Label sets and matchers: what names a series, and what selects it.
//!
//! | module | gives |
//! |---|---|
//! | this file | [`LabelSet`], and how a target's labels are laid over an exposed series' own |
//! | [`matcher`] | one condition on one label, as PromQL has them |
//! | [`selector`] | `metric{label="value", …}`, parsed and written |
//! | [`quote`] | PromQL's string literals |

pub mod matcher;
pub mod quote;
pub mod selector;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use matcher::{MatchOp, Matcher};
pub use selector::{Selector, SelectorError};

/// The label that holds a series' metric name.
pub const METRIC_NAME: &str = "__name__";

/// What Prometheus puts before an exposed label that a target's own label overrides.
pub const EXPORTED_PREFIX: &str = "exported_";

/// The sorted labels of a series, the metric's name among them as [`METRIC_NAME`].
///
/// A fleet has hundreds of thousands of these, so a set is one shared string, each name and value behind
/// its length: 16 bytes a handle, one allocation, a clone costs a count. A label with an empty value is
/// no label, as in Prometheus.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LabelSet(Arc<str>);

impl Default for LabelSet {
    fn default() -> Self {
        Self(Arc::from(""))
    }
}

impl LabelSet {
    /// Sorts and packs pairs of name and value. Of a name given twice the first stays; empty values go.
    pub fn from_pairs<N: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut pairs: Vec<(N, V)> = pairs.into_iter().filter(|(_, v)| !v.as_ref().is_empty()).collect();
        pairs.sort_by(|a, b| a.0.as_ref().cmp(b.0.as_ref()));
        pairs.dedup_by(|later, earlier| later.0.as_ref() == earlier.0.as_ref());
        let length = pairs.iter().map(|(n, v)| n.as_ref().len() + v.as_ref().len() + 2).sum();
        let mut packed = String::with_capacity(length);
        for (name, value) in &pairs {
            push_part(&mut packed, name.as_ref());
            push_part(&mut packed, value.as_ref());
        }
        Self(packed.into())
    }

    /// The pairs of name and value, by name.
    pub fn iter(&self) -> Labels<'_> {
        Labels { rest: &self.0 }
    }

    /// The value of a label; `None` where the set has none of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(n, v)| (n == name).then_some(v))
    }

    /// The metric's name; empty where there is none.
    pub fn metric(&self) -> &str {
        self.get(METRIC_NAME).unwrap_or("")
    }

    /// Whether there is no label at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// The pairs as a map, for what goes out as JSON or into templates.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The set without the labels that `drop` names.
    pub fn without(&self, drop: impl Fn(&str) -> bool) -> Self {
        Self::from_pairs(self.iter().filter(|(n, _)| !drop(n)))
    }

    /// A hash that is the same in every run and on every machine (FNV-1a, 64 bits).
    pub fn fingerprint(&self) -> u64 {
        self.0
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }

    /// Bytes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.0.len() + 2 * size_of::<usize>()
    }

    /// Renames the labels that a target's labels would override, as Prometheus does with
    /// `honor_labels: false`: `exported_` goes before the name until it is free. The target's own labels
    /// are *not* added: see [`LabelSet::merged`].
    pub fn exported(&self, target: &Self) -> Self {
        if target.iter().all(|(name, _)| self.get(name).is_none()) {
            return self.clone();
        }
        let mut own: Vec<(String, &str)> = Vec::with_capacity(self.len());
        let mut clashing: Vec<(&str, &str)> = Vec::new();
        for (name, value) in self.iter() {
            if target.get(name).is_some() {
                clashing.push((name, value));
            } else {
                own.push((name.to_owned(), value));
            }
        }
        clashing.sort_by_key(|(name, _)| name.len());
        for (name, value) in clashing {
            let mut free = format!("{EXPORTED_PREFIX}{name}");
            while target.get(&free).is_some() || own.iter().any(|(taken, _)| *taken == free) {
                free.insert_str(0, EXPORTED_PREFIX);
            }
            own.push((free, value));
        }
        Self::from_pairs(own)
    }

    /// The whole series: these labels, clashes renamed by [`LabelSet::exported`], and the target's.
    pub fn merged(&self, target: &Self) -> Self {
        let own = self.exported(target);
        // Both are sorted and share no name, so they are joined as they are.
        let mut packed = String::with_capacity(own.0.len() + target.0.len());
        let (mut ours, mut theirs) = (own.iter().peekable(), target.iter().peekable());
        loop {
            let first = match (ours.peek(), theirs.peek()) {
                (Some(a), Some(b)) if a.0 <= b.0 => ours.next(),
                (_, Some(_)) => theirs.next(),
                (_, None) => ours.next(),
            };
            let Some((name, value)) = first else { return Self(packed.into()) };
            push_part(&mut packed, name);
            push_part(&mut packed, value);
        }
    }
}

/// The pairs of a [`LabelSet`].
#[derive(Clone)]
pub struct Labels<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Labels<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        Some((pop_part(&mut self.rest), pop_part(&mut self.rest)))
    }
}

/// A length goes before its part as characters of 14 bits, the low ones first; bit 15 says that more
/// follow. So the packed set stays valid UTF-8 (these characters are below the surrogates).
const LENGTH_BITS: u32 = 14;
const LENGTH_MORE: u32 = 1 << LENGTH_BITS;

fn push_part(packed: &mut String, part: &str) {
    let mut length = part.len();
    loop {
        let low = (length as u32) & (LENGTH_MORE - 1);
        length >>= LENGTH_BITS;
        let digit = if length > 0 { low | LENGTH_MORE } else { low };
        packed.push(char::from_u32(digit).unwrap_or_default());
        if length == 0 {
            break;
        }
    }
    packed.push_str(part);
}

fn pop_part<'a>(rest: &mut &'a str) -> &'a str {
    let mut chars = rest.chars();
    let mut length = 0usize;
    let mut shift = 0;
    for digit in chars.by_ref() {
        let digit = u32::from(digit);
        length |= ((digit & (LENGTH_MORE - 1)) as usize) << shift;
        shift += LENGTH_BITS;
        if digit & LENGTH_MORE == 0 {
            break;
        }
    }
    let (part, after) = chars.as_str().split_at(length);
    *rest = after;
    part
}

impl PartialOrd for LabelSet {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Pair by pair, as Prometheus sorts series.
impl Ord for LabelSet {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl<'a> IntoIterator for &'a LabelSet {
    type Item = (&'a str, &'a str);
    type IntoIter = Labels<'a>;

    fn into_iter(self) -> Labels<'a> {
        self.iter()
    }
}

/// As PromQL writes a series: `name{label="value"}`, or `{"a name", label="value"}` where the name is not
/// a plain word. What is written selects what it names.
impl fmt::Display for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = self.iter().filter(|(n, _)| *n != METRIC_NAME);
        selector::write_selector(f, self.get(METRIC_NAME), labels.map(|(n, v)| (n, MatchOp::Equal, v)))
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a word can stand unquoted as a metric's name.
pub fn is_plain_metric(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_' || b == b':')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b':')
}

/// Whether a word can stand unquoted as a label's name.
pub fn is_plain_label(name: &str) -> bool {
    is_plain_metric(name) && !name.contains(':')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn set(pairs: &[(&str, &str)]) -> LabelSet {
        LabelSet::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn a_set_is_sorted_and_keeps_no_empty_value() {
        let a = set(&[("z", "1"), (METRIC_NAME, "up"), ("a", ""), ("b", "2")]);
        assert_eq!(a, set(&[("b", "2"), ("z", "1"), (METRIC_NAME, "up")]));
        assert_eq!(a.iter().collect::<Vec<_>>(), [(METRIC_NAME, "up"), ("b", "2"), ("z", "1")]);
        assert_eq!(a.get("a"), None);
        assert_eq!(a.metric(), "up");
        assert_eq!(a.to_string(), r#"up{b="2",z="1"}"#);
        assert_eq!(set(&[]).to_string(), "{}");
    }

    #[test]
    fn long_values_and_any_utf8_survive() {
        for length in [0, 1, 127, 128, 2047, 16_383, 16_384, 3_000_000] {
            let value = "é".repeat(length);
            let packed = set(&[("v", &value), ("w", "\u{0}\u{ff}x")]);
            assert_eq!(packed.get("w"), Some("\u{0}\u{ff}x"));
            assert_eq!(packed.get("v").unwrap_or(""), value);
        }
    }

    #[test]
    fn a_fingerprint_never_changes() {
        assert_eq!(set(&[]).fingerprint(), 0xcbf2_9ce4_8422_2325);
        assert_eq!(set(&[("a", "b")]).fingerprint(), set(&[("a", "b")]).fingerprint());
        assert_ne!(set(&[("a", "b")]).fingerprint(), set(&[("ab", "")]).fingerprint());
    }

    /// The cases of Prometheus's `TestScrapeLoopAppend` for `honor_labels: false`.
    #[test]
    fn clashing_labels_are_exported_as_prometheus_does() {
        let target = set(&[("instance", "eu-1"), ("job", "decdn")]);
        let merged = |pairs: &[(&str, &str)]| set(pairs).merged(&target).to_string();
        assert_eq!(merged(&[(METRIC_NAME, "m"), ("n", "1")]), r#"m{instance="eu-1",job="decdn",n="1"}"#);
        assert_eq!(
            merged(&[(METRIC_NAME, "m"), ("instance", "x")]),
            r#"m{exported_instance="x",instance="eu-1",job="decdn"}"#
        );
        assert_eq!(
            merged(&[(METRIC_NAME, "m"), ("instance", "x"), ("exported_instance", "y")]),
            r#"m{exported_exported_instance="x",exported_instance="y",instance="eu-1",job="decdn"}"#
        );
        let target = set(&[("foo", "3"), ("exported_foo", "4")]);
        assert_eq!(
            set(&[(METRIC_NAME, "m"), ("foo", "1"), ("exported_foo", "2")]).merged(&target).to_string(),
            r#"m{exported_exported_exported_foo="2",exported_exported_foo="1",exported_foo="4",foo="3"}"#
        );
    }
}
