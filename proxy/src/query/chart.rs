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
    let mut data = match tier {
        None => drawn(store, query, query.extremes(step), steps, options)?,
        Some(tier) => {
            let slot = tier.step_ms();
            let coarse = query.over_slots(slot, step);
            let extremes = query.extremes(step).map(|both| both.map(|query| query.over_slots(slot, step)));
            let options = Options { look_back_ms: slot + LOOK_BACK_MS, default_step_ms: slot, ..*options };
            drawn(&store.slots(tier), &coarse, extremes, steps, &options)?
        }
    };
    let tier = tier.map_or("raw", Tier::as_str);
    data.push_str(&format!(r#","tier":"{tier}","step":{}}}"#, step as f64 / 1000.0));
    Ok(data)
}

/// The answer, without the brace that ends it.
fn drawn(
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

fn points(params: &Params) -> Result<i64, QueryError> {
    let Some(text) = params.get("points") else { return Ok(POINTS) };
    match text.parse() {
        Ok(points @ 2..=MOST_POINTS) => Ok(points),
        _ => Err(bad("points", &format!("{text:?} is not a number from 2 to {MOST_POINTS}"))),
    }
}

/// A step of whole seconds with which a span has about so many points.
fn step_for(span_ms: i64, points: i64) -> i64 {
    let seconds = (span_ms / points.max(1) + 999) / 1000;
    seconds.max(1) * 1000
}

/// The coarsest tier whose slots are no longer than a step; where the samples themselves are gone, the finest.
fn tier_for(store: &Store, start: UnixMillis, step: i64) -> Option<Tier> {
    let fits = Tier::ALL.into_iter().rev().find(|tier| tier.step_ms() <= step);
    let gone = || store.has_slots_before(start).then_some(Tier::Minutes);
    fits.or_else(gone)
}
