//! Which family a node of `family = "auto"` is, told from its answers.

use serde_json::Value;

use super::answer::{Body, EndpointAnswer};
use super::model::{EndpointKind, RecogniseSpec};
use super::normalise::scalar as facts_scalar;
use super::{Family, Registry, pointer};

/// A family that fits the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// Its name.
    pub family: String,
    /// By what, e.g. `recognised by its decdn_… metrics`.
    pub why: String,
}

/// Something to ask of an unknown node: an answer to it is handed to [`recognise`] under `path`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probe {
    /// The port; `None`: the one of the target's `url`.
    pub port: Option<u16>,
    /// The path.
    pub path: String,
    /// How to read the answer.
    pub kind: &'static str,
}

impl Registry {
    /// What to ask of a node whose family is not known: every path of every family, on the port of the
    /// target's `url` where it names one, else on every default port. The surest families come first.
    pub fn probes(&self, url_has_port: bool) -> Vec<Probe> {
        let mut families: Vec<_> = self.all().filter(|family| !family.spec().recognise.is_empty()).collect();
        let weight = |family: &Family| family.spec().recognise.iter().map(|r| r.weight).max();
        families.sort_by_key(|family| std::cmp::Reverse(weight(family)));
        let mut probes: Vec<Probe> = Vec::new();
        for endpoint in families.iter().flat_map(|family| &family.spec().endpoint).filter(|e| !e.needs_url) {
            let ports: Vec<Option<u16>> = if url_has_port {
                vec![None]
            } else {
                endpoint.port.iter().chain(&endpoint.other_ports).map(|&port| Some(port)).collect()
            };
            let kind = if endpoint.kind == EndpointKind::Metrics { "metrics" } else { "json" };
            for port in ports {
                let probe = Probe { port, path: endpoint.path.clone(), kind };
                if !probes.contains(&probe) {
                    probes.push(probe);
                }
            }
        }
        probes
    }
}

/// The family whose surest sign holds, if any does. Each answer's `endpoint` is the path that was asked,
/// e.g. `/health`; several answers of one path (of several ports) may be given.
pub fn recognise(registry: &Registry, answers: &[EndpointAnswer<'_>]) -> Option<Recognised> {
    let documents: Vec<(&str, Value)> = answers
        .iter()
        .filter_map(|answer| match &answer.outcome {
            Ok(answer_body) => match answer_body.body {
                Body::Bytes(bytes) => Some((answer.endpoint, serde_json::from_slice(bytes).ok()?)),
                Body::Metrics(_) => None,
            },
            Err(_) => None,
        })
        .collect();
    let signs = registry
        .all()
        .flat_map(|family| family.spec().recognise.iter().map(move |sign| (family, sign)))
        .filter(|(family, sign)| holds(family, sign, &documents, answers));
    // Of equal signs the first by name, so that two runs agree.
    let (family, sign) =
        signs.reduce(|best, next| if next.1.weight > best.1.weight { next } else { best })?;
    Some(Recognised { family: family.name().to_owned(), why: format!("recognised by {}", sign.by) })
}

fn holds(
    family: &Family,
    sign: &RecogniseSpec,
    documents: &[(&str, Value)],
    answers: &[EndpointAnswer<'_>],
) -> bool {
    let path = sign.endpoint.as_ref().and_then(|name| {
        family.spec().endpoint.iter().find(|endpoint| endpoint.name == *name).map(|e| e.path.as_str())
    });
    if !sign.fields.is_empty() || !sign.values.is_empty() {
        let fits = |document: &Value| {
            let there = |pointer: &String| !pointer::resolve(document, pointer).is_empty();
            let one_of = |(pointer, words): (&String, &super::Words)| {
                pointer::resolve(document, pointer)
                    .iter()
                    .any(|place| facts_scalar(place.value).is_some_and(|text| words.has(&text)))
            };
            sign.fields.iter().all(there) && sign.values.iter().all(one_of)
        };
        let asked = |at: &str| path.is_none_or(|path| path == at);
        if !documents.iter().any(|(at, document)| asked(at) && fits(document)) {
            return false;
        }
    }
    if !sign.metrics.is_empty() {
        return exposes(sign, answers);
    }
    if sign.fields.is_empty() && sign.values.is_empty() {
        // A sign that names nothing more holds for whatever answers at its path with success.
        return answers.iter().any(|answer| {
            path.is_none_or(|path| path == answer.endpoint)
                && answer.outcome.as_ref().is_ok_and(|answer| answer.http_status == 200)
        });
    }
    true
}

fn exposes(sign: &RecogniseSpec, answers: &[EndpointAnswer<'_>]) -> bool {
    let mut found = false;
    for answer in answers.iter().filter_map(|answer| answer.outcome.as_ref().ok()) {
        if let Body::Metrics(metrics) = answer.body {
            metrics.for_each_name(&mut |name| {
                found = found
                    || sign.metrics.iter().any(|pattern| match pattern.strip_suffix('*') {
                        Some(start) => name.starts_with(start),
                        None => name == pattern,
                    });
            });
        }
    }
    found
}
