//! History as text, out and in: OpenMetrics with timestamps.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use fleetglass_shared::exposition::{Entry, Format, Mode, parse, split_series, write::push_series};
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, METRIC_NAME, MatchOp, Matcher};
use fleetglass_shared::promql::{EvalError, Storage};
use fleetglass_shared::sample::{format_value, is_stale};

use crate::store::{SeriesSamples, Store, TargetIdent};

/// Text is handed on in pieces of about this size.
const PIECE: usize = 256 << 10;

/// What came of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Series.
    pub series: usize,
    /// Samples.
    pub samples: usize,
}

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The text cannot be read; where and what.
    #[error("{0}")]
    Text(String),
    /// A sample that says not when it was.
    #[error("a sample of `{0}` has no timestamp; history needs one on each sample")]
    NoTime(String),
    /// The disk takes nothing.
    #[error("{0}")]
    Store(String),
}

/// Writes every sample of a span whose series pass one of the selectors (none: all), metric by metric, as
/// OpenMetrics with timestamps. Stale markers have no form there and are left out.
///
/// # Errors
/// What `out` says, at once, and what cannot be read.
pub fn export(
    store: &Store,
    selectors: &[Vec<Matcher>],
    span: (UnixMillis, UnixMillis),
    out: &mut dyn FnMut(String) -> Result<(), String>,
) -> Result<(), String> {
    let every = [Vec::new()];
    let selectors = if selectors.is_empty() { &every } else { selectors };
    let (from, to) = span;
    let names: BTreeSet<String> =
        selectors.iter().flat_map(|matchers| store.label_values(METRIC_NAME, matchers, from, to)).collect();
    export_from(store, names, selectors, span, out)
}

/// The same of any storage, of which the metrics' names are known.
///
/// # Errors
/// As [`export`].
pub fn export_from(
    storage: &dyn Storage,
    names: BTreeSet<String>,
    selectors: &[Vec<Matcher>],
    (from, to): (UnixMillis, UnixMillis),
    out: &mut dyn FnMut(String) -> Result<(), String>,
) -> Result<(), String> {
    let mut text = String::new();
    for name in names {
        let mut seen = BTreeSet::new();
        for matchers in selectors {
            let mut matchers = matchers.clone();
            let named = matchers.iter().any(|m| m.name() == METRIC_NAME && m.op() == MatchOp::Equal);
            if !named {
                matchers.push(Matcher::equal(METRIC_NAME, &name));
            } else if !matchers.iter().all(|m| m.name() != METRIC_NAME || m.matches(&name)) {
                continue;
            }
            let read = storage.scan(&matchers, from, to, &mut |series| {
                if !seen.insert(series.labels.clone()) {
                    return Ok(());
                }
                for (at, value) in series.times.iter().zip(series.values) {
                    if *at < from || *at > to || is_stale(*value) {
                        continue;
                    }
                    push_sample(&mut text, series.labels, *at, *value);
                }
                if text.len() >= PIECE {
                    out(std::mem::take(&mut text)).map_err(EvalError::Execution)?;
                }
                Ok(())
            });
            read.map_err(|error| error.to_string())?;
        }
    }
    text.push_str("# EOF\n");
    out(text)
}

fn push_sample(text: &mut String, labels: &LabelSet, at: UnixMillis, value: f64) {
    let own = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
    push_series(text, labels.metric(), own);
    let (seconds, millis) = (at.div_euclid(1000), at.rem_euclid(1000));
    // Writing to a String never fails.
    let _ = match millis {
        0 => writeln!(text, " {} {seconds}", format_value(value)),
        _ => writeln!(text, " {} {seconds}.{millis:03}", format_value(value)),
    };
}

/// Reads OpenMetrics with timestamps and puts its samples on disk: all of them, or none where the text
/// cannot be read. The `instance` label says whose they are.
///
/// # Errors
/// Where the text is wrong, or that the disk takes nothing.
pub fn import(store: &Store, text: &[u8], now: UnixMillis) -> Result<Imported, ImportError> {
    let mut parser = parse(text, Format::OpenMetrics, Mode::Lenient);
    let mut series: BTreeMap<LabelSet, Vec<(UnixMillis, f64)>> = BTreeMap::new();
    let mut known: BTreeMap<&str, LabelSet> = BTreeMap::new();
    let mut imported = Imported::default();
    while let Some(entry) = parser.next_entry() {
        let entry = entry.map_err(|error| ImportError::Text(error.to_string()))?;
        let Entry::Sample(sample) = entry else { continue };
        let at = sample.timestamp.ok_or_else(|| ImportError::NoTime(sample.series.to_owned()))?;
        let labels = known.entry(sample.series).or_insert_with(|| {
            let (name, pairs) = split_series(sample.series);
            LabelSet::from_pairs(pairs.into_iter().chain([(METRIC_NAME.into(), name)]))
        });
        series.entry(labels.clone()).or_default().push((at, sample.value));
        imported.samples += 1;
    }
    imported.series = series.len();
    let mut targets: BTreeMap<LabelSet, Vec<SeriesSamples>> = BTreeMap::new();
    for (labels, samples) in series {
        let target = target_of(store, &labels);
        let own = labels.without(|name| target.get(name).is_some());
        targets.entry(target).or_default().push((own, samples));
    }
    for (target, series) in targets {
        let ident = ident(&target);
        store.import(&ident, series, now).map_err(|error| ImportError::Store(error.to_string()))?;
    }
    Ok(imported)
}

/// The labels of the target whose series it is: those the instance has now, where the series has them too.
fn target_of(store: &Store, labels: &LabelSet) -> LabelSet {
    let instance = labels.get("instance").unwrap_or_default();
    let known = store.target_labels(instance);
    known
        .filter(|known| known.iter().all(|(name, value)| labels.get(name) == Some(value)))
        .unwrap_or_else(|| labels.without(|name| name != "instance" && name != "job"))
}

fn ident(target: &LabelSet) -> TargetIdent {
    let text = |name: &str| target.get(name).unwrap_or_default().to_owned();
    let rest = target.iter().filter(|(name, _)| !["instance", "job"].contains(name));
    TargetIdent {
        instance: text("instance"),
        job: text("job"),
        labels: rest.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}
