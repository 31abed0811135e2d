//! Prometheus text 0.0.4: what Prometheus's own format library refuses beyond the grammar.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Facts;
use crate::exposition::entry::MetricKind;
use crate::exposition::error::Fault;
use crate::exposition::number::parse_number;

#[derive(Debug, Default)]
struct Family {
    help: bool,
    kind: Option<MetricKind>,
}

/// What was said of each family so far.
#[derive(Debug, Default)]
pub(in crate::exposition) struct Rules {
    families: HashMap<String, Family>,
    /// The name of the last sample and the label its family's type makes a number: neighbours share them.
    last: String,
    number_label: Option<&'static str>,
}

impl Rules {
    pub(super) fn help(&mut self, metric: &str, at: usize) -> Result<(), Fault> {
        let family = self.family(metric);
        if std::mem::replace(&mut family.help, true) {
            return Err(Fault::new(at, format!("one HELP for {metric:?}"), "a second one"));
        }
        Ok(())
    }

    pub(super) fn kind(&mut self, metric: &str, kind: MetricKind, at: usize) -> Result<(), Fault> {
        self.last.clear();
        let family = self.family(metric);
        if family.kind.replace(kind).is_some() {
            let expected = format!("one TYPE for {metric:?}, before its samples");
            return Err(Fault::new(at, expected, "a second one, or one after them"));
        }
        Ok(())
    }

    pub(super) fn sample<'l>(
        &mut self,
        facts: &Facts<'_>,
        mut labels: impl Iterator<Item = (Cow<'l, str>, Cow<'l, str>)>,
    ) -> Result<(), Fault> {
        let name = facts.name.as_ref();
        if self.last != name {
            name.clone_into(&mut self.last);
            self.number_label = match self.kind_of(name) {
                MetricKind::Histogram => Some("le"),
                MetricKind::Summary => Some("quantile"),
                _ => None,
            };
        }
        let Some(wanted) = self.number_label else {
            return Ok(());
        };
        match labels.find(|(label, _)| label == wanted) {
            Some((_, value)) if parse_number(&value).is_none() => {
                Err(Fault::new(facts.at, format!("a number as {wanted:?}"), format!("{value:?}")))
            }
            _ => Ok(()),
        }
    }

    fn family(&mut self, metric: &str) -> &mut Family {
        if !self.families.contains_key(metric) {
            self.families.insert(metric.to_owned(), Family::default());
        }
        self.families.get_mut(metric).expect("it was put in just before, were it missing")
    }

    /// The type of the family a sample belongs to; it has samples from now on.
    fn kind_of(&mut self, sample: &str) -> MetricKind {
        let parts: [(&str, &[MetricKind]); 3] = [
            ("_bucket", &[MetricKind::Histogram]),
            ("_count", &[MetricKind::Histogram, MetricKind::Summary]),
            ("_sum", &[MetricKind::Histogram, MetricKind::Summary]),
        ];
        for (suffix, kinds) in parts {
            let family = sample.strip_suffix(suffix).and_then(|stem| self.families.get(stem));
            if let Some(kind) = family.and_then(|family| family.kind).filter(|kind| kinds.contains(kind)) {
                return kind;
            }
        }
        *self.family(sample).kind.get_or_insert(MetricKind::Unknown)
    }
}
