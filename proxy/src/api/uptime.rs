//! `GET /api/v1/uptime`: how much of the time each node, or each group of nodes, was up.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use fleetglass_shared::wire::{Uptime, Uptimes};

use super::{
    events::unavailable,
    params::{Params, bad},
    problem::{ProblemResponse, problem},
};
use crate::{
    app::App,
    clock,
    config::is_label_name,
    state::uptime::{History, Tally, WINDOWS},
};

/// The windows of one node, of each node, or of each value of a label.
///
/// # Errors
/// 400 for parameters that are wrong, 404 when there is no such node, 503 when the state file cannot answer.
pub async fn uptime(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, ProblemResponse> {
    let params = Params::read(&uri, &["node", "by"])?;
    let groups: Vec<(String, String)> = match (params.get("node"), params.get("by")) {
        (Some(_), Some(_)) => return Err(bad("`node` and `by` exclude each other".to_owned())),
        (Some(id), None) if !app.fleet.contains(id) => {
            let detail = format!("`{id}` is not in the fleet; /api/v1/fleet lists the nodes");
            return Err(problem(StatusCode::NOT_FOUND, "No such node", detail));
        }
        (Some(id), None) => vec![(id.to_owned(), id.to_owned())],
        (None, Some(label)) if !is_label_name(label) => {
            return Err(bad(format!("`by={label}` is not a label's name")));
        }
        (None, Some(label)) => app.fleet.values_of(label),
        (None, None) => app.fleet.ids().into_iter().map(|id| (id.clone(), id)).collect(),
    };
    let history = app.state.history(clock::now()).await.map_err(|error| unavailable(&error))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(sums(&history, groups))).into_response())
}

/// One figure a group, of pairs of a node and its group.
pub(super) fn sums(history: &History, groups: Vec<(String, String)>) -> Uptimes {
    let mut tallies: BTreeMap<String, (usize, [Tally; WINDOWS.len()])> = BTreeMap::new();
    for (node, group) in groups {
        let (nodes, sum) = tallies.entry(group).or_default();
        *nodes += 1;
        for (sum, tally) in sum.iter_mut().zip(history.of(&node)) {
            *sum += tally;
        }
    }
    let of = tallies.into_iter().map(|(name, (nodes, sum))| {
        let windows = sum.iter().zip(WINDOWS).map(|(tally, (window, _))| tally.window(window)).collect();
        Uptime { name, nodes, windows }
    });
    Uptimes { at: history.now, of: of.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::uptime::Condition;

    #[test]
    fn a_group_is_the_sum_of_its_nodes() {
        const HOUR: i64 = 3_600_000;
        let history = History {
            now: 10 * HOUR,
            nodes: [
                ("a".to_owned(), vec![(6 * HOUR, Condition::Down), (2 * HOUR, Condition::Up)]),
                ("b".to_owned(), vec![(8 * HOUR, Condition::Up)]),
            ]
            .into(),
            observed: vec![(0, 10 * HOUR)],
        };
        let pair = |node: &str, group: &str| (node.to_owned(), group.to_owned());
        let sums = sums(&history, vec![pair("a", "x"), pair("b", "x"), pair("c", "y")]);
        let [x, y] = sums.of.as_slice() else { panic!("{sums:?}") };
        assert_eq!((x.name.as_str(), x.nodes, y.name.as_str(), y.nodes), ("x", 2, "y", 1));
        let day = &x.windows[0];
        assert_eq!((day.up_ms, day.down_ms, day.outages), (6 * 3_600_000, 4 * 3_600_000, 1));
        assert_eq!(day.unknown_ms, 38 * 3_600_000);
        assert_eq!(day.ratio, Some(0.6));
        assert_eq!((y.windows[0].ratio, y.windows[0].unknown_ms), (None, 24 * 3_600_000));
    }
}
