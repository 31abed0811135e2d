//! The mapping engine: what a round of answers means by a family's declarations. Pure: the time, the answers
//! and the memory come in, the normalised health goes out.
//!
//! How failures are judged:
//!
//! - nothing was reached → `unreachable`; nobody listens but the node lives → `unknown`;
//! - it answers but nothing it says can be read → `unknown`;
//! - one endpoint of several fails → at least `degraded`, and the reason names the endpoint; an `optional`
//!   one counts only once it has answered;
//! - 429 is obeyed: what the endpoint said last still holds;
//! - a status word no mapping knows, or a missing one → `unknown`.

mod checks;
mod conditions;
mod facts;
mod read;
mod series;
mod status;
mod unknown_fields;

use super::Family;
use super::answer::{Normalised, Round};
use super::memory::Memory;
use super::model::FactRole;
use crate::health::{Check, Fact, FailureKind, Reason, ScrapeFailure, Status, UnixMillis};
use facts::Found;
pub(crate) use facts::scalar;
use read::{Content, Read};

/// So many restarts within the memory's 15 minutes are a crash-loop.
const CRASH_LOOP: u32 = 3;

/// What is gathered while a round is read.
struct Gathered {
    at: UnixMillis,
    /// Reasons with the endpoint they come from (empty: the node as a whole).
    reasons: Vec<(String, Reason)>,
    draining: Vec<String>,
    checks: Vec<Check>,
    failures: Vec<ScrapeFailure>,
    warnings: Vec<ScrapeFailure>,
    /// The worst outcome of the declared `status` mappings.
    declared: Option<Status>,
}

impl Gathered {
    fn reason(&mut self, endpoint: &str, code: &str, status: Status, text: String) {
        let reason = Reason { code: code.to_owned(), text: sentence(&text), status };
        if !self.reasons.iter().any(|(_, known)| *known == reason) {
            self.reasons.push((endpoint.to_owned(), reason));
        }
    }

    fn warn(&mut self, endpoint: &str, kind: FailureKind, message: String) {
        self.warnings.push(ScrapeFailure { endpoint: endpoint.to_owned(), kind, message, at: self.at });
    }

    fn declare(&mut self, status: Status) {
        self.declared = Some(self.declared.map_or(status, |worst| worst.max(status)));
    }
}

/// What a round of answers of one node means.
pub fn normalise(family: &Family, round: &Round<'_>, memory: &mut Memory) -> Normalised {
    let spec = family.spec();
    let at = round.at;
    let mut gathered = Gathered {
        at,
        reasons: Vec::new(),
        draining: Vec::new(),
        checks: Vec::new(),
        failures: Vec::new(),
        warnings: Vec::new(),
        declared: None,
    };
    let reads = read::read_all(spec, round, &mut gathered);
    let answered = reads.iter().any(|read| read.content.is_some() || read.decides);

    for mapping in &spec.status {
        status::apply(mapping, &reads, &mut gathered);
    }
    let found = facts::find_all(spec, &reads, &mut gathered);
    see_process(&found, at, memory);
    let mut series = series::derive(spec, &found, &reads, gathered.declared);
    for list in &spec.checks {
        checks::apply(list, &reads, round, memory, &mut gathered, &mut series);
    }
    for condition in &spec.condition {
        conditions::apply(condition, &found, at, memory, &mut gathered);
    }
    let (restarts, restarted_at) = memory.restarts(at);
    if restarts >= CRASH_LOOP {
        let text = format!("It has restarted {restarts} times in 15 min: a crash-loop");
        gathered.reason("", "crash-loop", Status::Degraded, text);
    }
    judge_failures(&reads, answered, memory, &mut gathered);
    keep_or_recall(&reads, answered, memory, &mut gathered);

    let mut facts = shown(&found, at);
    facts.extend(unknown_fields::collect(spec, &reads, &mut gathered));
    let number = |role| with_role(&found, role).find_map(|found| found.number);
    let spark = spec.spark.as_ref().and_then(|spark| {
        found.iter().find(|found| found.spec.name == spark.fact).and_then(|found| found.number)
    });
    let mut reasons: Vec<Reason> = gathered.reasons.into_iter().map(|(_, reason)| reason).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.status));
    let worst = reasons.iter().map(|reason| reason.status).max().unwrap_or(Status::Healthy);
    Normalised {
        status: worst.max(gathered.declared.unwrap_or(Status::Healthy)),
        draining: !gathered.draining.is_empty(),
        reasons,
        facts,
        checks: gathered.checks,
        peers: with_role(&found, FactRole::Peers).find_map(Found::count),
        version: with_role(&found, FactRole::Version).map(|found| found.text.clone()).next(),
        uptime_seconds: number(FactRole::Uptime)
            .or_else(|| number(FactRole::Started).map(|start| (at as f64 / 1000.0 - start).max(0.0).floor())),
        restarts,
        restarted_at,
        spark,
        series,
        missing: missing(family, &reads),
        failures: gathered.failures,
        warnings: gathered.warnings,
        answered,
    }
}

fn with_role<'a, 'f>(
    found: &'a [Found<'f>],
    role: FactRole,
) -> impl Iterator<Item = &'a Found<'f>> + use<'a, 'f> {
    found.iter().filter(move |found| found.spec.role == Some(role))
}

