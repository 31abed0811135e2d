//! `view=chart`: the chart of a node, or of an expression, asked as any viewer of the link asks.

use std::{collections::BTreeMap, sync::Arc};

use axum::{http::StatusCode, response::IntoResponse};
use fleetglass_shared::{
    format::{UNKNOWN, number},
    scope::Inside,
    wire::{Panel as NodePanel, PanelQuery},
};
use serde::Deserialize;

use super::{
    Viewer,
    collect::{Said, inside},
};
use crate::{
    embed::{
        Ask, Panel,
        model::{ChartLine, ChartPart},
    },
    letters::in_address,
    query::{Params as Form, Seen},
};

/// Points of a line, about.
const POINTS: i64 = 160;
/// Steps are multiples of this, in milliseconds.
const QUANTUM: i64 = 15_000;
/// More lines are no chart that a person reads.
const MOST_LINES: usize = 8;
/// A larger answer is not read.
const MOST_BYTES: usize = 4 << 20;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    values: Vec<(f64, String)>,
}

/// The times of a chart.
#[derive(Clone, Copy)]
struct Grid {
    start: i64,
    step: i64,
    count: usize,
}

impl Grid {
    /// It ends a little before now, at a time that stays for a while: so a chart does not tremble from one look to the
    /// next.
    fn of(span: i64, now: i64) -> Self {
        let step = (span / POINTS + QUANTUM - 1).div_euclid(QUANTUM).max(1) * QUANTUM;
        let end = now.div_euclid(QUANTUM) * QUANTUM;
        let count = span / step;
        Self { start: end - count * step, step, count: usize::try_from(count).unwrap_or(0) + 1 }
    }

    fn end(self) -> i64 {
        self.start + self.step * i64::try_from(self.count.saturating_sub(1)).unwrap_or(0)
    }

    fn lay(self, values: &[(f64, String)]) -> Vec<Option<f64>> {
        let mut laid = vec![None; self.count];
        for (seconds, text) in values {
            let at = (seconds * 1000.0).round() as i64 - self.start + self.step / 2;
            let place = usize::try_from(at.div_euclid(self.step)).ok().and_then(|index| laid.get_mut(index));
            if let (Some(place), Ok(value)) = (place, text.parse::<f64>()) {
                *place = Some(value).filter(|value| value.is_finite());
            }
        }
        laid
    }
}

pub(super) async fn panel(viewer: &Viewer<'_>, ask: &Ask, panel: Panel) -> Result<Panel, Said> {
    let (chosen, only) = chosen(viewer, ask)?;
    let nodes = only.map_or_else(|| viewer.app.shares.nodes(viewer.share), |node| vec![node]);
    let seen = Seen { scope: Arc::clone(viewer.share.scope()), nodes: Arc::new(nodes) };
    let grid = Grid::of(ask.span(), viewer.now);
    let mut series = Vec::new();
    for query in &chosen.queries {
        series.append(&mut lines(viewer, &seen, query, grid, &chosen.unit).await?);
    }
    let more = series.len().saturating_sub(MOST_LINES);
    series.truncate(MOST_LINES);
    let headline = match series.as_slice() {
        [only] => only.last.clone(),
        [] => UNKNOWN.to_owned(),
        _ => String::new(),
    };
    let part = ChartPart {
        node: ask.node.clone(),
        name: chosen.title,
        unit: chosen.unit,
        start: grid.start,
        step_ms: grid.step,
        series,
        more,
        bound: chosen.bound,
        from_zero: chosen.from_zero,
    };
    Ok(Panel { headline, chart: Some(part), ..panel })
}

/// Which chart is meant, and of which node alone an expression beside one is.
pub(super) fn chosen(viewer: &Viewer<'_>, ask: &Ask) -> Result<(NodePanel, Option<Inside>), Said> {
    let node = ask.node.as_deref().map(|name| inside(viewer, name)).transpose()?;
    if let Some(expr) = &ask.query {
        let queries = vec![PanelQuery { expr: expr.clone(), legend: String::new() }];
        let title = expr.clone();
        let panel = NodePanel {
            title,
            subsystem: String::new(),
            unit: String::new(),
            queries,
            bound: None,
            from_zero: false,
        };
        return Ok((panel, node));
    }
    let gone = || Said::new(StatusCode::NOT_FOUND, "This node is not there any more.");
    let node = node.ok_or_else(gone)?;
    let detail = viewer.app.fleet.detail(&node.id).ok_or_else(gone)?;
    let panels = viewer.app.fleet.panels_as(&node.id, &node.shown);
    let panels = viewer.share.scope().detail(&node, &detail, panels, viewer.now).panels;
    let wanted = plain(ask.panel.as_deref().unwrap_or_default());
    let titles: Vec<String> = panels.iter().map(|panel| panel.title.clone()).collect();
    let found = panels.into_iter().find(|panel| plain(&panel.title) == wanted);
    found.map(|panel| (panel, None)).ok_or_else(|| {
        let words = match titles.as_slice() {
            [] => "This node has no charts.".to_owned(),
            titles => format!("There is no such chart of this node; there are: {}.", titles.join(", ")),
        };
        Said::new(StatusCode::NOT_FOUND, words)
    })
}

