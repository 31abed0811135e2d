//! What a template works on: nothing, scalars, lists, maps, records, times.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::time::{Duration, Time};
use crate::labels::LabelSet;

/// The type name of a sample's record, as Prometheus calls it.
pub(super) const SAMPLE: &str = "template.sample";
/// The type name of what `query` gives.
pub(super) const SAMPLES: &str = "template.queryResult";
/// The type name of a sorted key-value map's pairs, as Alertmanager calls it.
pub(super) const PAIRS: &str = "template.Pairs";

/// A value of a template. What is large is shared, so a clone costs a count.
///
/// Go's templates are typed, and users meet the types in comparisons and error messages; so a float is
/// never an int here, and a map of strings gives `""` for a missing key where other maps give nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// `nil`.
    #[default]
    Nil,
    /// `true` and `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A float: what every sample has.
    Float(f64),
    /// A text. Bytes that are no UTF-8 cannot be in it.
    String(Arc<str>),
    /// A list.
    List(Arc<List>),
    /// A map.
    Map(Arc<Map>),
    /// A record with fixed fields.
    Record(Arc<Record>),
    /// A point in time, in UTC.
    Time(Time),
    /// A length of time.
    Duration(Duration),
}

/// A list, which may have names for parts of itself: Alertmanager's `.Alerts` is a list, and has `.Firing`.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    pub(super) type_name: &'static str,
    pub(super) items: Vec<Value>,
    pub(super) parts: Vec<(String, Value)>,
    depth: usize,
}

/// What a map holds, which decides what a missing key gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MapKind {
    /// Strings: a missing key is `""`.
    Strings,
    /// Strings, with Alertmanager's methods `SortedPairs`, `Names`, `Values`, `Remove`.
    KeyValue,
    /// Anything: a missing key is nil.
    Any,
}

/// A map by key.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub(super) kind: MapKind,
    pub(super) entries: BTreeMap<String, Value>,
    depth: usize,
}

/// A record: to ask for a field that it does not have is an error, which finds typing mistakes.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Empty for Go's nameless struct.
    pub(super) type_name: &'static str,
    pub(super) fields: Vec<(&'static str, Value)>,
    depth: usize,
}

impl Value {
    /// A list of anything.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Self {
        Self::typed_list("[]interface {}", items.into_iter().collect(), Vec::new())
    }

    /// A list that has names for parts of itself, such as Alertmanager's `.Alerts` with `.Firing`.
    pub fn list_with_parts(
        items: impl IntoIterator<Item = Value>,
        parts: impl IntoIterator<Item = (String, Value)>,
    ) -> Self {
        Self::typed_list("[]interface {}", items.into_iter().collect(), parts.into_iter().collect())
    }

    /// A list of texts.
    pub fn texts<T: Into<Value>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::typed_list("[]string", items.into_iter().map(Into::into).collect(), Vec::new())
    }

    pub(super) fn typed_list(
        type_name: &'static str,
        items: Vec<Value>,
        parts: Vec<(String, Value)>,
    ) -> Self {
        let depth = depth_over(items.iter().chain(parts.iter().map(|(_, value)| value)));
        Self::List(Arc::new(List { type_name, items, parts, depth }))
    }

    /// A map of anything, where a missing key gives `<no value>`.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::typed_map(MapKind::Any, entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// A map of texts, where a missing key gives the empty one: labels.
    pub fn strings<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::typed_map(MapKind::Strings, texts(entries))
    }

    /// A map of texts with the methods `SortedPairs`, `Names`, `Values` and `Remove`: labels and annotations
    /// in notifications, Alertmanager's `KV`.
    pub fn key_value<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::typed_map(MapKind::KeyValue, texts(entries))
    }

    pub(super) fn typed_map(kind: MapKind, entries: BTreeMap<String, Value>) -> Self {
        let depth = depth_over(entries.values());
        Self::Map(Arc::new(Map { kind, entries, depth }))
    }

    /// A record with fixed fields. `type_name` stands in errors; empty is Go's nameless struct.
    pub fn record(type_name: &'static str, fields: Vec<(&'static str, Value)>) -> Self {
        let depth = depth_over(fields.iter().map(|(_, value)| value));
        Self::Record(Arc::new(Record { type_name, fields, depth }))
    }

    /// A sample of a query's result: a record with the fields `Labels` and `Value`.
    pub fn sample(labels: &LabelSet, value: f64) -> Self {
        Self::record(SAMPLE, vec![("Labels", Self::strings(labels)), ("Value", Self::Float(value))])
    }

    /// Go's name of the type.
    pub(super) fn type_name(&self) -> String {
        match self {
            Self::Nil => "nil".to_owned(),
            Self::Bool(_) => "bool".to_owned(),
            Self::Int(_) => "int".to_owned(),
            Self::Float(_) => "float64".to_owned(),
            Self::String(_) => "string".to_owned(),
            Self::List(list) => list.type_name.to_owned(),
            Self::Map(map) => map.kind.type_name().to_owned(),
            Self::Record(record) => record.type_name(),
            Self::Time(_) => "*time.Time".to_owned(),
            Self::Duration(_) => "time.Duration".to_owned(),
        }
    }

    /// Whether `if` takes it for true: not zero and not empty. NaN is not zero.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => !map.entries.is_empty(),
            Self::Record(_) | Self::Time(_) => true,
            Self::Duration(duration) => duration.nanoseconds() != 0,
        }
    }

    /// The text, where it is one.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// How deep lists and maps are nested in it; a scalar has 0.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            Self::Record(record) => record.depth,
            _ => 0,
        }
    }
}

