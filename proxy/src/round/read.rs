//! A reply on its way into the store and to the family: its exposition read, its failure named.

use fleetglass_shared::{
    exposition::{self, Format, Mode},
    family::{Answer, Body, EndpointAnswer, EndpointKind},
    health::{FailureKind, ScrapeFailure, UnixMillis},
};

use super::{ask::Reply, exposed::Exposed};
use crate::store::{Row, StoreError};

/// A reply with its exposition read.
pub(super) struct Read<'a> {
    pub(super) reply: &'a Reply,
    pub(super) exposed: Option<Exposed<'a>>,
    pub(super) failure: Option<ScrapeFailure>,
    pub(super) warnings: Vec<ScrapeFailure>,
}

impl<'a> Read<'a> {
    pub(super) fn of(reply: &'a Reply, row: Option<&mut Row>, at: UnixMillis) -> Self {
        let mut read = Self { reply, exposed: None, failure: None, warnings: Vec::new() };
        let fail = |kind, message: String| ScrapeFailure {
            endpoint: reply.endpoint.name.clone(),
            kind,
            message,
            at,
        };
        let answer = match &reply.outcome {
            Ok(answer) => answer,
            Err(failure) => {
                read.failure = Some(fail(failure.kind, failure.message.clone()));
                return read;
            }
        };
        if reply.endpoint.kind != EndpointKind::Metrics || answer.status != 200 {
            return read;
        }
        if answer.body.is_empty() {
            read.failure =
                Some(fail(FailureKind::EmptyBody, format!("{} answered with nothing", reply.endpoint.url)));
            return read;
        }
        let format = Format::from_content_type(answer.content_type.as_deref());
        let mut exposed = Exposed::new(exposition::parse(&answer.body, format, Mode::Lenient));
        let outcome = match row {
            Some(row) => row.expose(&reply.endpoint.name, &mut exposed).map(|_| ()),
            None => exposed.drain(),
        };
        for warning in exposed.warnings() {
            read.warnings.push(fail(FailureKind::MalformedExposition, warning));
        }
        match outcome {
            Ok(()) => read.exposed = Some(exposed),
            Err(error) => {
                let kind = match error {
                    StoreError::SeriesLimit { .. } => FailureKind::SeriesLimit,
                    _ => FailureKind::MalformedExposition,
                };
                read.failure = Some(fail(kind, error.to_string()));
            }
        }
        read
    }

    pub(super) fn answer(&self, at: UnixMillis) -> EndpointAnswer<'_> {
        let outcome = match (&self.failure, &self.reply.outcome) {
            (Some(failure), _) => Err(failure.clone()),
            (None, Ok(answer)) => Ok(Answer {
                http_status: answer.status,
                body: match &self.exposed {
                    Some(exposed) => Body::Metrics(exposed),
                    None => Body::Bytes(&answer.body),
                },
                duration_seconds: answer.duration.as_secs_f64(),
            }),
            // A failed request always has its failure read above.
            (None, Err(failure)) => Err(ScrapeFailure {
                endpoint: self.reply.endpoint.name.clone(),
                kind: failure.kind,
                message: failure.message.clone(),
                at,
            }),
        };
        EndpointAnswer { endpoint: &self.reply.endpoint.name, outcome }
    }

    pub(super) fn samples(&self) -> usize {
        self.exposed.as_ref().map_or(0, Exposed::len)
    }
}
