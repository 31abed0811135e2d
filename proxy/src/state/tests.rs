//! The state file as its users see it, and uptime over any events there can be.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use fleetglass_shared::health::Status;
use proptest::prelude::*;

use super::{
    uptime::{Condition, History, WINDOWS, tally},
    *,
};

const DAY: i64 = 24 * 3_600_000;

fn event(at: i64, node: &str, kind: EventKind, to: &str) -> Draft {
    let node = (!node.is_empty()).then(|| node.to_owned());
    Draft { at, node, kind, from: String::new(), to: to.to_owned(), text: "x".to_owned() }
}

fn all() -> EventQuery {
    EventQuery { node: None, own: true, kinds: Vec::new(), since: i64::MIN, until: i64::MAX, limit: 1000 }
}

async fn times(state: &StateFile, query: EventQuery) -> (Vec<i64>, bool) {
    let found = state.events(query).await.unwrap();
    (found.events.iter().map(|event| event.at).collect(), found.more)
}

#[tokio::test]
async fn events_are_found_by_node_kind_and_time_in_the_order_they_were_seen() {
    let state = StateFile::open(None);
    assert!(state.stats().in_memory());
    state.record(vec![
        event(10, "", EventKind::Start, "0.1"),
        event(11, "a", EventKind::Added, ""),
        event(12, "a", EventKind::State, "healthy"),
        event(12, "b", EventKind::State, "healthy"),
        event(14, "a", EventKind::Restart, ""),
        // The clock was set back.
        event(9, "b", EventKind::State, "unknown"),
    ]);
    let found = state.events(all()).await.unwrap();
    assert_eq!(found.events.iter().map(|event| event.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!((found.events[0].node.as_deref(), found.events[0].to.as_str()), (None, "0.1"));
    assert!(!found.more);
    let of_a = |own| EventQuery { node: Some("a".to_owned()), own, ..all() };
    assert_eq!(times(&state, of_a(true)).await, (vec![10, 11, 12, 14], false));
    assert_eq!(times(&state, of_a(false)).await, (vec![11, 12, 14], false));
    assert_eq!(times(&state, EventQuery { limit: 2, ..of_a(true) }).await, (vec![12, 14], true));
    assert_eq!(times(&state, EventQuery { own: false, since: 11, until: 12, ..all() }).await.0, [11, 12, 12]);
    let kinds = vec![EventKind::Restart, EventKind::Start];
    assert_eq!(times(&state, EventQuery { kinds, ..all() }).await.0, [10, 14]);
    // A page is never cut between two events of one moment.
    assert_eq!(times(&state, EventQuery { limit: 2, ..all() }).await, (vec![12, 12, 14], true));
    assert_eq!(times(&state, EventQuery { limit: 2, until: 11, ..all() }).await, (vec![10, 11], true));
    assert_eq!(state.stats().events().map(|(_, count)| count).sum::<u64>(), 6);
}

#[tokio::test]
async fn a_run_that_ends_without_a_word_gets_its_stop_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let open = || StateFile::open(Some(folder.path()));
    let state = open();
    assert!(!state.stats().in_memory());
    let mut watch = Watch::begin(&state, "1", 1_000).await.unwrap();
    assert!(!watch.goes_on(&state, 6_000));
    state.record_node("a", &Known { status: Status::Healthy, ..Known::default() }, Vec::new());
    drop(state);

    let state = open();
    let known = state.known().await.unwrap();
    assert_eq!((known["a"].status, known["a"].away_since), (Status::Healthy, Some(6_000)));
    let mut watch = Watch::begin(&state, "2", 50_000).await.unwrap();
    // It slept for an hour, then its clock was set back before its start.
    assert!(watch.goes_on(&state, 3_650_000));
    assert!(watch.goes_on(&state, 40_000));
    assert!(!watch.goes_on(&state, 45_000));
    state.record_removed("a", Vec::new());
    watch.end(&state, 46_000).await.unwrap();
    drop(state);

    let state = open();
    assert!(state.known().await.unwrap().is_empty());
    let found = state.events(all()).await.unwrap().events;
    let story: Vec<_> = found.iter().map(|event| (event.kind.as_str(), event.at)).collect();
    assert_eq!(
        story,
        [
            ("start", 1_000),
            ("stop", 6_000),
            ("start", 50_000),
            ("stop", 50_000),
            ("start", 3_650_000),
            ("stop", 3_650_000),
            ("start", 40_000),
            ("stop", 46_000)
        ]
    );
    assert!(found[1].text.contains("without saying so") && found[7].text == "Fleetglass stopped");
    let _watch = Watch::begin(&state, "3", 60_000).await.unwrap();
    let history = state.history(70_000).await.unwrap();
    assert_eq!(
        history.observed,
        [(60_000, 70_000), (40_000, 46_000), (3_650_000, 3_650_000), (50_000, 50_000), (1_000, 6_000)]
    );
}

#[tokio::test]
async fn time_without_a_way_out_is_nobodys_downtime() {
    let state = StateFile::open(None);
    let healthy = Known { status: Status::Healthy, ..Known::default() };
    state.record_node("a", &healthy, vec![event(1_000, "a", EventKind::State, "healthy")]);
    let mut watch = Watch::begin(&state, "1", 1_000).await.unwrap();
    assert!(!watch.goes_on(&state, 20_000));
    watch.is_blind(&state, 15_000);
    state.record_node("a", &healthy, vec![event(16_000, "a", EventKind::State, "unreachable")]);
    watch.is_blind(&state, 15_000);
    state.record_node("a", &healthy, vec![event(90_000, "a", EventKind::State, "healthy")]);
    assert!(!watch.goes_on(&state, 91_000));
    assert!(!watch.goes_on(&state, 100_000));
    let history = state.history(100_000).await.unwrap();
    assert_eq!(history.observed, [(91_000, 100_000), (1_000, 15_000)]);
    let day = history.of("a")[0];
    assert_eq!((day.up_ms, day.down_ms), (14_000 + 9_000, 0));
    let found = state.events(all()).await.unwrap().events;
    let own: Vec<_> = found.iter().filter(|event| event.node.is_none()).map(|event| event.at).collect();
    assert_eq!(own, [1_000, 15_000, 91_000], "told once each");
}

#[tokio::test]
async fn pruning_keeps_the_last_word_on_each_node() {
    let state = StateFile::open(None);
    let healthy = Known { status: Status::Healthy, ..Known::default() };
    state.record_node("a", &healthy, vec![event(1, "a", EventKind::Added, "")]);
    state.record_node("a", &healthy, vec![event(2, "a", EventKind::State, "healthy")]);
    state.record(vec![event(3, "gone", EventKind::Removed, ""), event(90, "", EventKind::Reload, "")]);
    state.prune(50);
    assert_eq!(times(&state, all()).await.0, [2, 90]);
    let history = state.history(100 * DAY).await.unwrap();
    assert_eq!(history.nodes["a"], [(2, Condition::Up)]);
}

#[tokio::test]
async fn a_disk_that_is_full_means_memory_until_it_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateFile::open(Some(folder.path()));
    state.record(vec![event(1, "", EventKind::Start, "")]);
    state.flush().await.unwrap();
    // SQLite's own limit fails as a full disk does.
    let limit = "PRAGMA max_page_count = 1";
    state.ask(move |connection| connection.query_row(limit, [], |row| row.get::<_, i64>(0))).await.unwrap();
    let long = "x".repeat(2_000);
    let many =
        || (0..500).map(|n| Draft { text: long.clone(), ..event(10 + n, "a", EventKind::Restart, "") });
    state.record(many().collect());
    state.record(vec![event(999, "", EventKind::Reload, "")]);
    state.flush().await.unwrap();
    assert!(state.stats().in_memory() && state.stats().write_errors() > 0);
    let (seen, _) = times(&state, all()).await;
    assert_eq!((seen.len(), seen[0], seen[501]), (502, 1, 999), "nothing is lost on the way");
}

