//! What people say about alerts, and which alert quiets which.
#![allow(clippy::unwrap_used)]

use super::*;

fn alerts() -> Alerts {
    Alerts::new(Arc::new(StateFile::open(None)))
}

fn active(state: AlertState, at: UnixMillis) -> Active {
    Active {
        state,
        annotations: BTreeMap::new(),
        value: 7.0,
        active_at: at,
        fired_at: (state != AlertState::Pending).then_some(at),
        resolved_at: (state == AlertState::Resolved).then_some(at),
        held_since: None,
        held: None,
    }
}

fn labels(name: &str, instance: &str) -> LabelSet {
    LabelSet::from_pairs([("alertname", name), ("instance", instance), ("severity", "P1")])
}

/// One alert of a rule of its own.
fn tell(alerts: &Alerts, name: &str, state: AlertState, at: UnixMillis) {
    let told =
        Told { rule: name, name, node: &|l| l.get("instance").map(str::to_owned), severity: &|_| None };
    alerts.update(&told, &BTreeMap::from([(labels(name, "a"), active(state, at))]), at);
}

fn silence(name: &str, times: (UnixMillis, UnixMillis)) -> Silence {
    let matcher =
        WireMatcher { name: "alertname".into(), value: name.into(), is_regex: true, is_equal: true };
    Silence::new(String::new(), vec![matcher], times, "ada".into(), "works".into()).unwrap()
}

#[test]
fn ids_are_alertmanager_s_fingerprints() {
    // As `amtool alert query -o json` shows them for these labels.
    assert_eq!(fingerprint(&LabelSet::default()), 0xcbf2_9ce4_8422_2325);
    assert_ne!(fingerprint(&labels("A", "a")), fingerprint(&labels("A", "b")));
    let alerts = alerts();
    tell(&alerts, "A", AlertState::Firing, 1);
    let alert = &alerts.all()[0];
    assert_eq!(alert.id, format!("{:016x}", fingerprint(&labels("A", "a"))));
    assert_eq!((alert.severity, alert.severity_text.as_str()), (Severity::Critical, "P1"));
    assert_eq!(alert.node.as_deref(), Some("a"));
}

#[test]
fn while_our_own_way_out_is_gone_no_node_is_blamed_for_its_silence() {
    let alerts = alerts();
    alerts.set_inhibitions(built_in());
    let tell = |name: &str, instance: Option<&str>, state| {
        let told =
            Told { rule: name, name, node: &|l| l.get("instance").map(str::to_owned), severity: &|_| None };
        let labels = LabelSet::from_pairs([("alertname", name), ("instance", instance.unwrap_or_default())]);
        alerts.update(&told, &BTreeMap::from([(labels, active(state, 1))]), 1);
    };
    tell(UNREACHABLE, Some("a"), AlertState::Firing);
    tell("Lag", Some("a"), AlertState::Firing);
    let quiet = || {
        alerts.tick(2);
        let all = alerts.all().into_iter();
        all.filter(|own| !own.inhibited_by.is_empty()).map(|own| own.name).collect::<BTreeSet<_>>()
    };
    assert_eq!(quiet(), BTreeSet::from(["Lag".to_owned()]));
    tell(crate::egress::ALERT, None, AlertState::Firing);
    assert_eq!(quiet(), BTreeSet::from(["Lag".to_owned(), UNREACHABLE.to_owned()]));
    tell(crate::egress::ALERT, None, AlertState::Resolved);
    assert_eq!(quiet(), BTreeSet::from(["Lag".to_owned()]));
}

#[test]
fn a_silence_mutes_from_its_begin_to_its_end() {
    let alerts = alerts();
    tell(&alerts, "Lag", AlertState::Firing, 1_000);
    let id = alerts.set_silence(silence("L.*", (2_000, 4_000)), 1_000).unwrap();
    let muted = |at| {
        alerts.tick(at);
        alerts.all()[0].silenced_by.contains(&id)
    };
    assert_eq!([1_999, 2_000, 3_999, 4_000].map(muted), [false, true, true, false]);
    assert_eq!(alerts.expire_silence(&id, 5_000), Err(SilenceError::Ended(id.clone())));
    assert_eq!(alerts.expire_silence("no", 5_000), Err(SilenceError::NotFound("no".into())));
    assert!(alerts.set_silence(silence("x", (5_000, 4_000)), 1_000).is_err());
    assert!(alerts.set_silence(silence("x", (1_000, 2_000)), 3_000).is_err());
    let everything = WireMatcher { name: "x".into(), value: ".*".into(), is_regex: true, is_equal: true };
    assert!(Silence::new(String::new(), vec![everything], (1, 2), "a".into(), String::new()).is_err());
    assert!(Silence::new(String::new(), Vec::new(), (1, 2), "a".into(), String::new()).is_err());
}

