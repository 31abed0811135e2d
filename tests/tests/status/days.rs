//! Bars of a history that is known.

use fleetglass_tests::samples;

use super::*;

const DAY: i64 = 86_400_000;

#[tokio::test]
async fn days_say_what_was_seen_and_what_nobody_saw() {
    let story = story("").await;
    made(&story.fleetglass, "acme", &[]);
    let folder = story.fleetglass.end("TERM");
    let now = samples::now();
    let today = now / DAY * DAY;
    {
        // Three days ago it was down for 36 minutes, two days ago nobody looked, before that there was nothing.
        let file = rusqlite::Connection::open(folder.path().join("fleetglass-data/state.db")).unwrap();
        file.execute_batch("DELETE FROM event; DELETE FROM seen").unwrap();
        let noon = today - 3 * DAY + DAY / 2;
        for (at, became) in
            [(today - 5 * DAY, "healthy"), (noon, "unreachable"), (noon + 36 * 60_000, "healthy")]
        {
            let query = "INSERT INTO event (at, node, kind, was, became, text) VALUES (?1, 'in-real-1', 'state', '', ?2, '')";
            file.execute(query, rusqlite::params![at, became]).unwrap();
        }
        for (since, until) in [(today - 5 * DAY, today - 2 * DAY), (today - DAY, now)] {
            let query = "INSERT INTO seen (since, until, closed) VALUES (?1, ?2, 1)";
            file.execute(query, [since, until]).unwrap();
        }
    }
    let fleetglass = Fleetglass::start_in(folder, &story.config, &[]).await;
    fleetglass.ready().await;
    let summary = fleetglass.json("/status/acme/summary.json").await;
    let part = &summary["parts"][0];
    assert_eq!((&part["name"], &part["days"]), (&json!("in-real-1"), &json!(90)));
    assert_eq!(part["down_ms"], json!(36 * 60_000));
    let up = part["up_ms"].as_i64().unwrap();
    let seen = 4 * DAY + (now - today) - 36 * 60_000;
    assert!((up - seen).abs() < 10 * 60_000, "{up} of {seen}");
    let page = fleetglass.get("/status/acme").await.body;
    let day = |back: i64| fleetglass_shared::status::day_name(today / DAY - back);
    for words in [
        format!("{}: up 97.5 %, 36 min down", day(3)),
        format!("{}: no data", day(2)),
        format!("{}: up\"", day(4)),
        format!("{}: no data", day(80)),
        "5 of 90 days with data".to_owned(),
        "an outage on one day".to_owned(),
    ] {
        assert!(page.contains(&words), "no `{words}` in {page}");
    }
    // Never a hundred where it was down, and nothing older than the link lets out.
    let id = fleetglass.json("/api/v1/shares").await["shares"][0]["id"].as_str().unwrap().to_owned();
    let scope = json!({"select": ["{team=\"acme\"}"], "views": ["fleet"], "oldest_seconds": 2 * 86_400});
    let changed = send(&fleetglass, "PATCH", &format!("/api/v1/shares/{id}"), &json!({"scope": scope})).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let part = fleetglass.json("/status/acme/summary.json").await["parts"][0].clone();
    assert_eq!((&part["days"], &part["down_ms"]), (&json!(3), &json!(0)), "{part}");
}
