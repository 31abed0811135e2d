//! Days of a node, told as events, and what its lanes show of them.

use super::*;

fn event(at: UnixMillis, kind: EventKind, from: &str, to: &str) -> Event {
    Event { id: 0, at, node: None, kind, from: from.into(), to: to.into(), text: format!("{kind:?} {to}") }
}

fn present(since: UnixMillis) -> Present {
    Present { status: Status::Healthy, since, draining: false, version: Some("2".into()) }
}

/// From 100 to 200.
fn told(before: &[Event], inside: &[Event]) -> Told {
    Told {
        from: 100,
        to: 200,
        before: before.to_vec(),
        inside: inside.to_vec(),
        after: Vec::new(),
        present: Some(present(0)),
        gap: false,
    }
}

/// `100-150 healthy, 150-200 –`.
fn states(told: &Told) -> String {
    let word = |span: &Span<Option<Status>>| {
        format!("{}-{} {}", span.from, span.to, span.what.map_or("–", Status::as_str))
    };
    told.lanes().states.iter().map(word).collect::<Vec<_>>().join(", ")
}

#[test]
fn states_begin_with_what_was_before() {
    use EventKind::State;
    let down = event(150, State, "healthy", "unreachable");
    assert_eq!(states(&told(&[], std::slice::from_ref(&down))), "100-150 healthy, 150-200 unreachable");
    assert_eq!(states(&told(&[event(50, State, "", "degraded")], &[])), "100-200 degraded");
    assert_eq!(
        states(&told(
            &[event(50, State, "", "healthy")],
            &[down, event(160, State, "unreachable", "healthy")]
        )),
        "100-150 healthy, 150-160 unreachable, 160-200 healthy"
    );
}

#[test]
fn without_a_change_it_is_what_it_is_now_and_before_that_nobody_knows() {
    assert_eq!(states(&told(&[], &[])), "100-200 healthy");
    assert_eq!(states(&Told { present: Some(present(130)), ..told(&[], &[]) }), "100-130 –, 130-200 healthy");
    assert_eq!(states(&Told { present: None, ..told(&[], &[]) }), "100-200 –");
    // It has changed since, so what it is now says nothing.
    let after = vec![event(250, EventKind::State, "degraded", "healthy")];
    assert_eq!(states(&Told { after, present: Some(present(250)), ..told(&[], &[]) }), "100-200 degraded");
}

#[test]
fn while_fleetglass_is_away_nobody_knows() {
    use EventKind::{Start, State, Stop};
    let [stop, start] = [event(120, Stop, "", ""), event(140, Start, "", "")];
    let before = [event(50, State, "", "healthy")];
    // What it was goes on, until a round says otherwise.
    assert_eq!(
        states(&told(&before, &[stop.clone(), start.clone()])),
        "100-120 healthy, 120-140 –, 140-200 healthy"
    );
    assert_eq!(
        states(&told(&before, &[stop.clone(), start.clone(), event(145, State, "healthy", "degraded")])),
        "100-120 healthy, 120-140 –, 140-145 healthy, 145-200 degraded"
    );
    // Twice, and of before the first nothing is told.
    let twice = [stop.clone(), start, event(160, Stop, "", ""), event(170, Start, "", "")];
    assert_eq!(
        states(&told(&[], &twice)),
        "100-120 healthy, 120-140 –, 140-160 healthy, 160-170 –, 170-200 healthy"
    );
    let late = Told { present: Some(present(165)), ..told(&[], &twice) };
    assert_eq!(states(&late), "100-170 –, 170-200 healthy");
    assert_eq!(states(&told(&[before[0].clone(), stop], &[])), "100-120 healthy, 120-200 –");
}

#[test]
fn a_node_that_comes_and_goes() {
    use EventKind::{Added, Removed, State};
    let days =
        [event(110, Added, "", ""), event(111, State, "unknown", "healthy"), event(150, Removed, "", "")];
    assert_eq!(states(&told(&[], &days)), "100-110 –, 110-111 unknown, 111-150 healthy, 150-200 –");
}

#[test]
fn what_is_missing_is_not_guessed() {
    let down = event(150, EventKind::State, "healthy", "unreachable");
    let before = [event(50, EventKind::State, "", "degraded")];
    let told = Told { gap: true, ..told(&before, &[down]) };
    assert_eq!(states(&told), "100-150 –, 150-200 unreachable");
}