#[tokio::test]
async fn a_silence_that_mutes_something_warns_before_it_ends() {
    let alerts = alerts();
    tell(&alerts, "Lag", AlertState::Firing, 0);
    alerts.set_silence(silence("Lag", (0, 3_600_000)), 0).unwrap();
    for minute in [1, 44, 46, 50] {
        alerts.tick(minute * 60_000);
    }
    let query = crate::state::AlertQuery { alert: None, node: None, since: 0, until: i64::MAX, limit: 99 };
    let told = alerts.state.alert_history(query).await.unwrap().changes;
    let warned: Vec<_> =
        told.iter().filter(|change| change.what == "silence_ends").map(|change| change.at).collect();
    assert_eq!(warned, [46 * 60_000]);
}

#[test]
fn the_source_quiets_the_target_and_nothing_quiets_itself() {
    let alerts = alerts();
    alerts.set_inhibitions(built_in());
    tell(&alerts, "Lag", AlertState::Firing, 1);
    tell(&alerts, "NodeUnreachable", AlertState::Pending, 1);
    let quiet = |name: &str| {
        let all = alerts.all();
        !all.iter().find(|alert| alert.name == name).unwrap().inhibited_by.is_empty()
    };
    assert!(!quiet("Lag"));
    tell(&alerts, "NodeUnreachable", AlertState::Firing, 2);
    assert!(quiet("Lag") && !quiet("NodeUnreachable"));
    tell(&alerts, "NodeUnreachable", AlertState::Resolved, 3);
    assert!(!quiet("Lag"));
}

#[test]
fn a_family_s_own_alert_quiets_the_general_one_it_stands_for() {
    let alerts = alerts();
    alerts.set_inhibitions(built_in());
    let tell = |rule: &str, name: &str, instance: &str, stands_for: &str| {
        let told = Told { rule, name, node: &|l| l.get("instance").map(str::to_owned), severity: &|_| None };
        let labels =
            LabelSet::from_pairs([("alertname", name), ("instance", instance), ("stands_for", stands_for)]);
        alerts.update(&told, &BTreeMap::from([(labels, active(AlertState::Firing, 1))]), 1);
    };
    tell("any", "NodeUnhealthy", "a", "");
    // One of the same name, one of another, and one on another node.
    tell("own", "NodeUnhealthy", "a", "NodeUnhealthy");
    tell("looping", "CrashLoop", "b", "NodeCrashLoop");
    tell("general", "NodeCrashLoop", "c", "");
    let all = alerts.all();
    let quiet = all.iter().filter(|alert| !alert.inhibited_by.is_empty());
    let quiet: Vec<_> = quiet.map(|alert| (alert.name.as_str(), alert.labels.get("stands_for"))).collect();
    assert_eq!(quiet, [("NodeUnhealthy", None)]);
}

#[test]
fn an_alert_that_comes_and_goes_flaps() {
    let alerts = alerts();
    for round in 0..6i64 {
        tell(&alerts, "Lag", AlertState::Firing, round * 60_000);
        assert_eq!(alerts.all()[0].flaps, u32::try_from(round + 1).ok().filter(|count| *count >= 4));
        tell(&alerts, "Lag", AlertState::Resolved, round * 60_000 + 30_000);
    }
    tell(&alerts, "Lag", AlertState::Firing, 3 * 3_600_000);
    assert_eq!(alerts.all()[0].flaps, None);
}

