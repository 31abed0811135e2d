//! The asking of a round: all endpoints at once, and the search for a node's family where none is named.

use std::{sync::Arc, time::Duration};

use fleetglass_shared::{
    exposition::{self, Format, Mode},
    family::{
        self, Answer, Body, EndpointAnswer, EndpointKind, EndpointRole, Family, Probe, Recognised, Registry,
        ResolvedEndpoint,
    },
    health::{FailureKind, ScrapeFailure},
};
use futures_util::future::join_all;
use tokio::net::TcpStream;

use super::exposed::Exposed;
use crate::{
    scrape::{self, Client, Failure},
    target::Target,
};

const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// How one endpoint answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) endpoint: ResolvedEndpoint,
    pub(super) outcome: Result<scrape::Reply, Failure>,
}

/// Asks every endpoint at once; one that must wait is not asked and stays "asked to slow down".
pub(super) async fn all(
    client: &Client,
    target: &Target,
    endpoints: Vec<ResolvedEndpoint>,
    bearer: Option<&str>,
    must_wait: impl Fn(&str) -> bool,
) -> Vec<Reply> {
    let asked = endpoints.into_iter().map(|endpoint| {
        let waits = must_wait(&endpoint.name);
        async move {
            let outcome = if waits {
                Err(Failure::new(FailureKind::RateLimited, "not asked: the node had asked us to wait"))
            } else {
                let is_metrics = endpoint.kind == EndpointKind::Metrics;
                client.get(&endpoint.url, is_metrics, target.timeout, bearer).await
            };
            Reply { endpoint, outcome }
        }
    });
    let mut replies = join_all(asked).await;
    if let Some(port) = target.probe_tcp
        && replies.iter().all(is_refused)
        && is_alive(target, port).await
    {
        for reply in &mut replies {
            let words =
                format!("nothing listens at {}, but port {port} of the node does", reply.endpoint.url);
            reply.outcome = Err(Failure::new(FailureKind::MonitoringNotEnabled, words));
        }
    }
    replies
}

fn is_refused(reply: &Reply) -> bool {
    reply.outcome.as_ref().is_err_and(|failure| failure.kind == FailureKind::ConnectionRefused)
}

async fn is_alive(target: &Target, port: u16) -> bool {
    let Some(host) = target.host() else { return false };
    let connect = TcpStream::connect((host.as_str(), port));
    matches!(tokio::time::timeout(PROBE_TIMEOUT, connect).await, Ok(Ok(_)))
}

/// What the search for a node's family came to.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// The family, by what it was recognised, and the base URL at which it answered.
    pub(super) found: Option<(Arc<Family>, String, String)>,
    /// What was asked.
    pub(super) replies: Vec<Reply>,
}

/// Asks an unknown node everything any family would be asked, and sees which one it is.
pub(super) async fn recognise(
    client: &Client,
    target: &Target,
    registry: &Registry,
    bearer: Option<&str>,
) -> Search {
    let has_port = reqwest::Url::parse(&target.url).is_ok_and(|url| url.port().is_some());
    let probes = registry.probes(has_port);
    let endpoints = probes.iter().filter_map(|probe| endpoint_of(probe, target)).collect();
    let replies = all(client, target, endpoints, bearer, |_| false).await;

    let found = sign(registry, &replies).and_then(|recognised| {
        let family = registry.get(&recognised.family)?;
        let base = base_url(target, family, &replies);
        Some((Arc::clone(family), recognised.why, base))
    });
    Search { found, replies }
}

fn sign(registry: &Registry, replies: &[Reply]) -> Option<Recognised> {
    let read: Vec<_> = replies.iter().map(|reply| (read(reply), reply)).collect();
    let answers: Vec<_> = read.iter().map(|(exposed, reply)| answer(exposed.as_ref(), reply)).collect();
    family::recognise(registry, &answers)
}

fn endpoint_of(probe: &Probe, target: &Target) -> Option<ResolvedEndpoint> {
    let kind = if probe.kind == "metrics" { EndpointKind::Metrics } else { EndpointKind::Text };
    let url = format!("{}{}", with_port(&target.url, probe.port)?, probe.path);
    Some(ResolvedEndpoint { name: probe.path.clone(), url, kind, role: EndpointRole::Other, optional: true })
}

fn with_port(url: &str, port: Option<u16>) -> Option<String> {
    let mut url = reqwest::Url::parse(url).ok()?;
    if port.is_some() {
        url.set_port(port).ok()?;
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn read(reply: &Reply) -> Option<Exposed<'_>> {
    let answer = reply.outcome.as_ref().ok().filter(|answer| answer.status == 200)?;
    if reply.endpoint.kind != EndpointKind::Metrics {
        return None;
    }
    let format = Format::from_content_type(answer.content_type.as_deref());
    let mut exposed = Exposed::new(exposition::parse(&answer.body, format, Mode::Lenient));
    exposed.drain().ok()?;
    Some(exposed)
}

fn answer<'a>(exposed: Option<&'a Exposed<'_>>, reply: &'a Reply) -> EndpointAnswer<'a> {
    let outcome = match &reply.outcome {
        Ok(answer) => Ok(Answer {
            http_status: answer.status,
            body: exposed.map_or(Body::Bytes(&answer.body), |exposed| Body::Metrics(exposed)),
            duration_seconds: answer.duration.as_secs_f64(),
        }),
        Err(failure) => Err(ScrapeFailure {
            endpoint: reply.endpoint.name.clone(),
            kind: failure.kind,
            message: failure.message.clone(),
            at: 0,
        }),
    };
    EndpointAnswer { endpoint: &reply.endpoint.name, outcome }
}

/// The target's URL, with the further default port of the family at which the node answered, if it did
/// so only there.
fn base_url(target: &Target, family: &Family, replies: &[Reply]) -> String {
    let answered = |port: Option<u16>, path: &str| {
        let Some(base) = with_port(&target.url, port) else { return false };
        let url = format!("{base}{path}");
        replies.iter().any(|reply| reply.outcome.is_ok() && reply.endpoint.url == url)
    };
    let Some(first) = family.spec().endpoint.first() else { return target.url.clone() };
    let elsewhere = first
        .other_ports
        .iter()
        .copied()
        .find(|&port| !answered(first.port, &first.path) && answered(Some(port), &first.path));
    elsewhere.and_then(|port| with_port(&target.url, Some(port))).unwrap_or_else(|| target.url.clone())
}
