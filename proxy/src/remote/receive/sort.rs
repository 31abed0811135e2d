//! The series of a request, sorted by the node they are of. Pure.

use std::collections::{BTreeMap, BTreeSet};

use fleetglass_shared::labels::{LabelSet, METRIC_NAME};

use crate::{
    config::RemoteWriteInConfig,
    remote::proto::{BodyError, Label, Part, TimeSeries, parts},
    store::Sample,
};

/// As long as a target's id may be.
const LONGEST_ID: usize = 200;

/// Series with all their labels, and their samples in order of time.
pub(super) type Series = Vec<(LabelSet, Vec<Sample>)>;

/// A request.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Sorted {
    /// By the `instance` that they have in the store, and whether that is a node of the fleet: series without
    /// the label that names one are kept too.
    pub(super) nodes: BTreeMap<(String, bool), Series>,
    pub(super) faults: Faults,
}

/// Samples that cannot be kept, by why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    pub(super) bad_labels: usize,
    /// What is wrong with one of those.
    pub(super) example: Option<String>,
    pub(super) histograms: usize,
    pub(super) no_room: usize,
}

/// Sorts a decompressed request. `has_room` says whether a node may come.
pub(super) fn sorted(
    message: &[u8],
    config: &RemoteWriteInConfig,
    has_room: impl Fn(&str) -> bool,
) -> Result<Sorted, BodyError> {
    let mut sorted = Sorted::default();
    let mut new = BTreeSet::new();
    for part in parts(message) {
        // What is known of metrics comes without a node, so there is nowhere to put it.
        let Part::Series(series) = part? else { continue };
        sorted.faults.histograms += series.histograms.len();
        let many = series.samples.len();
        let labels = match label_set(&series.labels) {
            Ok(labels) => labels,
            Err(problem) => {
                sorted.faults.bad_labels += many;
                sorted.faults.example.get_or_insert(problem);
                continue;
            }
        };
        if many == 0 {
            continue;
        }
        let key = match labels.get(&config.node_label) {
            Some(id) if id.len() > LONGEST_ID || id.chars().any(char::is_control) => {
                sorted.faults.bad_labels += many;
                sorted.faults.example.get_or_insert(format!("{}={id:?} names no node", config.node_label));
                continue;
            }
            Some(id) => (id.to_owned(), true),
            None => (labels.get("instance").unwrap_or("").to_owned(), false),
        };
        if key.1 && !new.contains(&key.0) {
            if !has_room(&key.0) {
                sorted.faults.no_room += many;
                continue;
            }
            new.insert(key.0.clone());
        }
        sorted.nodes.entry(key).or_default().push((labels, samples(series)));
    }
    Ok(sorted)
}

fn samples(series: TimeSeries) -> Vec<Sample> {
    let mut samples: Vec<Sample> = series.samples.iter().map(|s| (s.timestamp, s.value)).collect();
    if !samples.is_sorted_by_key(|sample| sample.0) {
        samples.sort_by_key(|sample| sample.0);
    }
    samples
}

/// The labels, or what is wrong with them.
fn label_set(labels: &[Label]) -> Result<LabelSet, String> {
    let mut names = BTreeSet::new();
    for label in labels {
        if label.name.is_empty() {
            return Err("a label without a name".to_owned());
        }
        if !names.insert(label.name.as_str()) {
            return Err(format!("the label `{}` twice", label.name));
        }
    }
    let set = LabelSet::from_pairs(labels.iter().map(|label| (&label.name, &label.value)));
    if set.get(METRIC_NAME).is_none() {
        return Err(format!("no metric name in {set}"));
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use prost::Message;

    use super::*;
    use crate::remote::proto::{Sample, Unread, WriteRequest};

    fn series(labels: &[(&str, &str)], times: &[i64]) -> TimeSeries {
        let label =
            |(name, value): &(&str, &str)| Label { name: (*name).to_owned(), value: (*value).to_owned() };
        TimeSeries {
            labels: labels.iter().map(label).collect(),
            samples: times.iter().map(|&timestamp| Sample { value: 1.0, timestamp }).collect(),
            histograms: Vec::new(),
        }
    }

    fn sort(timeseries: Vec<TimeSeries>, config: &RemoteWriteInConfig) -> Sorted {
        let request = WriteRequest { timeseries, metadata: Vec::new() };
        sorted(&request.encode_to_vec(), config, |id| id != "full").unwrap()
    }

    fn shown(sorted: &Sorted) -> Vec<String> {
        (sorted.nodes.iter())
            .map(|((id, node), series)| {
                let all: Vec<String> = series.iter().map(|(labels, _)| labels.to_string()).collect();
                format!("{id} {node}: {}", all.join(" "))
            })
            .collect()
    }

    #[test]
    fn series_go_to_their_node_and_those_of_none_are_kept() {
        let all = || {
            vec![
                series(&[("__name__", "a"), ("instance", "x"), ("node", "n")], &[1]),
                series(&[("__name__", "b"), ("instance", "x")], &[1]),
                series(&[("__name__", "c")], &[1]),
                series(&[("__name__", "d"), ("instance", "x"), ("empty", "")], &[]),
            ]
        };
        let usual = RemoteWriteInConfig::default();
        assert_eq!(
            shown(&sort(all(), &usual)),
            [" false: c", r#"x true: a{instance="x",node="n"} b{instance="x"}"#]
        );
        let by_node = RemoteWriteInConfig { node_label: "node".to_owned(), ..usual };
        assert_eq!(
            shown(&sort(all(), &by_node)),
            [" false: c", r#"n true: a{instance="x",node="n"}"#, r#"x false: b{instance="x"}"#]
        );
    }

    #[test]
    fn samples_are_put_in_order() {
        let sorted = sort(vec![series(&[("__name__", "a")], &[3, 1, 2])], &RemoteWriteInConfig::default());
        let times: Vec<i64> = sorted.nodes.values().next().unwrap()[0].1.iter().map(|s| s.0).collect();
        assert_eq!(times, [1, 2, 3]);
    }

    #[test]
    fn what_cannot_be_kept_is_counted_and_the_rest_stays() {
        let mut histogram = series(&[("__name__", "h")], &[]);
        histogram.histograms.push(Unread {});
        let sorted = sort(
            vec![
                series(&[("__name__", "ok"), ("instance", "x")], &[1]),
                series(&[("instance", "x")], &[1, 2]),
                series(&[("__name__", "a"), ("__name__", "b")], &[1]),
                series(&[("__name__", "a"), ("", "b")], &[1]),
                series(&[("__name__", "a"), ("instance", "tab\t")], &[1]),
                series(&[("__name__", "a"), ("instance", "full")], &[1, 2, 3]),
                histogram,
            ],
            &RemoteWriteInConfig::default(),
        );
        assert_eq!(shown(&sorted), [r#"x true: ok{instance="x"}"#]);
        let example = Some("no metric name in {instance=\"x\"}".to_owned());
        assert_eq!(sorted.faults, Faults { bad_labels: 5, example, histograms: 1, no_room: 3 });
    }
}