/// Letters and digits alone: `peers-connected` names `Peers connected`.
fn plain(title: &str) -> String {
    title.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

async fn lines(
    viewer: &Viewer<'_>,
    seen: &Seen,
    query: &PanelQuery,
    grid: Grid,
    unit: &str,
) -> Result<Vec<ChartLine>, Said> {
    let seconds = |ms: i64| ms / 1000;
    let words = format!(
        "query={}&start={}&end={}&step={}",
        in_address(&query.expr),
        seconds(grid.start),
        seconds(grid.end()),
        seconds(grid.step)
    );
    let bad = |words: String| Said::new(StatusCode::BAD_REQUEST, format!("`query`: {words}"));
    let params = Form::read(Some(&words), &[]).map_err(|error| bad(error.to_string()))?;
    let answer = viewer.app.viewer_queries.chart(seen.clone(), &params).await;
    let answer = answer.unwrap_or_else(IntoResponse::into_response);
    // What took too long, or was stopped, says nothing of the expression.
    let status = answer.status();
    let too_much = |_| bad("it gives more than a chart can show; narrow it".to_owned());
    let body = axum::body::to_bytes(answer.into_body(), MOST_BYTES).await.map_err(too_much)?;
    let answer: Answer = serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))?;
    let Some(Data { result }) = answer.data else {
        return Err(match status.is_server_error() {
            true => Said::new(status, "This chart cannot be drawn now; it is tried again."),
            false => bad(answer.error),
        });
    };
    let differing = differing(&result);
    let line = |series: &Series| {
        let values = grid.lay(&series.values);
        let last = values.iter().rev().flatten().next().map(|value| number(*value, unit));
        let name = match query.legend.as_str() {
            "" => named(&series.metric, &differing),
            legend => filled(legend, &series.metric),
        };
        last.map(|last| ChartLine { name, values, last })
    };
    Ok(result.iter().filter_map(line).collect())
}

/// The labels by which series differ.
fn differing(all: &[Series]) -> Vec<String> {
    let Some((first, rest)) = all.split_first() else { return Vec::new() };
    let names: std::collections::BTreeSet<&String> =
        all.iter().flat_map(|series| series.metric.keys()).collect();
    let differs =
        |name: &&String| rest.iter().any(|series| series.metric.get(*name) != first.metric.get(*name));
    names.into_iter().filter(differs).cloned().collect()
}

/// One differing label is its value alone; several are `a=1 b=2`.
fn named(metric: &BTreeMap<String, String>, differing: &[String]) -> String {
    match differing {
        [only] => metric.get(only).cloned().unwrap_or_default(),
        all => {
            let pairs = all.iter().filter_map(|name| Some(format!("{name}={}", metric.get(name)?)));
            pairs.collect::<Vec<_>>().join(" ")
        }
    }
}

/// Each `{label}` is its value, or nothing.
fn filled(legend: &str, metric: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = legend;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, tail)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        out.push_str(metric.get(name).map_or("", String::as_str));
        rest = tail;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_few_points_and_ends_about_now() {
        let spans =
            [(300_000, 15_000), (3_600_000, 30_000), (86_400_000, 540_000), (7_776_000_000, 48_600_000)];
        for (span, step) in spans {
            let grid = Grid::of(span, 1_700_000_003_123);
            assert_eq!(grid.step, step);
            assert!(grid.count <= 165 && grid.start % QUANTUM == 0, "{} {}", grid.count, grid.start);
            assert!(grid.end() <= 1_700_000_003_123 && grid.end() > 1_700_000_003_123 - QUANTUM);
        }
        let grid = Grid { start: 0, step: 15_000, count: 3 };
        let values =
            [(0.0, "1".to_owned()), (14.9, "2".to_owned()), (30.0, "NaN".to_owned()), (99.0, "9".to_owned())];
        assert_eq!(grid.lay(&values), [Some(1.0), Some(2.0), None]);
    }

    #[test]
    fn a_chart_is_found_by_its_letters_and_lines_by_what_differs() {
        assert_eq!(plain("Peers, connected"), plain("peers-connected"));
        let series = |direction: &str| Series {
            metric: [("direction", direction), ("instance", "n")]
                .map(|(a, b)| (a.to_owned(), b.to_owned()))
                .into(),
            values: Vec::new(),
        };
        let all = [series("in"), series("out")];
        assert_eq!(differing(&all), ["direction"]);
        assert_eq!(named(&all[0].metric, &differing(&all)), "in");
        assert_eq!(filled("to {direction}{gone} {", &all[0].metric), "to in {");
    }
}