#[tokio::test]
async fn a_file_that_breaks_while_it_is_used_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let state = StateFile::open(Some(folder.path()));
    state.record((0..3000).map(|at| event(at, "a", EventKind::Restart, "")).collect());
    state.flush().await.unwrap();
    state.ask(|c| c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))).await.unwrap();
    // Nothing of it is in SQLite's memory any more, and the disk gives back something else.
    state.ask(|c| c.execute_batch("PRAGMA cache_size = 0; PRAGMA shrink_memory")).await.unwrap();
    let file = folder.path().join("state.db");
    let length = std::fs::metadata(&file).unwrap().len();
    spoil(&file, 4096, length);
    assert!(state.events(all()).await.is_err());
    state.record(vec![event(7, "", EventKind::Start, "")]);
    assert_eq!(times(&state, all()).await.0, [7]);
    assert!(!state.stats().in_memory());
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().any(|name| name.to_string_lossy().starts_with("state.corrupt-")), "{names:?}");
}

fn spoil(file: &Path, from: u64, until: u64) {
    use std::io::{Seek, SeekFrom, Write};
    let mut file = std::fs::File::options().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(from)).unwrap();
    file.write_all(&vec![0xa5; usize::try_from(until - from).unwrap()]).unwrap();
}

#[tokio::test]
async fn a_copy_is_made_while_it_is_written() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let state = StateFile::open(Some(folder.path()));
    state.record(vec![event(5, "a", EventKind::Added, "")]);
    state.copy_to(other.path().join("state.db")).await.unwrap();
    let copy = StateFile::open(Some(other.path()));
    assert_eq!(times(&copy, all()).await.0, [5]);
    assert!(state.copy_to(other.path().join("state.db")).await.is_err(), "it is there already");
}