fn texts<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, Value> {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

fn depth_over<'a>(parts: impl Iterator<Item = &'a Value>) -> usize {
    parts.map(Value::depth).max().unwrap_or(0) + 1
}

impl MapKind {
    fn type_name(self) -> &'static str {
        match self {
            Self::Strings => "map[string]string",
            Self::KeyValue => "template.KV",
            Self::Any => "map[string]interface {}",
        }
    }
}

impl Map {
    /// What stands under a key; for a missing one what the map's kind says.
    pub(super) fn at(&self, key: &str) -> Value {
        self.entries.get(key).cloned().unwrap_or_else(|| match self.kind {
            MapKind::Strings | MapKind::KeyValue => "".into(),
            MapKind::Any => Value::Nil,
        })
    }
}

impl Record {
    pub(super) fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find_map(|(field, value)| (*field == name).then_some(value))
    }

    /// Prometheus hands samples on as pointers.
    pub(super) fn is_pointer(&self) -> bool {
        self.type_name == SAMPLE
    }

    /// The name without a pointer's star.
    pub(super) fn bare_type_name(&self) -> String {
        if !self.type_name.is_empty() {
            return self.type_name.to_owned();
        }
        let fields: Vec<String> =
            self.fields.iter().map(|(name, value)| format!("{name} {}", value.type_name())).collect();
        format!("struct {{ {} }}", fields.join("; "))
    }

    fn type_name(&self) -> String {
        let star = if self.is_pointer() { "*" } else { "" };
        format!("{star}{}", self.bare_type_name())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<Time> for Value {
    fn from(time: Time) -> Self {
        Self::Time(time)
    }
}

impl From<Duration> for Value {
    fn from(duration: Duration) -> Self {
        Self::Duration(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_as_in_go() {
        let truths = [
            Value::Bool(true),
            Value::Int(-1),
            Value::Float(f64::NAN),
            "0".into(),
            Value::list([Value::Nil]),
            Value::map([("a", Value::Nil)]),
            Value::record("", vec![]),
            Value::Time(Time::from_unix_ms(0)),
        ];
        assert!(truths.iter().all(Value::is_true));
        let lies = [
            Value::Nil,
            Value::Bool(false),
            Value::Int(0),
            Value::Float(-0.0),
            "".into(),
            Value::list([]),
            Value::strings([]),
            Value::Duration(Duration::from_nanoseconds(0)),
        ];
        assert!(!lies.iter().any(Value::is_true));
    }

    #[test]
    fn types_have_gos_names() {
        let labels = LabelSet::from_pairs([("a", "b")]);
        assert_eq!(Value::sample(&labels, 1.0).type_name(), "*template.sample");
        assert_eq!(
            Value::record("", vec![("Labels", Value::strings([])), ("Value", 1.0.into())]).type_name(),
            "struct { Labels map[string]string; Value float64 }"
        );
        assert_eq!(Value::list([Value::list([]), 1_i64.into()]).depth(), 2);
    }
}
