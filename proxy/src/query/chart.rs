//! `GET /api/v1/chart`: a range query for the eye. It picks a step, and reads long spans from the
//! down-sampled tiers.

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::promql::{Options, Query, Steps, Storage};
use fleetglass_shared::sample::LOOK_BACK_MS;

use super::QueryError;
use super::answer::{self, success};
use super::params::{Params, bad, step_ms};
use super::run::{Api, TIMEOUT, checked, parsed};
use crate::store::{Store, Tier};

const POINTS: i64 = 240;
const MOST_POINTS: i64 = 2000;
/// From this step on the samples between two points are shown as a band.
const BAND_FROM_MS: i64 = 60_000;

pub(super) async fn chart(
    State(api): State<Api>,
    RawQuery(uri): RawQuery,
    body: Bytes,
) -> Result<Response, QueryError> {
    let params = Params::read(uri.as_deref(), &body)?;
    let missing = |name: &str| bad(name, "cannot parse \"\" to a valid timestamp");
    let start = params.time("start")?.ok_or_else(|| missing("start"))?;
    let end = params.time("end")?.ok_or_else(|| missing("end"))?;
    let step = match params.get("step") {
        Some(step) => {
            step_ms(step).ok_or_else(|| bad("step", &format!("cannot parse {step:?} to a valid duration")))?
        }
        None => step_for(end.saturating_sub(start), points(&params)?),
    };
    let steps = checked(Steps { start, end, step })?;
    let query = parsed(params.get("query").unwrap_or(""))?;
    if let Some(kind) = query.no_value_at_a_step() {
        return Err(bad(
            "query",
            &format!("invalid expression type {kind:?} for a chart, must be Scalar or instant Vector"),
        ));
    }
    if api.store.oldest_kept().is_none_or(|oldest| start < oldest) && api.has_long_term() {
        let past = api.past(&query, steps, None).await;
        return api
            .run(TIMEOUT, move |store, options| {
                let data = drawn(&past.joined(store), &query, None, steps, options)?;
                Ok(success(&ended(data, "long_term", step), &past.warnings, &[]))
            })
            .await;
    }
    api.run(TIMEOUT, move |store, options| Ok(success(&data(store, &query, steps, options)?, &[], &[]))).await
}

/// `data` of the answer to a chart of an expression.
///
/// # Errors
/// The expression cannot be used, or has no answer.
pub fn chart_of(
    store: &Store,
    expr: &str,
    start: UnixMillis,
    end: UnixMillis,
    points: i64,
) -> Result<String, QueryError> {
    let steps = checked(Steps { start, end, step: step_for(end.saturating_sub(start), points) })?;
    data(store, &parsed(expr)?, steps, &Options::default())
}

fn data(store: &Store, query: &Query, steps: Steps, options: &Options<'_>) -> Result<String, QueryError> {
    let Steps { start, step, .. } = steps;
    let tier = tier_for(store, start, step);
    let data = match tier {
        None => drawn(store, query, query.extremes(step), steps, options)?,
        Some(tier) => {
            let slot = tier.step_ms();
            let coarse = query.over_slots(slot, step);
            let extremes = query.extremes(step).map(|both| both.map(|query| query.over_slots(slot, step)));
            let options = Options { look_back_ms: slot + LOOK_BACK_MS, default_step_ms: slot, ..*options };
            drawn(&store.slots(tier), &coarse, extremes, steps, &options)?
        }
    };
    Ok(ended(data, tier.map_or("raw", Tier::as_str), step))
}

