//! OpenMetrics 1.0: families, groups and points in order, names that do not clash, values their type allows.
//!
//! The verdicts are those of the OpenMetrics project's own suite.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::Facts;
use super::histogram::Point;
use crate::exposition::entry::MetricKind;
use crate::exposition::error::Fault;
use crate::exposition::number::{Stamp, parse_number};

/// What is remembered of the body so far.
#[derive(Debug, Default)]
pub(in crate::exposition) struct Rules {
    /// Hashes of every sample name that an earlier family claimed.
    claimed: HashSet<u64>,
    hasher: RandomState,
    family: Family,
    scratch: String,
}

/// The family being read. Groups are the lines of one metric: one label set, without `le` and its like.
#[derive(Debug, Default)]
struct Family {
    /// Whether there is one yet.
    open: bool,
    name: String,
    at: usize,
    kind: Option<MetricKind>,
    help: bool,
    unit: Option<(String, usize)>,
    has_samples: bool,
    group: Option<u64>,
    groups: HashSet<u64>,
    stamp: Option<Stamp>,
    /// Series of this group at this time.
    series: HashSet<u64>,
    point: Point,
}

impl Family {
    /// Starts a new family, keeping the sets' memory.
    fn begin(&mut self, name: &str, at: usize) {
        let mut groups = std::mem::take(&mut self.groups);
        let mut series = std::mem::take(&mut self.series);
        let mut kept = std::mem::take(&mut self.name);
        groups.clear();
        series.clear();
        name.clone_into(&mut kept);
        *self = Self { open: true, name: kept, at, groups, series, ..Self::default() };
    }
}

/// The suffixes that samples of a type may have.
fn suffixes(kind: Option<MetricKind>) -> &'static [&'static str] {
    match kind {
        Some(MetricKind::Counter) => &["_total", "_created"],
        Some(MetricKind::Summary) => &["", "_count", "_sum", "_created"],
        Some(MetricKind::Histogram) => &["_count", "_sum", "_bucket", "_created"],
        Some(MetricKind::GaugeHistogram) => &["_gcount", "_gsum", "_bucket"],
        Some(MetricKind::Info) => &["_info"],
        _ => &[""],
    }
}

impl Rules {
    pub(super) fn help(&mut self, metric: &str, at: usize) -> Result<(), Fault> {
        self.metadata(metric, at)?;
        if std::mem::replace(&mut self.family.help, true) {
            return Err(Fault::new(at, format!("one HELP for {metric:?}"), "a second one"));
        }
        Ok(())
    }

    pub(super) fn kind(&mut self, metric: &str, kind: MetricKind, at: usize) -> Result<(), Fault> {
        self.metadata(metric, at)?;
        if self.family.kind.replace(kind).is_some() {
            return Err(Fault::new(at, format!("one TYPE for {metric:?}"), "a second one"));
        }
        Ok(())
    }

    pub(super) fn unit(&mut self, metric: &str, unit: &str, at: usize) -> Result<(), Fault> {
        self.metadata(metric, at)?;
        if self.family.unit.replace((unit.to_owned(), at)).is_some() {
            return Err(Fault::new(at, format!("one UNIT for {metric:?}"), "a second one"));
        }
        Ok(())
    }

    /// A metadata line begins its family, unless it is the one already open.
    fn metadata(&mut self, metric: &str, at: usize) -> Result<(), Fault> {
        if !self.family.open || self.family.name != metric {
            let closed = self.close_family();
            self.family.begin(metric, at);
            return closed;
        }
        if self.family.has_samples {
            return Err(Fault::new(
                at,
                format!("metadata of {metric:?} before its samples"),
                "it after them",
            ));
        }
        Ok(())
    }

    /// Judges the family as a whole.
    pub(super) fn close_family(&mut self) -> Result<(), Fault> {
        if !self.family.open {
            return Ok(());
        }
        self.family.open = false;
        let family = &mut self.family;
        let own = suffixes(family.kind);
        let mut clash = None;
        for suffix in own.iter().filter(|suffix| !suffix.is_empty()).chain([&""]) {
            self.scratch.clear();
            self.scratch.push_str(&family.name);
            self.scratch.push_str(suffix);
            if !self.claimed.insert(self.hasher.hash_one(&self.scratch)) && clash.is_none() {
                clash = Some(self.scratch.clone());
            }
        }
        let point = family.point.finish(&family.name);
        if let Some(name) = clash {
            let expected = "names that no earlier family has, the lines of a family together";
            return Err(Fault::new(family.at, expected, format!("{name:?} again")));
        }
        if let Some((unit, at)) = family.unit.as_ref().filter(|(unit, _)| !unit.is_empty())
            && matches!(family.kind, Some(MetricKind::Info | MetricKind::StateSet))
        {
            return Err(Fault::new(*at, "no unit for an info or a stateset", format!("{unit:?}")));
        }
        point
    }

