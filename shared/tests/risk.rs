//! The prediction of slash risks against simulated incidents, beside a plain threshold and `predict_linear`. The
//! figures of `docs/risk.md` are what this prints:
//!
//! ```sh
//! cargo test -p fleetglass-shared --test risk -- --nocapture
//! ```

#![allow(clippy::unwrap_used)]

#[path = "risk/incidents.rs"]
mod incidents;
#[path = "risk/score.rs"]
mod score;

use incidents::{Group, Run};
use score::{METHODS, Score};

/// Runs of each kind of incident.
const RUNS: u64 = 10;

fn scores() -> Vec<(Group, [Score; 3])> {
    Group::ALL
        .into_iter()
        .map(|group| {
            let mut scores = [Score::default(); 3];
            for run in group.runs(RUNS) {
                let alarms = score::alarms(&run);
                for (score, alarm) in scores.iter_mut().zip(&alarms) {
                    score.add(&run, alarm);
                }
            }
            (group, scores)
        })
        .collect()
}

fn in_all(scores: &[(Group, [Score; 3])], method: usize) -> Score {
    scores.iter().fold(Score::default(), |sum, (_, scores)| sum.plus(&scores[method]))
}

fn print(scores: &[(Group, [Score; 3])]) {
    println!("| incidents | breaches | method | warned of | mean warning | false alarms in 100 h |");
    println!("|---|---|---|---|---|---|");
    let all = std::array::from_fn(|method| in_all(scores, method));
    let rows = scores.iter().map(|(group, scores)| (group.title(), *scores)).chain([("all", all)]);
    for (title, scores) in rows {
        for (name, score) in METHODS.iter().zip(&scores) {
            let Score { breaches, warned, .. } = score;
            println!(
                "| {title} | {breaches} | {name} | {warned} | {} | {:.1} |",
                score.mean_warning().map_or("–".to_owned(), |mean| format!("{mean:.0} s")),
                score.false_in_100_hours()
            );
        }
    }
}

#[test]
fn it_warns_earlier_than_predict_linear_and_cries_wolf_less() {
    let scores = scores();
    print(&scores);
    let [ours, threshold, linear] = std::array::from_fn(|method| in_all(&scores, method));
    for other in [threshold, linear] {
        assert!(ours.mean_warning() > other.mean_warning(), "{ours:?} {other:?}");
        assert!(ours.false_alarms < other.false_alarms, "{ours:?} {other:?}");
    }
    assert!(ours.warned >= linear.warned, "{ours:?} {linear:?}");
    for (group, [ours, _, linear]) in &scores {
        assert!(ours.false_alarms <= linear.false_alarms, "{}: {ours:?} {linear:?}", group.title());
    }
}

#[test]
fn the_incidents_are_the_same_each_time() {
    let sum = |run: Run| run.values.iter().map(|sample| sample.1).sum::<f64>();
    let once = || Group::ALL.into_iter().flat_map(|group| group.runs(2)).map(sum).collect::<Vec<_>>();
    assert_eq!(once(), once());
}
