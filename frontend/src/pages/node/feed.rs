//! The data of a chart: asked while the chart is near the screen, and again when there may be newer values.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use fleetglass_shared::wire::PanelQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::load::escaped;
use crate::charts::{Board, ChartData, Grid, Shown, Window, lay_out, parse_matrix};
use crate::client::{self, ClientError};
use crate::dom::effect;
use crate::state::use_fleet;

/// What was asked for last, so that coming back into view asks for nothing twice.
type Asked = (u64, Window);

/// The lines of some queries, kept up to date.
pub(super) fn feed(queries: Vec<PanelQuery>, in_view: RwSignal<bool>) -> RwSignal<Shown> {
    let board = Board::expect();
    let now = use_fleet().now();
    let shown = RwSignal::new(Shown::Loading);
    let queries: Rc<[PanelQuery]> = queries.into();
    let asked = Rc::new(Cell::new(None::<Asked>));
    let busy = Rc::new(Cell::new(false));
    effect(move || {
        let wanted: Asked = (board.refresh.get(), board.window());
        let seen = in_view.get();
        let same = asked.get().is_some_and(|(_, window)| window == wanted.1);
        // A slow answer is waited for, unless something else is asked.
        if !seen || asked.get() == Some(wanted) || (same && busy.get()) {
            return;
        }
        asked.set(Some(wanted));
        busy.set(true);
        let grid = board.grid(now.get_untracked());
        let (queries, asked, busy) = (queries.clone(), asked.clone(), busy.clone());
        spawn_local(async move {
            let answer = ask(grid, &queries).await;
            if asked.get() != Some(wanted) {
                return;
            }
            busy.set(false);
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

async fn ask(grid: Grid, queries: &[PanelQuery]) -> Result<ChartData, ClientError> {
    let mut answers = Vec::with_capacity(queries.len());
    for query in queries {
        let path = format!(
            "/api/v1/query_range?query={}&start={}&end={}&step={}",
            escaped(&query.expr),
            grid.start / 1000,
            grid.end / 1000,
            grid.step / 1000,
        );
        let body = client::get_text(&path).await?;
        answers.push((query.legend.as_str(), parse_matrix(&body).map_err(ClientError::Malformed)?));
    }
    Ok(ChartData::new(grid, lay_out(grid, answers)))
}
