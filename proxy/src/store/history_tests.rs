//! The store over a data folder: what was kept is there again, whatever happened in between.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fleetglass_shared::exposition::{Format, Mode, parse};
use fleetglass_shared::labels::Selector;
use fleetglass_shared::promql::Storage;
use fleetglass_shared::sample::is_stale;

use super::column::BLOCK_ROWS;
use super::*;

const STEP: i64 = 15_000;
/// A midnight.
const START: i64 = 20_000 * 86_400_000;

fn target(id: &str) -> TargetIdent {
    TargetIdent { instance: id.to_owned(), job: "bench".to_owned(), labels: BTreeMap::new() }
}

fn open(folder: &Path) -> (Store, History) {
    Store::open(Limits::default(), folder, START).unwrap()
}

fn body(round: i64) -> String {
    let gone = if round % 50 == 49 { "" } else { "flaky 1\n" };
    format!("constant 3\ncounter_total {}\nwave {}\n{gone}", round * 7, (round as f64 / 9.0).sin())
}

fn scrape(store: &Store, id: &str, at: i64, body: &str) {
    let mut row = store.begin(&target(id), at).unwrap();
    let parser = parse(body.as_bytes(), Format::PrometheusText, Mode::Lenient);
    row.expose("metrics", &mut Reader::new(parser)).unwrap();
    row.commit();
}

fn run(store: &Store, from: i64, rounds: i64) {
    for round in from..from + rounds {
        for id in ["a", "b"] {
            scrape(store, id, START + round * STEP, &body(round));
        }
    }
}

/// Every sample of a span, by series; stale markers as `None`, those at the beginning left out.
fn all(store: &Store, from: i64, to: i64) -> BTreeMap<String, Vec<(i64, Option<u64>)>> {
    let mut found: BTreeMap<String, Vec<(i64, Option<u64>)>> = BTreeMap::new();
    let matchers = Selector::parse("{__name__=~\".+\"}").unwrap().matchers;
    store
        .scan(&matchers, from, to, &mut |series| {
            let samples = series.times.iter().zip(series.values);
            let samples = samples.filter(|(at, _)| (from..=to).contains(at));
            let samples = samples.map(|(at, value)| (*at, (!is_stale(*value)).then(|| value.to_bits())));
            let samples: Vec<_> = samples.skip_while(|sample| sample.1.is_none()).collect();
            let known = found.insert(series.labels.to_string(), samples);
            assert_eq!(known, None, "{} comes once", series.labels);
            Ok(())
        })
        .unwrap();
    found.retain(|_, samples| !samples.is_empty());
    found
}

fn of<'a>(
    all: &'a BTreeMap<String, Vec<(i64, Option<u64>)>>,
    name: &str,
    id: &str,
) -> &'a [(i64, Option<u64>)] {
    let labels = LabelSet::from_pairs([("__name__", name), ("instance", id), ("job", "bench")]);
    all.get(&labels.to_string()).map_or(&[], Vec::as_slice)
}

fn everything(store: &Store) -> BTreeMap<String, Vec<(i64, Option<u64>)>> {
    all(store, 0, i64::MAX / 4)
}

#[test]
fn a_day_in_memory_on_disk_and_rolled_up_is_the_same_day() {
    let (folder, reference) = (
        tempfile::tempdir().unwrap(),
        Store::new(Limits { retention_ms: i64::MAX / 4, ..Limits::default() }),
    );
    let (store, history) = open(folder.path());
    assert_eq!(history, History::default());
    let rounds = 86_400_000 / STEP + 400;
    for part in 0..rounds / 100 {
        run(&store, part * 100, 100);
        run(&reference, part * 100, 100);
        store.flush(START + part * 100 * STEP, false).unwrap();
    }
    let wanted = everything(&reference);
    assert_eq!(wanted.len(), 8);
    assert!(everything(&store) == wanted);
    assert!(store.stats().samples < reference.stats().samples / 4, "most of it is not in memory any more");

    store.flush_log(false).unwrap();
    drop(store);
    let (store, history) = open(folder.path());
    assert!(history.replayed > 0 && history.lost.is_empty());
    assert!(everything(&store) == wanted);

    let disk = store.shared.disk.clone().unwrap();
    let parts =
        || disk.stored("a", 0, i64::MAX / 4, &[]).into_values().map(|parts| parts.len()).sum::<usize>();
    let before = parts();
    assert!(!disk.roll_up(START + 86_400_000).unwrap(), "not before it is settled");
    assert!(disk.roll_up(START + 100_000_000).unwrap());
    assert!(!disk.roll_up(START + 100_000_000).unwrap(), "only once");
    assert!(everything(&store) == wanted);
    disk.sweep_replaced().unwrap();
    assert!(everything(&store) == wanted);
    assert!(parts() <= 3 && before > 20, "{} of {before}", parts());
    let span = (START + 3_600_000, START + 7_200_000);
    assert!(all(&store, span.0, span.1) == all(&reference, span.0, span.1));

    // A late import makes the day one to roll up again.
    let labels = LabelSet::from_pairs([("__name__", "late")]);
    store.import(&target("a"), vec![(labels, vec![(START + 5, 1.5), (START + 9, 2.5)])], START).unwrap();
    assert!(disk.roll_up(START + 100_000_000).unwrap());
    let found = everything(&store);
    assert_eq!(
        of(&found, "late", "a"),
        [(START + 5, Some(1.5f64.to_bits())), (START + 9, Some(2.5f64.to_bits()))]
    );
    assert_eq!(found.len(), 9);
}

