//! What takes more than one round to see.

use fleetglass_shared::family::{
    Answer, Body, EndpointAnswer, Memory, Normalised, Registry, Round, normalise,
};
use fleetglass_shared::health::{FailureKind, Status};

use super::fixture::{AT, Fixture, INTERVAL, one, round, with_answers};

const STEP: i64 = INTERVAL as i64;

fn edit(fixture: &mut Fixture, endpoint: &str, from: &str, to: &str) {
    let recorded = fixture.manifest.endpoint.get_mut(endpoint).unwrap();
    let text = String::from_utf8(recorded.body.clone()).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    recorded.body = text.replace(from, to).into_bytes();
}

fn codes(normalised: &Normalised) -> Vec<&str> {
    normalised.reasons.iter().map(|reason| reason.code.as_str()).collect()
}

#[test]
fn a_check_whose_time_stands_still_is_stale_while_it_says_up() {
    let mut memory = Memory::default();
    let mut fixture = one("genlayer", "healthy");
    for n in 0..4 {
        let normalised = round(&fixture, AT + n * STEP, &mut memory);
        assert_eq!(normalised.status, Status::Healthy, "round {n}");
    }
    let normalised = round(&fixture, AT + 4 * STEP, &mut memory);
    assert_eq!(normalised.status, Status::Degraded);
    assert!(normalised.checks.iter().all(|check| check.stale && check.status == Status::Healthy));
    assert!(normalised.reasons[0].text.contains("its time has stopped moving"), "{:?}", normalised.reasons);
    let up = |name: &str| normalised.series.iter().find(|series| series.name == name).unwrap().value;
    assert_eq!((up("genlayer_validating_up"), up("genlayer_health_up")), (0.0, 1.0));

    edit(&mut fixture, "health", "2026-01-02T18:32:49.2", "2026-01-02T18:33:49.2");
    let normalised = round(&fixture, AT + 5 * STEP, &mut memory);
    let validating = normalised.checks.iter().find(|check| check.name == "validating").unwrap();
    assert!(!validating.stale);
    assert_eq!(validating.at, 1_767_378_829_291);
}

#[test]
fn three_restarts_in_15_minutes_are_a_crash_loop() {
    let mut memory = Memory::default();
    let mut fixture = one("paraloom", "healthy-code");
    assert_eq!(round(&fixture, AT, &mut memory).restarts, 0);
    let mut uptime = "84221".to_owned();
    for n in 1..=3 {
        let next = (30 - n).to_string();
        edit(&mut fixture, "health", &uptime, &next);
        uptime = next;
        let normalised = round(&fixture, AT + n * 60_000, &mut memory);
        assert_eq!(i64::from(normalised.restarts), n);
        assert_eq!(normalised.restarted_at, Some(AT + n * 60_000));
        let looping = codes(&normalised).contains(&"crash-loop");
        assert_eq!(looping, n == 3);
    }
    edit(&mut fixture, "health", &uptime, "1200");
    let later = round(&fixture, AT + 20 * 60_000, &mut memory);
    assert_eq!((later.restarts, later.status), (0, Status::Healthy));
}

#[test]
fn blocks_behind_that_rise_for_five_minutes_are_a_finding() {
    let mut memory = Memory::default();
    let mut behind = 0;
    let mut fixture = one("genlayer", "healthy-code");
    for n in 0..=21 {
        let next = n * 2;
        let from = format!("genlayer_node_blocks_behind{{node=\"full\"}} {behind}\n");
        edit(
            &mut fixture,
            "metrics",
            &from,
            &format!("genlayer_node_blocks_behind{{node=\"full\"}} {next}\n"),
        );
        // The test check's time moves on, so that it does not go stale.
        edit(
            &mut fixture,
            "health",
            &format!("10:30:{:02}Z", if n == 0 { 45 } else { n - 1 }),
            &format!("10:30:{n:02}Z"),
        );
        behind = next;
        let found = codes(&round(&fixture, AT + n * STEP, &mut memory)).contains(&"behind-rising");
        assert_eq!(found, n >= 20, "round {n}");
    }
}

#[test]
fn permits_at_zero_count_after_a_minute() {
    let mut memory = Memory::default();
    let fixture = one("genlayer", "degraded");
    for n in 0..=4 {
        let found = codes(&round(&fixture, AT + n * STEP, &mut memory)).contains(&"permits-none");
        assert_eq!(found, n == 4, "round {n}");
    }
}