#[test]
fn changes_are_taken_once() {
    let alerts = alerts();
    tell(&alerts, "Lag", AlertState::Firing, 1);
    let id = alerts.all()[0].id.clone();
    assert!(alerts.take_changes()[&id].is_some());
    assert!(alerts.take_changes().is_empty());
    tell(&alerts, "Lag", AlertState::Firing, 1);
    assert!(alerts.take_changes().is_empty(), "nothing is new");
    let by = Acknowledge { by: "ada".into(), note: String::new(), until: Some(9) };
    alerts.acknowledge(&id, by.clone(), 5).unwrap();
    assert_eq!(alerts.take_changes()[&id].as_ref().unwrap().acknowledged.as_ref().unwrap().by, "ada");
    alerts.tick(9);
    assert!(alerts.take_changes()[&id].as_ref().unwrap().acknowledged.is_none());
    assert_eq!(alerts.acknowledge("no", by, 5), Err(NoSuchAlert));
    alerts.drop_rule("Lag", 10);
    assert_eq!(alerts.take_changes(), BTreeMap::from([(id, None)]));
}

fn window(
    name: &str,
    matcher: &str,
    once: (UnixMillis, UnixMillis),
) -> fleetglass_shared::maintenance::Window {
    fleetglass_shared::maintenance::Window {
        name: name.into(),
        comment: String::new(),
        matchers: crate::config::matchers(&[matcher.to_owned()]).unwrap(),
        intervals: Vec::new(),
        once: vec![once],
        on_status_pages: true,
        status_text: String::new(),
    }
}

#[tokio::test]
async fn a_window_mutes_from_its_begin_to_its_end_and_what_goes_on_is_told() {
    let alerts = alerts();
    tell(&alerts, "Lag", AlertState::Firing, 1_000);
    tell(&alerts, "Slow", AlertState::Pending, 1_000);
    alerts.set_maintenance(
        vec![
            window("patches", "alertname=~\"Lag|New\"", (2_000, 4_000)),
            window("other", "alertname=\"X\"", (0, 9_000)),
        ],
        1_000,
    );
    let told = |name: &str| alerts.all().into_iter().find(|alert| alert.name == name).unwrap();
    let muted = |at| {
        alerts.tick(at);
        ["Lag", "Slow"].map(|name| told(name).muted_by.join(","))
    };
    assert_eq!([1_999, 2_000, 3_999].map(muted), [["", ""], ["patches", ""], ["patches", ""]]);
    assert!(!told("Lag").is_open() && told("Lag").state == AlertState::Firing);
    // One that begins within is muted from the start, and one that ends within is never told.
    tell(&alerts, "New", AlertState::Firing, 3_999);
    assert_eq!(told("New").muted_by, ["patches"]);
    let windows = alerts.maintenance(3_999).windows;
    let shown: Vec<_> =
        windows.iter().map(|window| (window.name.as_str(), window.active, window.muted)).collect();
    assert_eq!(shown, [("patches", true, 2), ("other", true, 0)]);
    tell(&alerts, "New", AlertState::Resolved, 3_999);
    alerts.tick(4_000);
    assert!(told("Lag").is_open() && told("New").muted_by.is_empty());
    let query = crate::state::AlertQuery { alert: None, node: None, since: 0, until: i64::MAX, limit: 99 };
    let mut changes = alerts.state.alert_history(query).await.unwrap().changes;
    changes.reverse();
    let said: Vec<String> = changes
        .iter()
        .filter(|change| change.what.ends_with("muted"))
        .map(|change| format!("{} {} {}", change.at, change.name, change.what))
        .collect();
    assert_eq!(said, ["2000 Lag muted", "3999 New muted", "4000 Lag unmuted"]);
    // What the first config mutes was muted in the run before.
    let restarted = self::alerts();
    tell(&restarted, "Lag", AlertState::Firing, 1_000);
    restarted.set_maintenance(vec![window("patches", "alertname=\"Lag\"", (0, 99_000))], 5_000);
    assert_eq!(restarted.all()[0].muted_by, ["patches"]);
    let query = crate::state::AlertQuery { alert: None, node: None, since: 0, until: i64::MAX, limit: 99 };
    let changes = restarted.state.alert_history(query).await.unwrap().changes;
    assert!(changes.iter().all(|change| change.what != "muted"), "{changes:?}");
    // A config without it ends it, too.
    alerts.set_maintenance(vec![window("patches", "alertname=\"Lag\"", (0, 99_000))], 5_000);
    assert!(!told("Lag").is_open());
    alerts.set_maintenance(Vec::new(), 6_000);
    assert!(told("Lag").is_open());
}
