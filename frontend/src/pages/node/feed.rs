//! The data of a chart: asked while the chart is near the screen, and again when there may be newer values.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::PanelQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::load::escaped;
use crate::charts::{Board, ChartData, Grid, Range, Shown, Tier, lay_out, parse_answer};
use crate::client::{self, ClientError};
use crate::dom::effect;
use crate::state::use_fleet;

/// A chart of months is not asked again each second: at most so many times while a value of it is made …
const REFRESHES_A_STEP: i64 = 4;
/// … and at least after this long.
const LONGEST_PAUSE_MS: i64 = 300_000;

/// What was asked for last, so that coming back into view asks for nothing twice.
#[derive(Clone, Copy, PartialEq)]
struct Asked {
    refresh: u64,
    range: Range,
    at: UnixMillis,
    pause: i64,
}

/// The lines of some queries, kept up to date. They are made for the time from one value to the next.
pub fn feed(queries: impl Fn(i64) -> Vec<PanelQuery> + 'static, in_view: RwSignal<bool>) -> RwSignal<Shown> {
    let board = Board::expect();
    let now = use_fleet().now();
    let shown = RwSignal::new(Shown::Loading);
    let asked = Rc::new(Cell::new(None::<Asked>));
    let busy = Rc::new(Cell::new(false));
    effect(move || {
        let (refresh, range, seen) = (board.refresh.get(), board.range(), in_view.get());
        let at = now.get_untracked();
        let before = asked.get().filter(|before| before.range == range);
        // What has ended stays as it is; a slow answer is waited for, unless something else is asked.
        let enough = before.is_some_and(|before| {
            busy.get()
                || before.refresh == refresh
                || !range.follows(before.at)
                || at - before.at < before.pause
        });
        if !seen || enough {
            return;
        }
        let grid = board.grid(at);
        let pause = (grid.step / REFRESHES_A_STEP).min(LONGEST_PAUSE_MS);
        let wanted = Asked { refresh, range, at, pause };
        asked.set(Some(wanted));
        busy.set(true);
        let queries = queries(grid.step);
        let (asked, busy) = (asked.clone(), busy.clone());
        spawn_local(async move {
            let answer = ask(range, grid, &queries).await;
            if asked.get() != Some(wanted) {
                return;
            }
            busy.set(false);
            if answer.is_err() {
                // The next refresh tries again, whatever the range.
                asked.set(None);
            }
            // Gives the value back when the chart is gone by now.
            shown.try_set(
                answer.map_or_else(
                    |error| Shown::Failed(error.in_words()),
                    |data| Shown::Ready(Arc::new(data)),
                ),
            );
        });
    });
    shown
}

async fn ask(range: Range, asked: Grid, queries: &[PanelQuery]) -> Result<ChartData, ClientError> {
    let mut answers = Vec::with_capacity(queries.len());
    let (mut grid, mut tier) = (asked, Tier::Raw);
    for query in queries {
        let body = body_of(&query.expr, asked).await?;
        let answer = parse_answer(&body).map_err(ClientError::Malformed)?;
        // Where only coarse values are left there are fewer times than were asked for.
        grid = grid.with_step(answer.step.max(grid.step));
        tier = tier.max(answer.tier);
        answers.push((query.legend.as_str(), answer));
    }
    Ok(ChartData::new(range, tier, grid, lay_out(grid, answers)))
}

async fn body_of(expr: &str, grid: Grid) -> Result<String, ClientError> {
    let (query, start, end) = (escaped(expr), grid.start / 1000, grid.end / 1000);
    client::get_text(&format!(
        "/api/v1/chart?query={query}&start={start}&end={end}&step={}",
        grid.step / 1000
    ))
    .await
}