#[test]
fn uptime_counts_what_was_observed() {
    const HOUR: i64 = 3_600_000;
    let now = 100 * DAY;
    let changes = [
        (now - HOUR, Condition::Up),
        (now - 2 * HOUR, Condition::Down),
        (now - 40 * DAY, Condition::Up),
        (now - 50 * DAY, Condition::Unknown),
    ];
    // Fleetglass did not run for ten minutes, half of them while the node was down.
    let minute = HOUR / 60;
    let observed = [(now - HOUR + 5 * minute, now), (now - 60 * DAY, now - HOUR - 5 * minute)];
    let [day, week, _, longest] = tally(&changes, &observed, now);
    assert_eq!(day.down_ms, 55 * 60_000);
    assert_eq!(day.up_ms, 24 * 3_600_000 - (60 + 5) * 60_000);
    assert_eq!((day.outages, week.outages, longest.outages), (1, 1, 1));
    assert_eq!(longest.up_ms, 40 * 24 * 3_600_000 - 65 * 60_000);
    assert_eq!(longest.all_ms, 90 * 24 * 3_600_000);
    // One that began before the window, goes on over a gap, and is worse in between, is one outage.
    let down = [(now - HOUR, Condition::Down), (now - 3 * DAY, Condition::Down)];
    let [day, ..] = tally(&down, &observed, now);
    assert_eq!((day.outages, day.up_ms), (1, 0));
    let window = day.window("24h");
    assert_eq!((window.ratio, window.unknown_ms), (Some(0.0), 10 * 60_000));
    assert_eq!(tally(&[], &observed, now)[0].window("24h").ratio, None);
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![Just(Condition::Up), Just(Condition::Down), Just(Condition::Unknown)]
}

/// Times around the windows, and now and then any at all.
fn time() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0..200 * DAY, 1 => any::<i64>()]
}

proptest! {
    #[test]
    fn times_sum_up_to_the_window_whatever_the_clock_did(
        changes in prop::collection::vec((time(), condition()), 0..30),
        observed in prop::collection::vec((time(), time()), 0..20),
        now in prop_oneof![9 => (0..200 * DAY).boxed(), 1 => any::<i64>().boxed()],
    ) {
        let tallies = tally(&changes, &observed, now);
        for (tally, (name, ms)) in tallies.iter().zip(WINDOWS) {
            let window = tally.window(name);
            let sum = window.up_ms + window.down_ms + window.unknown_ms;
            prop_assert_eq!(sum, u64::try_from(ms).unwrap());
            prop_assert!(window.ratio.is_none_or(|ratio| (0.0..=1.0).contains(&ratio)));
            prop_assert_eq!(window.outages > 0, window.down_ms > 0);
        }
        for pair in tallies.windows(2) {
            prop_assert!(pair[0].up_ms <= pair[1].up_ms && pair[0].down_ms <= pair[1].down_ms);
        }
    }
}

/// `cargo test --release -p fleetglass uptime_of_a_large_fleet -- --ignored --nocapture` says how long it takes.
#[tokio::test]
#[ignore = "it measures"]
async fn uptime_of_a_large_fleet() {
    const NODES: i64 = 1_000;
    for events in [10_000, 100_000] {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFile::open(Some(folder.path()));
        let now = 500 * DAY;
        state.write(move |connection| open_watch(connection, now));
        for node in 0..NODES {
            state.record_node(&format!("node-{node}"), &Known::default(), Vec::new());
        }
        let words = ["healthy", "unreachable", "degraded", "unhealthy"];
        for batch in 0..events / 1_000 {
            let drafts = (0..NODES).map(|node| {
                let at = now - 90 * DAY + (batch * 90 * DAY) / (events / 1_000) + node;
                let word = words[usize::try_from((batch + node) % 4).unwrap()];
                event(at, &format!("node-{node}"), EventKind::State, word)
            });
            state.record(drafts.collect());
            state.flush().await.unwrap();
        }
        let (begun, busy) = (clock::monotonic(), on_cpu());
        const TIMES: u32 = 10;
        for _ in 0..TIMES {
            let history: History = state.history(now).await.unwrap();
            let sum: u64 = (0..NODES).map(|node| history.of(&format!("node-{node}"))[3].up_ms).sum();
            assert!(sum > 0);
        }
        let (wall, busy) = (begun.elapsed() / TIMES, (on_cpu() - busy) / u64::from(TIMES) / 1_000);
        println!("{events} events: {wall:?}, {busy} µs of processor time");
    }
}

/// How long all threads of this process were on a processor, in nanoseconds: on a busy machine the better clock.
fn on_cpu() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let times = tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap());
    times.map(|text| text.split(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

fn open_watch(connection: &Connection, now: i64) -> rusqlite::Result<()> {
    connection.execute("INSERT INTO seen (since, until) VALUES (0, ?1)", [now]).map(drop)
}
