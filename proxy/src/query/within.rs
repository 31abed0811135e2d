//! What else Prometheus's API tells those whose role is limited: over the nodes inside, as if there were no others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::response::Response;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, METRIC_NAME, Matcher};
use fleetglass_shared::promql::{Options, Steps, Storage};
use fleetglass_shared::rule::{self, Backtest, Rule};
use fleetglass_shared::sample::LOOK_BACK_MS;
use fleetglass_shared::scope::{Inside, Scoped};
use fleetglass_shared::wire::EndpointDetail;

use super::params::Params;
use super::status::{most, told_series, told_targets};
use super::{QueryError, Seen, ViewerQueries, federate, find};
use crate::clock;
use crate::store::Store;
use crate::target::Target;
use crate::transfer;

impl ViewerQueries {
    /// The newest samples of chosen series.
    ///
    /// # Errors
    /// As Prometheus's.
    pub(crate) async fn federate(&self, seen: Seen, params: &Params) -> Result<Response, QueryError> {
        let selectors = params.matches()?;
        let now = clock::now();
        self.run(seen, move |scoped, options| {
            let selectors: Vec<_> = selectors.into_iter().map(|own| scoped.matchers(own)).collect();
            federate::newest(scoped, &selectors, now, options)
        })
        .await
    }

    /// When a rule would have fired over the nodes inside.
    ///
    /// # Errors
    /// It has no answer.
    pub(crate) async fn backtest(
        &self,
        seen: Seen,
        mut rule: Rule,
        steps: Steps,
        tell: impl FnOnce(Backtest) -> Response + Send + 'static,
    ) -> Result<Response, QueryError> {
        self.run(seen, move |scoped, options| {
            rule.query = scoped.query(&rule.query);
            let options = Options { look_back_ms: LOOK_BACK_MS.max(steps.step), ..*options };
            Ok(tell(rule::backtest(&rule, scoped, steps, &options)?))
        })
        .await
    }

    /// What the nodes inside say of their metrics.
    ///
    /// # Errors
    /// As Prometheus's.
    pub(crate) async fn metadata(
        &self,
        seen: Seen,
        store: &Store,
        params: &Params,
    ) -> Result<Response, QueryError> {
        let metric = params.get("metric").filter(|metric| !metric.is_empty());
        let (limit, per_metric) = (params.limit("limit")?, params.limit("limit_per_metric")?);
        let found = store.metadata_within(seen.nodes.iter().map(|node| node.id.as_str()), metric);
        Ok(find::told_metadata(&found, limit, per_metric))
    }

    /// The largest metrics and labels of the last hour.
    ///
    /// # Errors
    /// As Prometheus's.
    pub(crate) async fn tsdb(&self, seen: Seen, params: &Params) -> Result<Response, QueryError> {
        let (limit, end) = (most(params)?, clock::now());
        let start = end.saturating_sub(3_600_000);
        self.run(seen, move |scoped, options| {
            let mut found = BTreeSet::new();
            let mut oldest: Option<UnixMillis> = None;
            scoped.scan(&scoped.matchers(Vec::new()), start, end, &mut |series| {
                if let Some(error) = (options.stop)() {
                    return Err(error);
                }
                oldest = oldest.into_iter().chain(series.times.first().copied()).min();
                found.insert(series.labels.clone());
                Ok(())
            })?;
            Ok(told_series(&found, (found.len(), oldest), limit))
        })
        .await
    }
}

/// The targets of the nodes inside.
///
/// # Errors
/// As Prometheus's.
pub(crate) fn targets_within(
    all: Vec<(Arc<Target>, Vec<EndpointDetail>)>,
    seen: &Seen,
    params: &Params,
) -> Result<Response, QueryError> {
    let nodes: BTreeMap<&str, &Inside> = seen.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let inside = all.into_iter().filter_map(|(target, endpoints)| {
        let node = nodes.get(target.id.as_str())?;
        let labels = seen.scope.node_labels(node, &target.labels);
        Some((Arc::new(Target { labels, ..Target::clone(&target) }), endpoints))
    });
    told_targets(inside.collect(), params)
}

/// Every sample of the nodes inside, as [`transfer::export`] writes it.
///
/// # Errors
/// As there.
pub(crate) fn export_within(
    store: &Store,
    seen: &Seen,
    selectors: Vec<Vec<Matcher>>,
    span: (UnixMillis, UnixMillis),
    out: &mut dyn FnMut(String) -> Result<(), String>,
) -> Result<(), String> {
    let of = |id: &str| -> Box<dyn Storage + '_> { Box::new(store.of_target(id)) };
    let scoped = Scoped::new(&seen.scope, &seen.nodes, seen.scope.oldest(clock::now()), &of);
    let selectors = if selectors.is_empty() { vec![Vec::new()] } else { selectors };
    let selectors: Vec<Vec<Matcher>> = selectors.into_iter().map(|own| scoped.matchers(own)).collect();
    let mut names = BTreeSet::new();
    for matchers in &selectors {
        let read = scoped.scan(matchers, span.0, span.1, &mut |series| {
            let name: &LabelSet = series.labels;
            names.extend(name.get(METRIC_NAME).map(str::to_owned));
            Ok(())
        });
        read.map_err(|error| error.to_string())?;
    }
    transfer::export_from(&scoped, names, &selectors, span, out)
}
