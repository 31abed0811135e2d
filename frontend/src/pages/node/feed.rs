//! The data of a chart: asked while the chart is near the screen, and again when there may be newer values.

use std::sync::Arc;

use fleetglass_shared::wire::PanelQuery;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::load::escaped;
use crate::charts::{Board, ChartData, Grid, Shown, Window, lay_out, parse_matrix};
use crate::client::{self, ClientError};
use crate::state::use_fleet;

/// What was asked for last, so that coming back into view asks for nothing twice.
type Asked = (u64, Window, Vec<PanelQuery>);

/// The lines of some queries, kept up to date.
pub(super) fn feed(queries: Signal<Vec<PanelQuery>>, in_view: RwSignal<bool>) -> Signal<Shown> {
    let board = Board::expect();
    let fleet = use_fleet();
    let shown = RwSignal::new(Shown::Loading);
    let asked = StoredValue::new(None::<Asked>);
    let busy = StoredValue::new(false);
    Effect::new(move |_| {
        let now: Asked = (board.refresh.get(), board.window.get(), queries.get());
        let seen = in_view.get();
        let (same, all) = asked.with_value(|asked| match asked {
            Some(asked) => ((asked.1, &asked.2) == (now.1, &now.2), *asked == now),
            None => (false, false),
        });
        // A slow answer is waited for, unless something else is asked.
        if !seen || all || (same && busy.get_value()) {
            return;
        }
        asked.set_value(Some(now.clone()));
        busy.set_value(true);
        let grid = board.grid(fleet.now().get_untracked());
        spawn_local(async move {
            let answer = ask(grid, &now.2).await;
            if asked.try_with_value(|asked| asked.as_ref() == Some(&now)) != Some(true) {
                return;
            }
            busy.set_value(false);
            shown.set(
                answer.map_or_else(
                    |error| Shown::Failed(error.in_words()),
                    |data| Shown::Ready(Arc::new(data)),
                ),
            );
        });
    });
    shown.into()
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
