//! Reads a folder of recorded answers (`families/*/fixtures/*`) and hands it to the mapping engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use fleetglass_shared::exposition::{Entry, Format, Mode, parse};
use fleetglass_shared::family::{
    Answer, Body, EndpointAnswer, EndpointKind, Family, Memory, MetricLookup, Normalised, Registry, Round,
    Sample, normalise,
};
use fleetglass_shared::health::{FailureKind, ScrapeFailure, UnixMillis};
use serde::Deserialize;

/// When the fixtures' answers were given.
pub(crate) const AT: UnixMillis = 1_767_378_770_000;
pub(crate) const INTERVAL: u64 = 15_000;

/// `response.toml`: how each endpoint answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    pub(crate) about: String,
    pub(crate) endpoint: BTreeMap<String, Recorded>,
}

/// One endpoint's answer: a file with an HTTP status, or a failure.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recorded {
    #[serde(default)]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) content_type: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for servers that serve the fixtures")]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) file: String,
    #[serde(default)]
    pub(crate) failure: Option<FailureKind>,
    #[serde(skip)]
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Fixture {
    pub(crate) family: String,
    pub(crate) name: String,
    pub(crate) manifest: Manifest,
}

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("families")
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn last(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// Every fixture of every family.
pub(crate) fn all() -> Vec<Fixture> {
    let mut fixtures = Vec::new();
    // The rules for any family stand alone.
    for family in folders(&folder()).into_iter().filter(|family| family.join("family.toml").is_file()) {
        for path in folders(&family.join("fixtures")) {
            fixtures.push(read(&path, last(&family), last(&path)));
        }
    }
    fixtures
}

/// One fixture.
pub(crate) fn one(family: &str, name: &str) -> Fixture {
    read(&folder().join(family).join("fixtures").join(name), family.to_owned(), name.to_owned())
}

fn read(path: &Path, family: String, name: String) -> Fixture {
    let text = fs::read_to_string(path.join("response.toml")).unwrap();
    let mut manifest: Manifest =
        toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    for recorded in manifest.endpoint.values_mut().filter(|recorded| recorded.failure.is_none()) {
        recorded.body = fs::read(path.join(&recorded.file)).unwrap();
    }
    Fixture { family, name, manifest }
}

/// A parsed exposition.
pub(crate) struct Exposed(Vec<Line>);

/// A sample: name, labels, value, and the value as written.
type Line = (String, Vec<(String, String)>, f64, String);

impl MetricLookup for Exposed {
    fn for_each(&self, metric: &str, visit: &mut dyn FnMut(Sample<'_>)) {
        for (name, labels, value, text) in self.0.iter().filter(|(name, ..)| name == metric) {
            let _ = name;
            let labels: Vec<(&str, &str)> = labels.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            visit(Sample { labels: &labels, value: *value, text });
        }
    }

    fn for_each_name(&self, visit: &mut dyn FnMut(&str)) {
        self.0.iter().for_each(|(name, ..)| visit(name));
    }
}

fn expose(recorded: &Recorded) -> Result<Exposed, (FailureKind, String)> {
    if recorded.body.is_empty() {
        return Err((FailureKind::EmptyBody, "answered with nothing".to_owned()));
    }
    let format = Format::from_content_type(Some(&recorded.content_type));
    let mut parser = parse(&recorded.body, format, Mode::Lenient);
    let mut samples = Vec::new();
    while let Some(entry) = parser.next_entry() {
        match entry.map_err(|error| (FailureKind::MalformedExposition, error.to_string()))? {
            Entry::Sample(sample) => {
                let (name, labels) = sample.name_and_labels();
                let labels = labels.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
                samples.push((name.to_string(), labels, sample.value, sample.value_text.to_owned()));
            }
            _ => continue,
        }
    }
    Ok(Exposed(samples))
}

/// Builds the answers as the scraper does and hands them to `then`; `name_of` names each endpoint.
pub(crate) fn with_answers<T>(
    family: &Family,
    manifest: &Manifest,
    at: UnixMillis,
    name_of: impl Fn(&str) -> String,
    then: impl FnOnce(&[EndpointAnswer<'_>]) -> T,
) -> T {
    let kind = |name: &str| {
        let endpoint = family.spec().endpoint.iter().find(|endpoint| endpoint.name == *name);
        endpoint.unwrap_or_else(|| panic!("no endpoint `{name}`")).kind
    };
    let exposed: BTreeMap<&String, _> = manifest
        .endpoint
        .iter()
        .filter(|(name, recorded)| {
            recorded.failure.is_none() && recorded.status == 200 && kind(name) == EndpointKind::Metrics
        })
        .map(|(name, recorded)| (name, expose(recorded)))
        .collect();
    let names: Vec<String> = manifest.endpoint.keys().map(|name| name_of(name)).collect();
    let answers: Vec<EndpointAnswer<'_>> = manifest
        .endpoint
        .iter()
        .zip(&names)
        .map(|((name, recorded), given)| {
            let failure = |kind, message: String| ScrapeFailure { endpoint: name.clone(), kind, message, at };
            let outcome = match (recorded.failure, exposed.get(name)) {
                (Some(kind), _) => Err(failure(kind, kind.as_words().to_owned())),
                (None, Some(Err((kind, message)))) => Err(failure(*kind, message.clone())),
                (None, exposed) => Ok(Answer {
                    http_status: recorded.status,
                    body: match exposed {
                        Some(Ok(exposed)) => Body::Metrics(exposed),
                        _ => Body::Bytes(&recorded.body),
                    },
                    duration_seconds: 0.012,
                }),
            };
            EndpointAnswer { endpoint: given, outcome }
        })
        .collect();
    then(&answers)
}

/// What one round of a fixture means.
pub(crate) fn round(fixture: &Fixture, at: UnixMillis, memory: &mut Memory) -> Normalised {
    let registry = Registry::built_in();
    let family = registry.get(&fixture.family).unwrap();
    with_answers(family, &fixture.manifest, at, str::to_owned, |answers| {
        normalise(family, &Round { at, interval_ms: INTERVAL, answers }, memory)
    })
}
