//! PromQL beside the real Prometheus: the same samples into both, the same queries of both, the same answers.
//!
//! Debian's Prometheus is of the 2 series. Where the 3 series, whose meaning we keep, differs, samples and steps are
//! chosen so that it makes no difference (no sample lies at the edge of a window, which 3 leaves open on the
//! left), or the query is marked as an exception with its reason.

#![allow(clippy::unwrap_used)]

#[path = "promql/ask.rs"]
mod ask;
#[path = "promql/samples.rs"]
mod samples;

use ask::{Asked, Came};
use fleetglass_shared::promql::{Options, Query, Steps};
use fleetglass_tests::peers::{self, Peer, promtool};

const QUERIES: &str = include_str!("promql/queries.promql");

/// Every query at these times, and over the range between them. Three seconds past the minute, so that no step of a
/// subquery lies at the edge of its range.
const STEPS: Steps = Steps { start: 1_700_001_603_000, end: 1_700_003_403_000, step: 120_000 };

#[tokio::test]
async fn fleetglass_and_prometheus_answer_alike() {
    if peers::are_skipped() {
        return;
    }
    let all = samples::all();
    let folder = tempfile::TempDir::new().unwrap();
    let (text, data) = (folder.path().join("samples.om"), folder.path().join("data"));
    std::fs::write(&text, samples::open_metrics(&all)).unwrap();
    promtool(&[
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        &text.to_string_lossy(),
        &data.to_string_lossy(),
    ])
    .unwrap();
    let prometheus = Peer::prometheus_over(&data).await;
    let storage = samples::storage(&all);

    let options = Options::default();
    let (mut asked, mut equal, mut excepted, mut failing) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for line in QUERIES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (exception, text) = match line.strip_prefix('!') {
            Some(line) => line.split_once(" | ").map(|(why, text)| (Some(why), text)).unwrap(),
            None => (None, line),
        };
        let query = Query::parse(text);
        let times = [STEPS.start, STEPS.start + 7 * STEPS.step, STEPS.end];
        let ways = times.map(Asked::Instant).into_iter().chain([Asked::Range(STEPS)]);
        for way in ways {
            asked += 1;
            let theirs = ask::prometheus(&prometheus, text, way).await;
            let ours = match (&query, way) {
                (Err(_), _) => Came::Failed,
                (Ok(query), Asked::Instant(at)) => Came::of(query.instant(&storage, at, &options), way),
                (Ok(query), Asked::Range(steps)) => Came::of(query.range(&storage, steps, &options), way),
            };
            failing += usize::from(ours == Came::Failed);
            match (ask::difference(&ours, &theirs), exception) {
                (None, _) => equal += 1,
                (Some(_), Some(_)) => excepted += 1,
                (Some(difference), None) => wrong.push(format!("{text} {way:?}: {difference}")),
            }
        }
    }
    eprintln!(
        "differential: {asked} answers compared, {equal} equal ({failing} refused by both), {excepted} excepted, {} wrong",
        wrong.len()
    );
    assert!(asked > 1000 && wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
