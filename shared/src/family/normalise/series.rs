//! Series derived from facts, for what the node does not expose itself.

use super::facts::Found;
use super::read::{Content, Read};
use crate::family::answer::DerivedSeries;
use crate::family::model::FamilySpec;
use crate::health::Status;

pub(super) fn derive(
    spec: &FamilySpec,
    found: &[Found<'_>],
    reads: &[Read<'_>],
    declared: Option<Status>,
) -> Vec<DerivedSeries> {
    let mut derived: Vec<DerivedSeries> = Vec::new();
    if let (Some(series), Some(status)) = (&spec.status_series, declared)
        && let Some(&value) = series.values.get(&status)
        && !exposed(reads, &series.name)
    {
        derived.push(DerivedSeries {
            name: series.name.clone(),
            labels: Vec::new(),
            value,
            kind: "gauge",
            help: series.help.clone(),
            unit: String::new(),
        });
    }
    for fact in found {
        if let Some(one) = of_fact(fact)
            && !exposed(reads, &one.name)
            && !derived.iter().any(|known| known.name == one.name && known.labels == one.labels)
        {
            derived.push(one);
        }
    }
    derived
}

fn of_fact(fact: &Found<'_>) -> Option<DerivedSeries> {
    let spec = fact.spec.series.as_ref()?;
    let member = fact.member.as_deref().unwrap_or_default();
    let mut labels = Vec::new();
    if let Some(label) = &spec.name_label {
        labels.push((label.clone(), member.to_owned()));
    }
    let value = if let Some(label) = &spec.value_label {
        labels.push((label.clone(), fact.text.clone()));
        1.0
    } else {
        let mapped = spec.map.iter().find(|(word, _)| word.eq_ignore_ascii_case(&fact.text));
        // Beside a map only yes and no are numbers of their own: any other value is a word it does not know.
        let own = fact.number.filter(|n| spec.map.is_empty() || *n == 0.0 || *n == 1.0);
        mapped.map(|(_, number)| *number).or(own).or(spec.default)?
    };
    Some(DerivedSeries {
        name: spec.name.replace("{name}", &metric_part(member)),
        labels,
        value,
        kind: spec.kind.as_str(),
        help: spec.help.replace("{name}", member),
        unit: fact.spec.unit.clone(),
    })
}

/// A member's name with what a metric's name may not hold made `_`.
fn metric_part(member: &str) -> String {
    member.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// Whether the node exposes a metric of this name itself.
pub(super) fn exposed(reads: &[Read<'_>], metric: &str) -> bool {
    reads.iter().any(|read| match read.content {
        Some(Content::Metrics(metrics)) => metrics.has(metric),
        _ => false,
    })
}
