//! Queries of those who look through a share link: over the nodes of its scope, as if there were no others.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::{LabelSet, Matcher};
use fleetglass_shared::promql::{Options, Query, Steps, Storage};
use fleetglass_shared::sample::LOOK_BACK_MS;
use fleetglass_shared::scope::{Inside, Scope, Scoped};

use super::answer::{self, success};
use super::chart::{drawn, ended, points, step_for};
use super::find::cut;
use super::http::Wishes;
use super::params::{Params, bad, step_ms};
use super::run::{Api, checked, parsed};
use super::{QueryError, Targets};
use crate::clock;
use crate::store::{Store, Tier};

/// Viewers do not hold up those who are logged in for longer than this.
const LONGEST: Duration = Duration::from_secs(20);

/// What a viewer sees: the scope and the nodes in it now.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The scope.
    pub scope: Arc<Scope>,
    /// Its nodes.
    pub nodes: Arc<Vec<Inside>>,
}

/// Runs the queries of viewers, with places of their own.
#[derive(Clone)]
pub struct ViewerQueries(Api);

impl ViewerQueries {
    /// Over a store. The far past is not asked: who can say what it holds of whom?
    pub fn new(store: Arc<Store>) -> Self {
        let nobody: Targets = Arc::new(Vec::new);
        Self(Api::new(store, nobody, None))
    }

    /// An instant query.
    ///
    /// # Errors
    /// As Prometheus's, in the viewer's names.
    pub(crate) async fn instant(&self, seen: Seen, params: &Params) -> Result<Response, QueryError> {
        let at = params.time("time")?.unwrap_or_else(clock::now);
        let wishes = Wishes::read(params)?;
        let query = parsed(params.get("query").unwrap_or(""))?;
        self.run(seen, move |scoped, options| {
            let found = scoped.query(&query).instant(scoped, at, &wishes.options(options))?;
            Ok(wishes.answer(found, |value| answer::instant(value, at)))
        })
        .await
    }

    /// A range query.
    ///
    /// # Errors
    /// As [`Self::instant`].
    pub(crate) async fn range(&self, seen: Seen, params: &Params) -> Result<Response, QueryError> {
        let (start, end) = span(params)?;
        let step = params.get("step").and_then(step_ms).ok_or_else(|| bad("step", "it is no duration"))?;
        let steps = checked(Steps { start, end, step })?;
        let wishes = Wishes::read(params)?;
        let query = with_steps(params)?;
        self.run(seen, move |scoped, options| {
            let found = scoped.query(&query).range(scoped, steps, &wishes.options(options))?;
            Ok(wishes.answer(found, |value| answer::range(value, steps)))
        })
        .await
    }

    /// A range for the eye. It is read from the samples themselves, for the tiers also hold what rules made of all nodes.
    ///
    /// # Errors
    /// As [`Self::instant`].
    pub(crate) async fn chart(&self, seen: Seen, params: &Params) -> Result<Response, QueryError> {
        let (start, end) = span(params)?;
        let step = match params.get("step") {
            Some(step) => step_ms(step).ok_or_else(|| bad("step", "it is no duration"))?,
            None => step_for(end.saturating_sub(start), points(params)?),
        };
        let steps = checked(Steps { start, end, step })?;
        let query = with_steps(params)?;
        let tier = self.tier_for(&seen, start, step);
        self.run_over(seen, tier, move |scoped, options| {
            let Some(tier) = tier else {
                let query = scoped.query(&query);
                let data = drawn(scoped, &query, query.extremes(step), steps, options)?;
                return Ok(success(&ended(data, "raw", step), &[], &[]));
            };
            let slot = tier.step_ms();
            let coarse = |query: &Query| scoped.query(&query.over_slots(slot, step));
            let extremes = query.extremes(step).map(|both| both.map(|query| coarse(&query)));
            let options = Options { look_back_ms: slot + LOOK_BACK_MS, default_step_ms: slot, ..*options };
            let data = drawn(scoped, &coarse(&query), extremes, steps, &options)?;
            Ok(success(&ended(data, tier.as_str(), step), &[], &[]))
        })
        .await
    }