#[test]
fn a_kill_loses_what_the_row_log_had_not_and_a_torn_end_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    run(&store, 0, 70);
    store.flush_log(false).unwrap();
    let kept = everything(&store);
    run(&store, 70, 3);
    drop(store);
    let (store, _) = open(folder.path());
    assert!(everything(&store) == kept);
    run(&store, 73, 10);
    store.flush_log(true).unwrap();
    let kept = everything(&store);
    drop(store);

    let mut logs: Vec<_> =
        fs::read_dir(folder.path().join("log")).unwrap().map(|file| file.unwrap().path()).collect();
    logs.sort();
    let last = logs.pop().unwrap();
    let length = last.metadata().unwrap().len();
    fs::File::options().write(true).open(&last).unwrap().set_len(length - 5).unwrap();
    let (store, history) = open(folder.path());
    assert_eq!(history.lost.len(), 1, "{:?}", history.lost);
    let found = everything(&store);
    let count = |all: &BTreeMap<_, Vec<_>>| all.values().map(Vec::len).sum::<usize>();
    assert_eq!(count(&found), count(&kept) - 4, "one row of one target");
}

#[test]
fn the_row_log_goes_when_all_of_it_is_in_segments() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    let logs = || fs::read_dir(folder.path().join("log")).unwrap().count();
    for part in 0..30 {
        run(&store, part * 40, 40);
        store.shared.disk.as_ref().unwrap().log.turn();
        store.flush_log(false).unwrap();
        store.flush(START + (part + 1) * 40 * STEP, false).unwrap();
    }
    assert!(logs() < 12, "{}", logs());
    let wanted = everything(&store);
    store.flush(START, true).unwrap();
    assert!(logs() <= 1, "{}", logs());
    drop(store);
    let (store, history) = open(folder.path());
    assert_eq!(history.replayed, 0);
    assert!(everything(&store) == wanted);
}

#[test]
fn a_slow_node_is_put_on_disk_after_two_hours() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    for round in 0..30 {
        scrape(&store, "slow", START + round * 600_000, &body(round));
        store.flush(START + round * 600_000, false).unwrap();
    }
    let on_disk = store.shared.disk.as_ref().unwrap().oldest();
    assert_eq!(on_disk, Some(START));
    assert_eq!(of(&everything(&store), "wave", "slow").len(), 30);
}

#[test]
fn a_clock_that_is_set_back_and_forth_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    let year = 365 * 86_400_000;
    run(&store, 0, 100);
    for round in 0..20 {
        scrape(&store, "a", START + year + round * STEP, &body(round));
    }
    run(&store, 100, 100);
    // Back to 1970, as a machine without a battery does, and forth again.
    scrape(&store, "a", 5_000_000, &body(1));
    run(&store, 200, 50);
    let check = |store: &Store| {
        let found = everything(store);
        let wave = of(&found, "wave", "a");
        assert_eq!(wave.iter().filter(|sample| sample.1.is_some()).count(), 250 + 20 + 1);
        assert!(wave.is_sorted_by_key(|sample| sample.0));
        assert_eq!(of(&found, "wave", "b").len(), 250);
    };
    store.flush(START + 250 * STEP, false).unwrap();
    check(&store);
    store.flush_log(true).unwrap();
    drop(store);
    let (store, _) = open(folder.path());
    store.flush(START + 250 * STEP, false).unwrap();
    check(&store);
    store.flush(START, true).unwrap();
    check(&store);
}

#[test]
fn a_damaged_segment_is_set_aside_and_the_rest_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    run(&store, 0, 1000);
    store.flush(START, true).unwrap();
    drop(store);
    let raw = folder.path().join("raw");
    let day = fs::read_dir(&raw)
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|e| e == "db"))
        .unwrap();
    let connection = rusqlite::Connection::open(&day).unwrap();
    let mut data: Vec<u8> =
        connection.query_row("SELECT data FROM segment WHERE id = 2", [], |row| row.get(0)).unwrap();
    data[40] ^= 0x5a;
    connection.execute("UPDATE segment SET data = ?1 WHERE id = 2", [data]).unwrap();
    drop(connection);
    let (store, _) = open(folder.path());
    let found = everything(&store);
    let rows = |id: &str| of(&found, "constant", id).len();
    assert_eq!(rows("a") + rows("b"), 2000 - 256);
    assert_eq!(store.stats().damaged, 1);
    drop(store);

    fs::write(&day, "this is no database, whatever its name says, and it is long enough to tell").unwrap();
    let (store, _) = open(folder.path());
    assert_eq!(everything(&store), BTreeMap::new());
    assert_eq!(store.stats().damaged, 1);
    run(&store, 2000, 70);
    store.flush(START, true).unwrap();
    assert_eq!(everything(&store).len(), 8);
    let names: Vec<String> =
        fs::read_dir(&raw).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().any(|name| name.contains(".damaged-")), "{names:?}");
}

