//! What `load` fills and queries read.

use std::collections::BTreeMap;
use std::sync::Arc;

use fleetglass_shared::labels::{LabelSet, METRIC_NAME, Matcher};
use fleetglass_shared::promql::{EachSeries, EvalError, SeriesRef, Storage};

use fleetglass_shared::promql::notation::{Sample, Series};

/// Series by labels, samples by time.
#[derive(Default)]
pub(crate) struct Loaded {
    series: BTreeMap<LabelSet, BTreeMap<i64, Sample>>,
}

impl Loaded {
    /// Adds the series of one `load`, from time 0 on. Of a series given twice the later one counts.
    pub(crate) fn add(&mut self, step_ms: i64, lines: Vec<Series>, with_native: bool) {
        let mut batch: BTreeMap<LabelSet, Vec<Option<Sample>>> = BTreeMap::new();
        for line in lines {
            if with_native && let Some(native) = native_of(&line) {
                batch.insert(native.labels, native.samples);
            }
            batch.insert(line.labels, line.samples);
        }
        for (labels, samples) in batch {
            let kept = self.series.entry(labels).or_default();
            for (at, sample) in samples.into_iter().enumerate() {
                if let Some(sample) = sample {
                    kept.entry(at as i64 * step_ms).or_insert(sample);
                }
            }
        }
    }
}

/// The native histogram that Prometheus would make of classic buckets.
fn native_of(line: &Series) -> Option<Series> {
    let name = line.labels.metric().strip_suffix("_bucket")?;
    let others = line.labels.iter().filter(|(label, _)| *label != METRIC_NAME && *label != "le");
    let labels = LabelSet::from_pairs(others.chain([(METRIC_NAME, name)]));
    let samples = line.samples.iter().map(|sample| sample.map(|_| Sample::Histogram)).collect();
    Some(Series { labels, samples })
}

impl Storage for Loaded {
    fn scan(&self, matchers: &[Matcher], from: i64, to: i64, each: EachSeries<'_>) -> Result<(), EvalError> {
        if from > to {
            return Ok(());
        }
        for (labels, samples) in &self.series {
            if !matchers.iter().all(|matcher| matcher.matches_set(labels)) {
                continue;
            }
            let (mut times, mut values) = (Vec::new(), Vec::new());
            for (&time, &sample) in samples.range(from..=to) {
                let Sample::Float(value) = sample else {
                    return Err(EvalError::NotSupported("native histograms are".to_owned()));
                };
                times.push(time);
                values.push(value);
            }
            let times: Arc<[i64]> = times.into();
            each(SeriesRef { labels, times: &times, values: &values })?;
        }
        Ok(())
    }
}