    /// The series that selectors select.
    ///
    /// # Errors
    /// As [`Self::instant`].
    pub(crate) async fn series(&self, seen: Seen, params: &Params) -> Result<Response, QueryError> {
        let selectors = params.matches()?;
        if selectors.is_empty() {
            return Err(QueryError::BadData("no match[] parameter provided".to_owned()));
        }
        self.found(seen, params, selectors, |found, limit| {
            let mut found: Vec<LabelSet> = found.into_iter().collect();
            let warnings = cut(&mut found, limit);
            success(&answer::label_sets(&found), &warnings, &[])
        })
        .await
    }

    /// The names of labels, or the values of one.
    ///
    /// # Errors
    /// As [`Self::instant`].
    pub(crate) async fn labels(
        &self,
        seen: Seen,
        params: &Params,
        of: Option<String>,
    ) -> Result<Response, QueryError> {
        self.found(seen, params, params.any_matches()?, move |found, limit| {
            let mut words = BTreeSet::new();
            for labels in &found {
                match &of {
                    Some(name) => words.extend(labels.get(name).map(str::to_owned)),
                    None => words.extend(labels.iter().map(|(name, _)| name.to_owned())),
                }
            }
            let mut words: Vec<String> = words.into_iter().collect();
            let warnings = cut(&mut words, limit);
            success(&answer::strings(words.iter().map(String::as_str)), &warnings, &[])
        })
        .await
    }

    pub(super) async fn found(
        &self,
        seen: Seen,
        params: &Params,
        selectors: Vec<Vec<Matcher>>,
        tell: impl FnOnce(BTreeSet<LabelSet>, usize) -> Response + Send + 'static,
    ) -> Result<Response, QueryError> {
        // Without a span all that is kept would be read.
        let now = clock::now();
        let end = params.time("end")?.unwrap_or(now);
        let start = params.time("start")?.unwrap_or(end.saturating_sub(3_600_000));
        let limit = params.limit("limit")?;
        self.run(seen, move |scoped, options| {
            let mut found = BTreeSet::new();
            for selector in selectors {
                let matchers = scoped.matchers(selector);
                scoped.scan(&matchers, start, end, &mut |series| {
                    if let Some(error) = (options.stop)() {
                        return Err(error);
                    }
                    found.insert(series.labels.clone());
                    Ok(())
                })?;
            }
            Ok(tell(found, limit))
        })
        .await
    }

    /// The coarsest tier whose slots are no longer than a step; where the samples of the nodes inside are gone, the
    /// finest. It follows from these nodes alone.
    fn tier_for(&self, seen: &Seen, start: UnixMillis, step: i64) -> Option<Tier> {
        let fits = Tier::ALL.into_iter().rev().find(|tier| tier.step_ms() <= step);
        let gone = || {
            let oldest = seen.nodes.iter().filter_map(|node| self.0.store.oldest_of(&node.id)).min();
            oldest.is_some_and(|oldest| start < oldest).then_some(Tier::Minutes)
        };
        fits.or_else(gone)
    }

    pub(super) async fn run(
        &self,
        seen: Seen,
        read: impl FnOnce(&Scoped<'_>, &Options<'_>) -> Result<Response, QueryError> + Send + 'static,
    ) -> Result<Response, QueryError> {
        self.run_over(seen, None, read).await
    }

    /// Over the samples, or over slots of a tier.
    async fn run_over(
        &self,
        seen: Seen,
        tier: Option<Tier>,
        read: impl FnOnce(&Scoped<'_>, &Options<'_>) -> Result<Response, QueryError> + Send + 'static,
    ) -> Result<Response, QueryError> {
        self.0
            .run(LONGEST, move |store, options| {
                let of = |id: &str| -> Box<dyn Storage + '_> {
                    match tier {
                        None => Box::new(store.of_target(id)),
                        Some(tier) => Box::new(store.slots_of_target(tier, id)),
                    }
                };
                // A slot is the end of what it is about: the first one must have begun when all may be seen.
                let slot = tier.map_or(0, Tier::step_ms);
                let oldest = seen.scope.oldest(clock::now()).saturating_add(slot);
                read(&Scoped::new(&seen.scope, &seen.nodes, oldest, &of), options)
            })
            .await
    }
}