pub(super) fn ended(mut data: String, tier: &str, step: i64) -> String {
    data.push_str(&format!(r#","tier":"{tier}","step":{}}}"#, step as f64 / 1000.0));
    data
}

/// The answer, without the brace that ends it.
pub(super) fn drawn(
    storage: &impl Storage,
    query: &Query,
    extremes: Option<[Query; 2]>,
    steps: Steps,
    options: &Options<'_>,
) -> Result<String, QueryError> {
    let found = query.range(storage, steps, options)?;
    let mut data = answer::range(&found.value, steps);
    data.truncate(data.len() - 1);
    if let Some([low, high]) = extremes.filter(|_| steps.step >= BAND_FROM_MS) {
        for (name, query) in [("low", low), ("high", high)] {
            let found = query.range(storage, steps, options)?;
            data.push_str(&format!(r#","{name}":{}"#, answer::series(&found.value, steps)));
        }
    }
    Ok(data)
}

pub(super) fn points(params: &Params) -> Result<i64, QueryError> {
    let Some(text) = params.get("points") else { return Ok(POINTS) };
    match text.parse() {
        Ok(points @ 2..=MOST_POINTS) => Ok(points),
        _ => Err(bad("points", &format!("{text:?} is not a number from 2 to {MOST_POINTS}"))),
    }
}

/// A step of whole seconds with which a span has about so many points.
pub(super) fn step_for(span_ms: i64, points: i64) -> i64 {
    let seconds = (span_ms / points.max(1) + 999) / 1000;
    seconds.max(1) * 1000
}

/// The coarsest tier whose slots are no longer than a step; where the samples themselves are gone, the finest.
fn tier_for(store: &Store, start: UnixMillis, step: i64) -> Option<Tier> {
    let fits = Tier::ALL.into_iter().rev().find(|tier| tier.step_ms() <= step);
    let gone = || store.has_slots_before(start).then_some(Tier::Minutes);
    fits.or_else(gone)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use crate::store::{Limits, Put, TargetIdent};

    const DAY: i64 = 86_400_000;
    const START: i64 = 20_000 * DAY;
    const MINUTE: i64 = 60_000;

    /// Five days of a counter that grows by two a second and is reset now and then, and of a gauge that is 1 but
    /// for one sample a day; the last day is not rolled up.
    fn store(folder: &std::path::Path) -> Store {
        let (store, _) = Store::open(Limits::default(), folder, START).unwrap();
        let ident = TargetIdent { instance: "a".into(), job: "j".into(), labels: BTreeMap::new() };
        let mut counter = 0.0;
        for round in 0..5 * 1440 {
            let at = START + round * MINUTE;
            counter = if round % 700 == 699 { 120.0 } else { counter + 120.0 };
            let mut row = store.begin(&ident, at).unwrap();
            let gauge = if round % 1440 == 777 { 50.0 } else { 1.0 };
            // Away for two hours of the second day.
            if !(1440 + 600..1440 + 720).contains(&round) {
                row.put(&Put::gauge("served_total", counter, "")).unwrap();
                row.put(&Put::gauge("lag", gauge, "")).unwrap();
            }
            row.commit();
            if round % 60 == 0 {
                store.flush(at, false).unwrap();
            }
        }
        store.roll_up(START + 5 * DAY).unwrap();
        store
    }

    fn ask(store: &Store, expr: &str, start: i64, end: i64, points: i64) -> Value {
        serde_json::from_str(&chart_of(store, expr, start, end, points).unwrap()).unwrap()
    }

    fn values(list: &Value) -> Vec<(i64, f64)> {
        let values = list[0]["values"].as_array().cloned().unwrap_or_default();
        let value = |pair: &Value| {
            ((pair[0].as_f64().unwrap() * 1000.0) as i64, pair[1].as_str().unwrap().parse().unwrap())
        };
        values.iter().map(value).collect()
    }

    #[test]
    fn a_long_span_is_read_from_slots_and_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let end = START + 5 * DAY - MINUTE;
        for (points, tier) in [(60, "1h"), (240, "5m")] {
            let rate = ask(&store, "rate(served_total[5m])", START, end, points);
            assert_eq!(rate["tier"], tier);
            let rate = values(&rate["result"]);
            let away = |at: i64| (START + DAY + 9 * 3_600_000..START + DAY + 17 * 3_600_000).contains(&at);
            assert!(rate.len() as i64 > points * 9 / 10, "{}", rate.len());
            for (at, value) in &rate[1..] {
                assert!(away(*at) || (value - 2.0).abs() < 0.35, "{value} at {}", at - START);
            }
            let increase = values(&ask(&store, "increase(served_total[1h])", START, end, points)["result"]);
            assert!(increase[1..].iter().all(|(at, value)| away(*at) || (value - 7200.0).abs() < 1300.0));

            let lag = ask(&store, "lag", START, end, points);
            assert!(values(&lag["result"]).iter().all(|(_, value)| *value == 1.0 || *value == 50.0));
            let peaks = values(&lag["high"]).iter().filter(|(_, value)| *value == 50.0).count();
            assert!((5..=10).contains(&peaks), "{peaks} peaks: each day's is in the band");
            assert!(values(&lag["low"]).iter().all(|(_, value)| *value == 1.0));
            let gap = START + DAY + 11 * 3_600_000;
            let near =
                |list: &[(i64, f64)]| list.iter().filter(|(at, _)| (at - gap).abs() < 1_000_000).count();
            assert_eq!(near(&values(&lag["result"])), 0, "a gap is a gap");
        }
        let hour = ask(&store, "lag", end - 3_600_000, end, 240);
        assert_eq!((&hour["tier"], &hour["step"]), (&Value::from("raw"), &Value::from(15)));
        let max = values(&ask(&store, "max_over_time(lag[5m])", START, end, 60)["result"]);
        assert_eq!(max.iter().filter(|(_, value)| *value == 50.0).count(), 5);
    }
}