    pub(super) fn sample<'l>(
        &mut self,
        facts: &Facts<'_>,
        labels: impl Iterator<Item = (Cow<'l, str>, Cow<'l, str>)> + Clone,
    ) -> Result<(), Fault> {
        let name = facts.name.as_ref();
        let family = &self.family;
        let suffix = name.strip_prefix(family.name.as_str()).filter(|_| family.open);
        let suffix = suffix.and_then(|suffix| suffixes(family.kind).iter().find(|own| **own == suffix));
        let (suffix, closed) = match suffix {
            Some(suffix) => (*suffix, Ok(())),
            None => {
                let closed = self.close_family();
                self.family.begin(name, facts.at);
                self.family.kind = Some(MetricKind::Unknown);
                ("", closed)
            }
        };
        self.family.has_samples = true;
        // Every check runs, so that a lenient reading stays in step; the first fault is the one told.
        let own = self.own_label(suffix, facts, labels.clone());
        let value = self.check_value(suffix, facts);
        let reserved = reserved_label(facts, labels.clone());
        let grouped = match own {
            Ok(own) => self.group(suffix, own, facts, labels),
            Err(fault) => Err(fault),
        };
        closed.and(reserved).and(grouped).and(value)
    }

    /// The label that a type gives its samples beyond the metric's own, checked: its name and number.
    fn own_label<'l>(
        &self,
        suffix: &str,
        facts: &Facts<'_>,
        mut labels: impl Iterator<Item = (Cow<'l, str>, Cow<'l, str>)>,
    ) -> Result<Option<(&'static str, f64)>, Fault> {
        use MetricKind::*;
        match (self.family.kind, suffix) {
            (Some(Histogram | GaugeHistogram), "_bucket") => {
                let le = labels.find(|(name, _)| name == "le").map(|(_, value)| value);
                let bound = le.as_ref().and_then(|le| parse_number(le)).filter(|bound| !bound.is_nan());
                match (bound, le) {
                    // The one number whose spelling is prescribed.
                    (Some(bound), Some(le)) if bound.is_finite() || le == "+Inf" || le == "-Inf" => {
                        Ok(Some(("le", bound)))
                    }
                    (_, le) => Err(wrong_label(facts, "a label le with a number or \"+Inf\"", le)),
                }
            }
            (Some(Summary), "") => {
                let label = labels.find(|(name, _)| name == "quantile").map(|(_, value)| value);
                let quantile = label.as_ref().and_then(|text| parse_number(text));
                match quantile.filter(|quantile| (0.0..=1.0).contains(quantile)) {
                    Some(quantile) => Ok(Some(("quantile", quantile))),
                    None => Err(wrong_label(facts, "a label quantile from 0 to 1", label)),
                }
            }
            (Some(StateSet), _) => match labels.any(|(name, _)| name == self.family.name.as_str()) {
                true => Ok(None),
                false => {
                    Err(wrong_label(facts, &format!("a label {:?} with the state", self.family.name), None))
                }
            },
            _ => Ok(None),
        }
    }

    /// Values and exemplars that the type allows.
    fn check_value(&self, suffix: &str, facts: &Facts<'_>) -> Result<(), Fault> {
        use MetricKind::*;
        let kind = self.family.kind;
        let value = facts.value;
        let fault = |expected: &str| Err(Fault::new(facts.value_at, expected, format!("{value}")));
        match (kind, suffix) {
            (Some(StateSet), _) if value != 0.0 && value != 1.0 => return fault("0 or 1 as a state's value"),
            (Some(Info), _) if value != 1.0 => return fault("1 as the value of an info"),
            (Some(Summary), "") if value < 0.0 => return fault("a quantile value that is not negative"),
            (_, "_bucket" | "_count" | "_gcount") if value.is_finite() && value.fract() != 0.0 => {
                return fault("a whole number of events");
            }
            (_, "_bucket" | "_count" | "_gcount") if value.is_infinite() => {
                return fault("a finite number of events");
            }
            (_, "_gsum") if value.is_nan() => return fault("a sum that is a number"),
            (_, "_total" | "_sum" | "_count" | "_bucket" | "_gcount") if value.is_nan() || value < 0.0 => {
                return fault("a number that is not negative");
            }
            _ => {}
        }
        let may_have_exemplar = matches!(
            (kind, suffix),
            (Some(Histogram | GaugeHistogram), "_bucket") | (Some(Counter), "_total")
        );
        if facts.has_exemplar && !may_have_exemplar {
            return Err(Fault::new(
                facts.at,
                "exemplars only on buckets and counters",
                format!("one on {:?}", facts.name),
            ));
        }
        Ok(())
    }

    /// Groups stand together, their times do not go back, their points are whole.
    fn group<'l>(
        &mut self,
        suffix: &str,
        own: Option<(&'static str, f64)>,
        facts: &Facts<'_>,
        labels: impl Iterator<Item = (Cow<'l, str>, Cow<'l, str>)>,
    ) -> Result<(), Fault> {
        let family = &mut self.family;
        let kind = family.kind;
        let (mut group, mut series) = (0_u64, self.hasher.hash_one(suffix));
        for (name, value) in labels {
            let hash = self.hasher.hash_one((&name, &value));
            // A sum, because the order of labels says nothing.
            series = series.wrapping_add(hash);
            let of_the_point = own.is_some_and(|(own, _)| own == name)
                || (kind == Some(MetricKind::StateSet) && name == family.name.as_str());
            if !of_the_point && kind != Some(MetricKind::Info) {
                group = group.wrapping_add(hash);
            }
        }
        let same_group = family.group == Some(group);
        let came_back = !same_group && family.groups.contains(&group);
        let mixed = same_group && family.stamp.is_some() != facts.stamp.is_some();
        let backwards = same_group && kind != Some(MetricKind::Info) && !mixed && family.stamp > facts.stamp;
        let mut point = Ok(());
        if !same_group || family.stamp != facts.stamp {
            point = family.point.finish(&family.name);
            family.series.clear();
        }
        if !same_group {
            family.groups.insert(group);
        }
        family.group = Some(group);
        family.stamp = facts.stamp;
        let again = !family.series.insert(series);
        let is_histogram = matches!(kind, Some(MetricKind::Histogram | MetricKind::GaugeHistogram));
        // A line given twice at one time (times may be cut finer than can be told apart) counts once.
        let in_point = if is_histogram && !again {
            match (suffix, own) {
                ("_bucket", Some((_, bound))) => family.point.bucket(facts.at, bound, facts.value),
                ("_count" | "_gcount", _) => {
                    family.point.count(facts.at, facts.value);
                    Ok(())
                }
                ("_sum", _) => {
                    family.point.sum(facts.at);
                    Ok(())
                }
                ("_gsum", _) => {
                    family.point.gsum(facts.at, facts.value);
                    Ok(())
                }
                _ => {
                    family.point.touch(facts.at);
                    Ok(())
                }
            }
        } else {
            Ok(())
        };
        if came_back {
            let expected = "the lines of one metric together";
            return Err(Fault::new(facts.at, expected, format!("{:?} again after another", facts.name)));
        }
        if mixed {
            return Err(Fault::new(
                facts.at,
                "time stamps on all lines of a metric or on none",
                "some of both",
            ));
        }
        if backwards {
            return Err(Fault::new(facts.at, "time stamps that do not go back", "an earlier one"));
        }
        point.and(in_point)
    }
}

/// Label names that start with `__` belong to the ingestor.
fn reserved_label<'l>(
    facts: &Facts<'_>,
    mut labels: impl Iterator<Item = (Cow<'l, str>, Cow<'l, str>)>,
) -> Result<(), Fault> {
    match labels.find(|(name, _)| name.starts_with("__")) {
        Some((name, _)) => Err(Fault::new(facts.at, "no label that starts with `__`", format!("{name:?}"))),
        None => Ok(()),
    }
}

fn wrong_label(facts: &Facts<'_>, expected: &str, found: Option<Cow<'_, str>>) -> Fault {
    let found = found.map_or_else(|| "none".to_owned(), |value| format!("{value:?}"));
    Fault::new(facts.at, expected, found)
}
