//! A batch as requests: cut by series, so that those of one batch may be sent in any order.

use std::collections::BTreeMap;

use fleetglass_shared::labels::LabelSet;

use crate::{
    remote::{
        proto::{self, Label, Sample, TimeSeries, WriteRequest},
        queue::Batch,
    },
    store,
};

/// A request ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) body: bytes::Bytes,
    pub(super) samples: usize,
}

/// The requests of a batch: series in the order of their hash, at most `most` samples each, and a series never
/// in two. What comes out depends on the arguments alone: the same after a crash.
pub(super) fn requests(batch: Batch, external: &BTreeMap<String, String>, most: usize) -> Vec<Request> {
    let mut series = batch.series;
    series.sort_by_key(|(labels, _)| labels.fingerprint());
    let mut requests = Vec::new();
    let mut open = WriteRequest::default();
    let mut samples = 0;
    for (labels, own) in series {
        if samples > 0 && samples + own.len() > most {
            requests.push(Request { body: proto::compressed(&open).into(), samples });
            (open, samples) = (WriteRequest::default(), 0);
        }
        samples += own.len();
        open.timeseries.push(message(&labels, own, external));
    }
    if samples > 0 {
        requests.push(Request { body: proto::compressed(&open).into(), samples });
    }
    requests
}

fn message(
    labels: &LabelSet,
    mut samples: Vec<store::Sample>,
    external: &BTreeMap<String, String>,
) -> TimeSeries {
    // What was pushed may have come late; receivers want each series in order.
    samples.sort_by_key(|&(at, _)| at);
    let mut pairs: Vec<(&str, &str)> = labels.iter().collect();
    let further = external.iter().filter(|(name, _)| labels.get(name).is_none());
    pairs.extend(further.map(|(name, value)| (name.as_str(), value.as_str())));
    pairs.sort_unstable();
    let label = |(name, value): (&str, &str)| Label { name: name.to_owned(), value: value.to_owned() };
    TimeSeries {
        labels: pairs.into_iter().map(label).collect(),
        samples: samples.into_iter().map(|(timestamp, value)| Sample { value, timestamp }).collect(),
        histograms: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::remote::proto::{Part, decompressed, parts};

    fn batch(many: usize, each: i64) -> Batch {
        let series = |n: usize| {
            let labels = LabelSet::from_pairs([("__name__", format!("m{n}")), ("own", "1".to_owned())]);
            (labels, (0..each).rev().map(|at| (at, n as f64)).collect())
        };
        Batch { series: (0..many).map(series).collect(), samples: many * each as usize, oldest: 0 }
    }

    fn read(request: &Request) -> Vec<TimeSeries> {
        let message = decompressed(&request.body, 1 << 20).unwrap();
        let series = |part: Result<Part, _>| match part.unwrap() {
            Part::Series(series) => series,
            Part::Metadata(_) => panic!("none was sent"),
        };
        parts(&message).map(series).collect()
    }

    #[test]
    fn a_batch_is_cut_by_series_and_always_in_the_same_way() {
        let external = BTreeMap::new();
        let cut = requests(batch(50, 3), &external, 20);
        assert!(cut.iter().all(|request| request.samples <= 20));
        assert_eq!(cut.iter().map(|request| request.samples).sum::<usize>(), 150);
        let mut names: Vec<String> =
            cut.iter().flat_map(read).map(|series| series.labels[0].value.clone()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 50, "no series is in two requests");
        let again = requests(batch(50, 3), &external, 20);
        assert!(cut.iter().zip(&again).all(|(a, b)| a.body == b.body) && cut.len() == again.len());
    }

    #[test]
    fn samples_are_in_order_and_a_long_series_is_not_torn() {
        let one = requests(batch(1, 100), &BTreeMap::new(), 10);
        let series = read(&one[0]);
        assert_eq!((one.len(), one[0].samples), (1, 100));
        assert!(series[0].samples.is_sorted_by_key(|sample| sample.timestamp));
    }

    #[test]
    fn external_labels_never_replace_a_series_own() {
        let external = BTreeMap::from([
            ("cluster".to_owned(), "eu".to_owned()),
            ("own".to_owned(), "external".to_owned()),
        ]);
        let series = read(&requests(batch(1, 1), &external, 10)[0]);
        let labels: Vec<_> = series[0].labels.iter().map(|l| (l.name.as_str(), l.value.as_str())).collect();
        assert_eq!(labels, [("__name__", "m0"), ("cluster", "eu"), ("own", "1")]);
    }
}