#[test]
fn too_many_requests_change_nothing_that_was_said_before() {
    let mut memory = Memory::default();
    let degraded = one("datamgmt", "degraded");
    let before = round(&degraded, AT, &mut memory);
    assert!(before.draining);
    let mut limited = one("datamgmt", "degraded");
    for endpoint in ["internal", "external", "network"] {
        limited.manifest.endpoint.get_mut(endpoint).unwrap().failure = Some(FailureKind::RateLimited);
    }
    let after = round(&limited, AT + STEP, &mut memory);
    assert_eq!((after.status, after.draining), (before.status, true));
    let sorted = |normalised: &Normalised| -> Vec<String> {
        let mut codes = codes(normalised);
        codes.sort_unstable();
        codes.into_iter().map(str::to_owned).collect()
    };
    assert_eq!(sorted(&after), sorted(&before));
    assert!(after.facts.is_empty());
}

#[test]
fn an_optional_endpoint_counts_once_it_has_answered() {
    let mut memory = Memory::default();
    let away = one("datamgmt", "loopback-only");
    assert_eq!(round(&away, AT, &mut memory).status, Status::Healthy);
    assert_eq!(round(&one("datamgmt", "healthy"), AT + STEP, &mut memory).status, Status::Healthy);
    let after = round(&away, AT + 2 * STEP, &mut memory);
    assert_eq!(after.status, Status::Degraded);
    assert_eq!(after.reasons[0].text, "No answer from the internal API (connection refused)");
}

#[test]
fn one_dead_endpoint_of_several_degrades_and_is_named() {
    let mut fixture = one("decdn", "healthy");
    fixture.manifest.endpoint.get_mut("metrics").unwrap().failure = Some(FailureKind::Timeout);
    let normalised = round(&fixture, AT, &mut Memory::default());
    assert_eq!(normalised.status, Status::Degraded);
    assert_eq!(normalised.reasons[0].text, "No answer from /metrics (no answer in time)");
    assert!(normalised.missing.is_empty(), "an exposition nobody read lacks nothing");
}

#[test]
fn a_silent_node_is_unreachable() {
    let silent = round(&one("paraloom", "connection-refused"), AT, &mut Memory::default());
    assert_eq!((silent.status, silent.answered), (Status::Unreachable, false));
    assert_eq!(silent.reasons[0].text, "No answer (connection refused)");
    assert_eq!(silent.failures.len(), 3);
    assert!(silent.facts.is_empty() && silent.missing.is_empty());
}

#[test]
fn big_integers_stay_exact() {
    let normalised = round(&one("decdn", "big-numbers"), AT, &mut Memory::default());
    let value = |name: &str| normalised.facts.iter().find(|fact| fact.name == name).unwrap().value.clone();
    assert_eq!(value("channel_balances"), "340282366920938463463374607431768211457");
    assert_eq!(value("channels_open"), "18446744073709551617");
    let stake = round(&one("genlayer", "healthy-code"), AT, &mut Memory::default());
    let stake = stake.facts.iter().find(|fact| fact.name == "stake").unwrap().value.clone();
    assert_eq!(stake, "42000000000000000000001");
}

#[test]
fn a_slow_answer_is_a_finding() {
    let registry = Registry::built_in();
    let family = registry.get("datamgmt").unwrap();
    let fixture = one("datamgmt", "healthy");
    let normalised = with_answers(family, &fixture.manifest, AT, str::to_owned, |answers| {
        let slow: Vec<_> = answers
            .iter()
            .map(|answer| EndpointAnswer {
                endpoint: answer.endpoint,
                outcome: match &answer.outcome {
                    Ok(own) => Ok(Answer {
                        http_status: own.http_status,
                        body: match own.body {
                            Body::Bytes(bytes) => Body::Bytes(bytes),
                            Body::Metrics(metrics) => Body::Metrics(metrics),
                        },
                        duration_seconds: 1.4,
                    }),
                    Err(failure) => Err(failure.clone()),
                },
            })
            .collect();
        normalise(family, &Round { at: AT, interval_ms: INTERVAL, answers: &slow }, &mut Memory::default())
    });
    assert_eq!(normalised.status, Status::Degraded);
    assert_eq!(normalised.reasons[0].text, "The external API took 1.4 s, more than 1 s");
}