#[test]
fn versions_and_draining_follow_their_events() {
    let versions = |told: &Told| -> Vec<(i64, String)> {
        told.lanes().versions.into_iter().map(|span| (span.from, span.what)).collect()
    };
    assert_eq!(versions(&told(&[], &[])), [(100, "2".to_owned())]);
    let upgrade = event(150, EventKind::Version, "1", "2");
    assert_eq!(
        versions(&told(&[], std::slice::from_ref(&upgrade))),
        [(100, "1".to_owned()), (150, "2".to_owned())]
    );
    assert_eq!(versions(&Told { after: vec![upgrade], to: 140, ..told(&[], &[]) }), [(100, "1".to_owned())]);

    let draining = |told: &Told| -> Vec<(i64, i64)> {
        told.lanes().draining.iter().map(|span| (span.from, span.to)).collect()
    };
    let [begins, ends] =
        [(120, "draining"), (160, "")].map(|(at, to)| event(at, EventKind::Draining, "", to));
    assert_eq!(draining(&told(&[], &[begins, ends.clone()])), [(120, 160)]);
    assert_eq!(draining(&told(&[], &[ends])), [(100, 160)]);
    assert!(draining(&told(&[], &[])).is_empty());
}

#[test]
fn failures_of_several_endpoints_are_one_span() {
    use EventKind::{ScrapeFailure, ScrapeRecovery, Stop};
    let fails = |at, kind| event(at, ScrapeFailure, "", kind);
    let recovers = |at, kind| event(at, ScrapeRecovery, kind, "");
    let failing = |before: &[Event], inside: &[Event]| -> Vec<(i64, i64)> {
        told(before, inside).lanes().failing.iter().map(|span| (span.from, span.to)).collect()
    };
    let both =
        [fails(110, "timeout"), fails(120, "timeout"), recovers(130, "timeout"), recovers(140, "timeout")];
    assert_eq!(failing(&[], &both), [(110, 140)]);
    assert_eq!(failing(&[fails(50, "tls")], &[]), [(100, 200)]);
    assert_eq!(failing(&[], &[recovers(130, "tls")]), [(100, 130)]);
    assert_eq!(failing(&[], &[fails(110, "tls"), event(120, Stop, "", "")]), [(110, 120)]);
    assert!(failing(&[], &[]).is_empty());
    // It still fails when Fleetglass is back.
    let back = [fails(110, "tls"), event(120, Stop, "", ""), event(140, EventKind::Start, "", "")];
    assert_eq!(failing(&[], &back), [(110, 120), (140, 200)]);
}

#[test]
fn a_time_finds_what_held_then() {
    let spans = [Span { from: 0, to: 10, what: 'a' }, Span { from: 20, to: 30, what: 'b' }];
    let found: Vec<_> = [-1, 0, 10, 15, 20, 31].into_iter().map(|time| at(&spans, time).copied()).collect();
    assert_eq!(found, [None, Some('a'), Some('a'), None, Some('b'), None]);
}

#[test]
fn the_shortest_outage_is_seen() {
    let span = |from, to, what| Span { from, to, what };
    let day = [span(0, 50_000, 0), span(50_000, 50_001, 4), span(50_001, 100_000, 0)];
    let worse = |a: &i32, b: &i32| a > b;
    assert_eq!(columns(&day, (0, 100_000), 100, worse), [(0, 50, 0), (50, 51, 4), (51, 100, 0)]);
    assert_eq!(columns(&[span(95, 300, 1)], (100, 200), 10, worse), [(0, 10, 1)]);
    assert_eq!(columns(&[span(120, 130, 1)], (100, 200), 10, worse), [(2, 3, 1)]);
    assert_eq!(columns(&[span(199, 200, 1)], (100, 200), 3, worse), [(2, 3, 1)]);
    assert!(columns(&[span(0, 100, 1)], (100, 200), 10, worse).is_empty());
    let many: Vec<_> = (0..5000).map(|at| span(at, at + 1, (at % 2) as i32)).collect();
    assert!(columns(&many, (0, 5000), 300, worse).len() <= 300);
}