fn see_process(found: &[Found<'_>], at: UnixMillis, memory: &mut Memory) {
    if let Some(uptime) = with_role(found, FactRole::Uptime).find_map(|found| found.number) {
        memory.see_uptime(at, uptime);
    }
    if let Some(started) = with_role(found, FactRole::Started).find_map(|found| found.number) {
        memory.see_started(at, started);
    }
}

fn shown(found: &[Found<'_>], at: UnixMillis) -> Vec<Fact> {
    let fact = |found: &Found<'_>| Fact {
        endpoint: found.endpoint.clone(),
        name: found.name.clone(),
        title: found.title.clone(),
        value: found.text.clone(),
        unit: found.spec.unit.clone(),
        at,
        stale: false,
    };
    found.iter().filter(|found| !found.spec.hidden).map(fact).collect()
}

/// Mandatory metrics that are absent from an exposition that was read. One that was not read says nothing.
fn missing(family: &Family, reads: &[Read<'_>]) -> Vec<String> {
    let mut missing = Vec::new();
    for mandatory in &family.spec().mandatory {
        let exposition = reads.iter().find_map(|read| match read.content {
            Some(Content::Metrics(metrics))
                if mandatory.endpoint.as_ref().is_none_or(|name| *name == read.spec.name) =>
            {
                Some(metrics)
            }
            _ => None,
        });
        let Some(exposition) = exposition else { continue };
        if !mandatory.metric.iter().any(|name| exposition.has(name)) {
            missing.extend(mandatory.metric.first().cloned());
        }
    }
    missing
}

/// What failed endpoints make of the node.
fn judge_failures(reads: &[Read<'_>], answered: bool, memory: &Memory, gathered: &mut Gathered) {
    let failed = || reads.iter().filter_map(|read| read.failure.as_ref().map(|failure| (read, failure)));
    let limited = |kind| kind == FailureKind::RateLimited;
    if answered || failed().any(|(_, failure)| limited(failure.kind)) {
        for (read, failure) in failed().filter(|(_, failure)| !limited(failure.kind)) {
            // The HTTP status has already decided: an unreadable body then is only a warning.
            let counts = !read.decides && (!read.spec.optional || memory.has_answered(&read.spec.name));
            if counts {
                let text = if failure.kind.is_unreachable() {
                    format!("No answer from {} ({})", read.title(), failure.kind.as_words())
                } else if failure.kind == FailureKind::MonitoringNotEnabled {
                    format!("Nothing listens for {} (monitoring not enabled)", read.title())
                } else {
                    format!("The answer of {} cannot be read ({})", read.title(), failure.kind.as_words())
                };
                gathered.reason(&read.spec.name, kebab(failure.kind), Status::Degraded, text);
            }
        }
        return;
    }
    let first = |wanted: &dyn Fn(FailureKind) -> bool| {
        failed()
            .filter(|(_, failure)| wanted(failure.kind))
            .min_by_key(|(read, _)| read.spec.optional)
            .map(|(_, failure)| failure.kind)
    };
    if let Some(kind) = first(&|kind| kind == FailureKind::MonitoringNotEnabled) {
        let text = "Monitoring is not enabled (the node lives, but nothing listens on its monitoring port)";
        gathered.reason("", kebab(kind), Status::Unknown, text.to_owned());
    } else if let Some(kind) = first(&|kind| !kind.is_unreachable()) {
        let text = format!("It answers, but nothing it says can be read ({})", kind.as_words());
        gathered.reason("", kebab(kind), Status::Unknown, text);
    } else if let Some(kind) = first(&|kind| kind.is_unreachable()) {
        let text = format!("No answer ({})", kind.as_words());
        gathered.reason("", kebab(kind), Status::Unreachable, text);
    } else if reads.iter().any(|read| read.absent) {
        let text = "It answers, but has none of the endpoints of its family".to_owned();
        gathered.reason("", "no-endpoint", Status::Unknown, text);
    } else {
        gathered.reason("", "not-asked", Status::Unknown, "Not asked yet".to_owned());
    }
}

/// Remembers what each endpoint said, or recalls it where the node only asked for patience.
fn keep_or_recall(reads: &[Read<'_>], answered: bool, memory: &mut Memory, gathered: &mut Gathered) {
    for read in reads {
        let name = &read.spec.name;
        let limited = read.failure.as_ref().is_some_and(|failure| failure.kind == FailureKind::RateLimited);
        let kept = memory.endpoint(name);
        if limited {
            if !kept.answered && !answered {
                let text = format!("{} asked to slow down before it had said anything", read.title());
                gathered.reason(name, kebab(FailureKind::RateLimited), Status::Unknown, text);
            }
            gathered.reasons.extend(kept.reasons.iter().map(|reason| (name.clone(), reason.clone())));
            if kept.draining {
                gathered.draining.push(name.clone());
            }
        } else if read.content.is_some() || read.decides {
            kept.answered = true;
            let own = gathered.reasons.iter().filter(|(endpoint, _)| endpoint == name);
            kept.reasons = own.map(|(_, reason)| reason.clone()).collect();
            kept.draining = gathered.draining.contains(name);
        }
    }
}

/// A failure's kind as a reason's code.
fn kebab(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::NameNotFound => "name-not-found",
        FailureKind::ConnectionRefused => "connection-refused",
        FailureKind::ConnectionClosed => "connection-closed",
        FailureKind::ConnectTimeout => "connect-timeout",
        FailureKind::Timeout => "timeout",
        FailureKind::Tls => "tls",
        FailureKind::HttpStatus => "http-status",
        FailureKind::RateLimited => "rate-limited",
        FailureKind::BodyTooLarge => "body-too-large",
        FailureKind::Redirect => "redirect",
        FailureKind::MalformedJson => "malformed-json",
        FailureKind::MalformedExposition => "malformed-exposition",
        FailureKind::EmptyBody => "empty-body",
        FailureKind::SeriesLimit => "series-limit",
        FailureKind::MonitoringNotEnabled => "monitoring-not-enabled",
        FailureKind::Other => "other",
    }
}

/// A text that may begin with an endpoint's title, as the beginning of a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
