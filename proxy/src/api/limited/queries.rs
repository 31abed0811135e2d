//! Prometheus's API and exports, over the nodes inside.

use axum::response::{IntoResponse, Response};

use super::{Asked, Member, Told};
use crate::{
    api::{history, problem::problem, rules},
    clock,
    query::{Params, QueryError, export_within, targets_within},
};

impl Member<'_> {
    /// `None`: it is not there for those whose role is limited.
    pub(super) async fn queried(&self, method: &str, path: &str, asked: &Asked) -> Option<Response> {
        // What is read may be posted; what is written is not here.
        if !["GET", "POST"].contains(&method) {
            return None;
        }
        let parts: Vec<&str> = match path {
            "/api/v1/query" => vec!["query"],
            "/api/v1/query_range" => vec!["query_range"],
            "/api/v1/chart" => vec!["chart"],
            "/api/v1/series" => vec!["series"],
            "/api/v1/labels" => vec!["labels"],
            "/api/v1/label/{name}/values" => vec!["label", asked.path("name"), "values"],
            _ => {
                return self
                    .further(path, asked)
                    .await
                    .map(|told| told.unwrap_or_else(IntoResponse::into_response));
            }
        };
        Some(self.viewer.queried(&parts, &asked.parts.uri, &asked.body).await)
    }

    async fn further(&self, path: &str, asked: &Asked) -> Option<Result<Response, QueryError>> {
        let params = match Params::read(asked.query(), b"") {
            Ok(params) => params,
            Err(error) => return Some(Err(error)),
        };
        let queries = &self.app.viewer_queries;
        Some(match path {
            "/federate" => queries.federate(self.seen(), &params).await,
            "/api/v1/metadata" => queries.metadata(self.seen(), &self.app.store, &params).await,
            "/api/v1/status/tsdb" => queries.tsdb(self.seen(), &params).await,
            "/api/v1/targets" => targets_within(self.app.fleet.targets(), &self.seen(), &params),
            _ => return None,
        })
    }

    /// When a rule would have fired, over the nodes inside.
    pub(super) async fn backtest(&self, body: &[u8]) -> Told {
        let (asked, rule, steps) = rules::wished(body)?;
        let tell = move |found| rules::backtested(&asked, steps, found);
        let told = self.app.viewer_queries.backtest(self.seen(), rule, steps, tell).await;
        told.map_err(|error| rules::unanswered(error.to_string()))
    }

    pub(super) fn export(&self, asked: &Asked) -> Told {
        let read = || {
            let params = Params::read(asked.query(), &[])?;
            let span = (params.time("start")?.unwrap_or(0), params.time("end")?.unwrap_or_else(clock::now));
            Ok::<_, QueryError>((span, params.matches()?))
        };
        let (span, selectors) = read().map_err(|error| {
            problem(axum::http::StatusCode::BAD_REQUEST, "Cannot be exported", error.to_string())
        })?;
        let (store, seen) = (self.app.store.clone(), self.seen());
        Ok(history::streamed(move |send| export_within(&store, &seen, selectors, span, send)))
    }
}