fn span(params: &Params) -> Result<(UnixMillis, UnixMillis), QueryError> {
    let missing = |name: &str| bad(name, "cannot parse \"\" to a valid timestamp");
    let start = params.time("start")?.ok_or_else(|| missing("start"))?;
    Ok((start, params.time("end")?.ok_or_else(|| missing("end"))?))
}

/// An expression that has a value at each step.
fn with_steps(params: &Params) -> Result<Query, QueryError> {
    let query = parsed(params.get("query").unwrap_or(""))?;
    match query.no_value_at_a_step() {
        Some(kind) => {
            Err(bad("query", &format!("invalid expression type {kind:?}, must be Scalar or instant Vector")))
        }
        None => Ok(query),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use fleetglass_shared::health::Status;
    use fleetglass_shared::wire::{NodeSummary, ScopeSpec, View};

    use super::*;
    use crate::store::{Limits, Put, TargetIdent};

    const DAY: i64 = 86_400_000;
    const MINUTE: i64 = 60_000;

    /// Five days up to now of a node inside, and of one outside whose values are `outside`. A rule records of each what it
    /// worked out from both, under the node's own labels and under the name of a metric that the node has. Samples of the
    /// first days are kept as slots alone.
    fn store(folder: &std::path::Path, outside: f64, now: i64) -> Arc<Store> {
        let start = now - 5 * DAY;
        let (store, _) = Store::open(Limits::default(), folder, start).unwrap();
        let ident = |id: &str, team: &str| TargetIdent {
            instance: id.into(),
            job: "j".into(),
            labels: BTreeMap::from([("team".to_owned(), team.to_owned())]),
        };
        let mut counter = 0.0;
        for round in 0..5 * 288 {
            let at = start + round * 5 * MINUTE;
            counter += 600.0;
            for (id, team, value) in [("in", "a", 3.0 + (round % 7) as f64), ("out", "b", outside)] {
                let mut row = store.begin(&ident(id, team), at).unwrap();
                row.put(&Put::gauge("peers", value, "")).unwrap();
                let served = if id == "in" { counter } else { counter * outside };
                row.put(&Put::gauge("served_total", served, "")).unwrap();
                row.commit();
                let recorded = |name: &str| {
                    let labels = [("__name__", name), ("instance", id), ("job", "j"), ("team", team)];
                    (LabelSet::from_pairs(labels), vec![(at, outside * 1000.0)])
                };
                store.ingest(&TargetIdent::nobody(), vec![recorded("rank"), recorded("peers_max")], at);
            }
            if round % 12 == 0 {
                store.flush(at, false).unwrap();
            }
        }
        store.flush(now, true).unwrap();
        store.roll_up(now).unwrap();
        Arc::new(store)
    }

    fn scope(change: impl FnOnce(&mut ScopeSpec)) -> Arc<Scope> {
        let mut spec = ScopeSpec {
            select: vec!["{team=\"a\"}".into()],
            views: View::ALL.into(),
            oldest_seconds: None,
            addresses: false,
            drop_labels: Vec::new(),
            aliases: true,
            hide_metrics: Vec::new(),
        };
        change(&mut spec);
        Arc::new(Scope::new(spec, [7; 32]).unwrap())
    }

    async fn asked(
        store: &Arc<Store>,
        scope: &Arc<Scope>,
        query: &str,
        (start, end): (i64, i64),
        points: i64,
    ) -> String {
        let mut node = NodeSummary::new("in".into(), "j".into(), Status::Healthy, 0, 15_000);
        node.labels.insert("team".into(), "a".into());
        let nodes = Arc::new(vec![scope.inside(&node, None).unwrap()]);
        let form = format!(
            "start={}&end={}&points={points}&query={}",
            start / 1000,
            end / 1000,
            query.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>()
        );
        let seen = Seen { scope: Arc::clone(scope), nodes };
        let params = Params::read(Some(&form), &[]).unwrap();
        let answer = ViewerQueries::new(Arc::clone(store)).chart(seen, &params).await;
        match answer {
            Ok(answer) => {
                let body = axum::body::to_bytes(answer.into_body(), 1 << 24).await.unwrap();
                String::from_utf8(body.to_vec()).unwrap()
            }
            Err(error) => format!("{error:?}"),
        }
    }

    const TRICKS: [&str; 14] = [
        "{__name__=~\".+\"}",
        "peers",
        "peers_max",
        "rank",
        "rate(served_total[1h])",
        "increase(served_total[1d])",
        "max_over_time(peers[1d])",
        "count by (__name__) ({__name__=~\".+\"})",
        "absent(rank)",
        "peers{__slot_value__=\"total\"} or {team=\"b\"}",
        "{__slot_value__=\"max\", instance=~\".*\"}",
        "peers or {instance=\"out\"} or rank",
        "label_replace(peers, \"instance\", \"out\", \"\", \"\")",
        "max_over_time(max({__name__=~\"peers|rank\"})[1d:1h]) @ end()",
    ];

    #[tokio::test]
    async fn a_long_chart_is_read_from_slots_of_the_nodes_inside_and_of_nothing_else() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let now = clock::now() / (5 * MINUTE) * (5 * MINUTE);
        let (one, two) = (store(one.path(), 40.0, now), store(two.path(), 77.0, now));
        let span = (now - 5 * DAY, now);
        for (points, tier) in [(60, "1h"), (240, "5m")] {
            let whole = scope(|_| {});
            let peers = asked(&one, &whole, "peers", span, points).await;
            assert!(peers.contains(&format!("\"tier\":\"{tier}\"")), "{peers}");
            let values = peers.matches("],[").count();
            assert!(values as i64 > points * 4 / 5, "{values} of {points} points: {peers}");
            let rates = asked(&one, &whole, "rate(served_total[2h])", span, points).await;
            assert!(rates.matches("],[").count() as i64 > points * 4 / 5, "{rates}");
            assert!(
                !asked(&one, &whole, "rank", span, points).await.contains("metric"),
                "a rule recorded it"
            );
            for scope in [
                whole,
                scope(|spec| spec.oldest_seconds = Some(2 * 86_400)),
                scope(|spec| spec.hide_metrics = vec!["peers".into()]),
            ] {
                for trick in TRICKS {
                    let both = async || {
                        let told = asked(&one, &scope, trick, span, points).await;
                        (told, asked(&two, &scope, trick, span, points).await)
                    };
                    let mut answers = both().await;
                    if answers.0 != answers.1 {
                        // A slot may have become too old between the two, but hardly twice.
                        answers = both().await;
                    }
                    let (told, other) = answers;
                    assert_eq!(told, other, "{trick}");
                    assert!(!told.contains("\"out\"") || trick.contains("\"out\""), "{trick}: {told}");
                }
            }
        }
    }

    #[tokio::test]
    async fn no_slot_tells_of_what_is_too_old() {
        let folder = tempfile::tempdir().unwrap();
        let now = clock::now() / (5 * MINUTE) * (5 * MINUTE);
        let store = store(folder.path(), 40.0, now);
        let scope = scope(|spec| spec.oldest_seconds = Some(2 * 86_400));
        let text = asked(&store, &scope, "peers", (now - 5 * DAY, now), 60).await;
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let values = json["data"]["result"][0]["values"].as_array().unwrap();
        let first = values[0][0].as_f64().unwrap() * 1000.0;
        assert!(first >= (now - 2 * DAY) as f64, "{first}");
        // Nor does the growth of a counter, which is told from the first slot on.
        let total = "served_total{__slot_value__=\"total\"}";
        let growth = asked(&store, &scope, total, (now - 5 * DAY, now), 60).await;
        let json: serde_json::Value = serde_json::from_str(&growth).unwrap();
        let first = &json["data"]["result"][0]["values"][0];
        let at = first[0].as_f64().unwrap() * 1000.0;
        let grown: f64 = first[1].as_str().unwrap().parse().unwrap();
        let most = (at - (now - 2 * DAY) as f64) / (5 * MINUTE) as f64 * 600.0;
        assert!(grown <= most, "{grown} of at most {most}: {growth}");
    }
}
