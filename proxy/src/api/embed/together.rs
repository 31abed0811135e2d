//! `/embed/{token}/panels`: the panels of a page in one answer, drawn side by side, so that none waits long for another.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use serde_json::json;
use tokio_util::task::AbortOnDropHandle;

use super::{Drawn, drawn};
use crate::{api::problem::problem, app::App, clock, edge::Visit, query::Params as Form};

/// So many panels are in one answer at most.
const MOST: usize = 20;
/// So many of them are drawn at one time.
const AT_ONCE: usize = 4;
/// What takes longer says so in its place, and has to be asked for alone: the others wait for it here.
const PATIENCE: Duration = Duration::from_secs(3);

/// `panel` is there once for each, with what would be the parameters of one.
pub async fn panels(
    State(app): State<Arc<App>>,
    Extension(visit): Extension<Visit>,
    Path(token): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let bad = |words: String| problem(StatusCode::BAD_REQUEST, "Bad parameter", words).into_response();
    let form = match Form::read(query.as_deref(), &[]) {
        Ok(form) => form,
        Err(error) => return bad(error.to_string()),
    };
    let wished: Vec<String> = form.all("panel").map(str::to_owned).collect();
    if wished.is_empty() || wished.len() > MOST {
        return bad(format!("`panel` stands there for each panel, from once to {MOST} times."));
    }
    app.share_limits.charge(visit.ip, &token, wished.len(), clock::now());
    let mut panels: Vec<Option<Drawn>> = wished.iter().map(|_| None).collect();
    // By number, for one that takes long holds no place for those behind it. Who leaves ends them all.
    let mut under_way = stream::iter(wished.into_iter().enumerate())
        .map(|(at, wish)| {
            let (app, token) = (Arc::clone(&app), token.clone());
            let drawn = async move { drawn(&app, &token, Some(&wish), PATIENCE).await };
            let task = AbortOnDropHandle::new(tokio::spawn(drawn));
            async move { (at, task.await.ok()) }
        })
        .buffer_unordered(AT_ONCE);
    while let Some((at, panel)) = under_way.next().await {
        panels[at] = panel;
    }
    let panels: Vec<Drawn> = panels.into_iter().map(|panel| panel.unwrap_or_else(failed)).collect();
    Json(json!({ "panels": panels })).into_response()
}

/// A fault of ours in one is none of the others.
fn failed() -> Drawn {
    Drawn {
        status: StatusCode::INTERNAL_SERVER_ERROR.as_u16(),
        mark: String::new(),
        text: "This panel could not be drawn; it is tried again.".to_owned(),
    }
}