#[test]
fn pushed_samples_come_late_end_and_survive() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    let series =
        |name: &str, samples: &[(i64, f64)]| (LabelSet::from_pairs([("__name__", name)]), samples.to_vec());
    let push = |store: &Store, samples: &[(i64, f64)], now: i64| {
        store.ingest(&target("pushed"), vec![series("x", samples), series("y", samples)], now)
    };
    let at = |minute: i64| START + minute * 60_000;
    let first = push(&store, &[(at(0), 1.0), (at(2), 3.0)], at(2));
    assert_eq!(first, Ingested { accepted: 4, ..Ingested::default() });
    let late = push(&store, &[(at(1), 2.0), (at(2), 3.0), (at(60), 9.0)], at(2));
    assert_eq!(late, Ingested { accepted: 2, duplicates: 2, too_new: 2, ..Ingested::default() });
    for minute in 3..600 {
        push(&store, &[(at(minute), minute as f64)], at(minute));
        store.flush(at(minute), false).unwrap();
    }
    assert_eq!(push(&store, &[(at(100), 0.5)], at(600)).too_old, 2);
    let check = |store: &Store| {
        let found = everything(store);
        let x = of(&found, "x", "pushed");
        assert_eq!(x.len(), 600);
        assert_eq!(x[1], (at(1), Some(2.0f64.to_bits())));
        assert_eq!(x, of(&found, "y", "pushed"));
    };
    check(&store);
    assert!(store.shared.disk.as_ref().unwrap().oldest().is_some());
    store.sync().unwrap();
    drop(store);
    let (store, _) = open(folder.path());
    check(&store);
    store.flush(at(600), true).unwrap();
    check(&store);
    store.shared.disk.as_ref().unwrap().roll_up(at(3000)).unwrap();
    check(&store);
}

#[test]
fn what_is_too_old_or_too_much_goes_and_the_rest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    let day = 86_400_000;
    for number in 0..5 {
        scrape(&store, "a", START + number * day, "constant 1\n");
        scrape(&store, "a", START + number * day + 1000, "constant 1\n");
    }
    store.flush(START + 5 * day, true).unwrap();
    let keep = Retention { raw_ms: 3 * day, minutes_ms: 100 * day, hours_ms: 100 * day, max_bytes: None };
    store.tidy(&keep, START + 5 * day).unwrap();
    assert_eq!(everything(&store).values().next().unwrap().len(), 3 * 2);
    store.tidy(&Retention { max_bytes: Some(0), ..keep }, START + 4 * day).unwrap();
    assert_eq!(store.shared.disk.as_ref().unwrap().oldest(), Some(START + 4 * day), "today stays");
}

#[test]
fn what_was_worked_out_from_a_row_is_there_again_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let rounds = 70;
    let written = {
        let (store, _) = open(folder.path());
        for round in 0..rounds {
            let at = START + round * STEP;
            let mut row = store.begin(&target("a"), at).unwrap();
            row.put(&Put::gauge("x", round as f64, "")).unwrap();
            let open = row.commit_open();
            // A flush between the two must not take half a row.
            store.flush(at, true).unwrap();
            let half = Put::gauge("half", round as f64 / 2.0, "");
            open.close(if round % 10 == 9 { &[] } else { std::slice::from_ref(&half) });
        }
        store.sync().unwrap();
        all(&store, START, START + rounds * STEP)
    };
    assert_eq!(written.len(), 2);
    let (store, _) = open(folder.path());
    assert_eq!(all(&store, START, START + rounds * STEP), written);
}

#[test]
fn a_series_whose_samples_are_all_on_disk_leaves_the_others_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path());
    let line = |round: i64| format!("a_early {round}\nb_late {}\nc_last {}\n", round * 2, round * 3);
    for round in 0..4 {
        scrape(&store, "a", START + round * STEP, &line(round));
    }
    // These rows are on disk, but still in the log, with the name of each series.
    store.flush(START + 4 * STEP, true).unwrap();
    for round in 4..4 + 3 * BLOCK_ROWS as i64 {
        let later = line(round);
        scrape(&store, "a", START + round * STEP, later.split_once('\n').unwrap().1);
    }
    store.flush_log(false).unwrap();
    let wanted = everything(&store);
    drop(store);
    let (store, history) = open(folder.path());
    assert!(history.replayed > 2 * BLOCK_ROWS && history.lost.is_empty(), "{history:?}");
    assert!(everything(&store) == wanted);
}
