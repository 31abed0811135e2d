//! Maintenance windows at their edges, and against the plain reading of each minute.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000;

fn spec(text: &str) -> IntervalSpec {
    toml::from_str(text).unwrap()
}

fn interval(text: &str) -> TimeInterval {
    TimeInterval::new(&spec(text)).unwrap()
}

fn refused(text: &str) -> String {
    TimeInterval::new(&spec(text)).unwrap_err()
}

fn at(text: &str) -> UnixMillis {
    moment(text).unwrap()
}

/// When it is next, as text.
fn next(interval: &TimeInterval, from: &str) -> (String, String) {
    let span = interval.next(at(from)).unwrap();
    let text = |at: Option<i64>| at.map_or("-".to_owned(), |at| crate::format::utc(at / 1000));
    (text(span.start), text(span.end))
}

fn pair(start: &str, end: &str) -> (String, String) {
    (format!("{start}:00 UTC"), format!("{end}:00 UTC"))
}

#[test]
fn the_end_of_a_time_is_outside_of_it() {
    let night = interval("times = [{ start_time = \"22:00\", end_time = \"24:00\" }]");
    assert!(!night.contains(at("2026-11-21T21:59:59.999Z")));
    assert!(night.contains(at("2026-11-21T22:00:00Z")) && night.contains(at("2026-11-21T23:59:59.999Z")));
    assert!(!night.contains(at("2026-11-22T00:00:00Z")));
    assert_eq!(next(&night, "2026-11-21T12:00:00Z"), pair("2026-11-21 22:00", "2026-11-22 00:00"));
    assert_eq!(next(&night, "2026-11-21T23:00:00Z"), pair("2026-11-21 22:00", "2026-11-22 00:00"));
}

#[test]
fn over_midnight_it_takes_two_and_they_are_told_as_one() {
    assert!(refused("times = [{ start_time = \"22:00\", end_time = \"02:00\" }]").contains("over midnight"));
    let two = "times = [{ start_time = \"22:00\", end_time = \"24:00\" }, { start_time = \"00:00\", end_time = \"02:00\" }]";
    assert_eq!(next(&interval(two), "2026-11-21T12:00:00Z"), pair("2026-11-21 22:00", "2026-11-22 02:00"));
    // Friday's night: from two intervals of other weekdays.
    let evening =
        interval("weekdays = [\"friday\"]\ntimes = [{ start_time = \"22:00\", end_time = \"24:00\" }]");
    let morning =
        interval("weekdays = [\"saturday\"]\ntimes = [{ start_time = \"00:00\", end_time = \"02:00\" }]");
    let window = Window {
        name: "w".into(),
        comment: String::new(),
        matchers: Vec::new(),
        intervals: vec![morning, evening],
        once: vec![(at("2026-11-28T01:30:00Z"), at("2026-11-28T05:00:00Z"))],
        on_status_pages: true,
        status_text: String::new(),
    };
    let span = window.next(at("2026-11-22T12:00:00Z")).unwrap();
    assert_eq!((span.start, span.end), (Some(at("2026-11-27T22:00:00Z")), Some(at("2026-11-28T05:00:00Z"))));
    assert!(window.is_active(at("2026-11-28T04:59:59Z")) && !window.is_active(at("2026-11-28T05:00:00Z")));
}

#[test]
fn a_window_is_about_nodes_unless_it_names_alerts() {
    let covers = |matchers: &str, region: &str| {
        let window = Window {
            name: "w".into(),
            comment: String::new(),
            matchers: crate::labels::Selector::parse(&format!("{{{matchers}}}")).unwrap().matchers,
            intervals: Vec::new(),
            once: Vec::new(),
            on_status_pages: true,
            status_text: String::new(),
        };
        window.covers(&LabelSet::from_pairs([("instance", "eu-1"), ("job", "fam"), ("region", region)]))
    };
    for (matchers, eu, us) in [
        ("region=\"eu\"", true, false),
        ("region=\"eu\",severity!=\"P1\"", true, false),
        ("region=\"eu\",severity=\"info\"", true, false),
        ("alertname=~\".+\"", true, true),
        ("alertname!=\"Egress\",region=~\"e.*\"", true, false),
        ("alertname=\"NodeDegraded\",region=\"eu\"", false, false),
        ("alertname=~\"Node.*\"", false, false),
        ("rack=\"7\"", false, false),
    ] {
        assert_eq!((covers(matchers, "eu"), covers(matchers, "us")), (eu, us), "{matchers}");
    }
}

#[test]
fn days_are_counted_from_the_end_of_the_month_too() {
    let last = interval("days_of_month = [\"-1\"]");
    for (day, is) in [
        ("2026-11-30", true),
        ("2026-11-29", false),
        ("2026-12-31", true),
        ("2026-12-30", false),
        ("2026-02-28", true),
        ("2028-02-28", false),
        ("2028-02-29", true),
    ] {
        assert_eq!(last.contains(at(&format!("{day}T12:00:00Z"))), is, "{day}");
    }
    let end = interval("days_of_month = [\"-3:-1\"]");
    assert!(end.contains(at("2026-11-28T00:00:00Z")) && !end.contains(at("2026-11-27T23:59:59Z")));
    let rest = interval("days_of_month = [\"20:-1\"]");
    assert!(rest.contains(at("2026-11-20T00:00:00Z")) && rest.contains(at("2026-11-30T23:59:59Z")));
    // A month without such a day has none.
    assert_eq!(
        next(&interval("days_of_month = [\"31\"]"), "2026-11-02T00:00:00Z"),
        pair("2026-12-31 00:00", "2027-01-01 00:00")
    );
    // A day that counts from further than the month's begin begins with it.
    assert!(interval("days_of_month = [\"-31:-28\"]").contains(at("2026-11-01T00:00:00Z")));
}

#[test]
fn all_that_is_named_must_hold() {
    let some = interval(
        "weekdays = [\"Monday:Wednesday\", \"saturday\"]\nmonths = [\"november:12\"]\nyears = [\"2026\"]",
    );
    for (day, is) in [
        ("2026-11-23", true),
        ("2026-11-26", false),
        ("2026-11-28", true),
        ("2026-11-22", false),
        ("2026-10-26", false),
        ("2027-11-22", false),
    ] {
        assert_eq!(some.contains(at(&format!("{day}T00:00:00Z"))), is, "{day}");
    }
    assert_eq!(interval("years = [\"2020\"]").next(at("2026-11-22T00:00:00Z")), None);
    let ever = interval("").next(at("2026-11-22T00:00:00Z")).unwrap();
    assert_eq!((ever.start, ever.end), (None, None));
}

#[test]
fn what_makes_no_sense_is_refused_in_words() {
    for (text, why) in [
        ("weekdays = [\"caturday\"]", "no weekday"),
        ("weekdays = [\"saturday:monday\"]", "ends before it begins"),
        ("months = [\"13\"]", "no month"),
        ("months = [\"december:january\"]", "ends before it begins"),
        ("days_of_month = [\"0\"]", "no day"),
        ("days_of_month = [\"32\"]", "no day"),
        ("days_of_month = [\"5:1\"]", "ends before it begins"),
        ("days_of_month = [\"-1:-3\"]", "ends before it begins"),
        ("days_of_month = [\"-3:3\"]", "from the month's end"),
        ("years = [\"26\"]", "no year"),
        ("times = [{ start_time = \"9:00\", end_time = \"10:00\" }]", "no time of day"),
        ("times = [{ start_time = \"23:00\", end_time = \"24:01\" }]", "no time of day"),
        ("times = [{ start_time = \"10:00\", end_time = \"10:00\" }]", "ends before it begins"),
        ("location = \"Europe/Berln\"", "no time zone"),
        ("location = \"+2\"", "no time zone"),
        ("location = \"Local\"", "no time zone"),
    ] {
        let said = refused(text);
        assert!(said.contains(why), "{text}: {said}");
    }
    assert!(toml::from_str::<IntervalSpec>("weekday = [\"monday\"]").is_err());
    assert!(moment("2026-12-01").is_err() && moment("2026-12-01T02:00:00").is_err());
    assert_eq!(at("2026-12-01T03:00:00+01:00"), at("2026-12-01T02:00:00Z"));
}

#[test]
fn clocks_that_are_changed_shorten_and_lengthen_a_night() {
    let night = "times = [{ start_time = \"01:00\", end_time = \"04:00\" }]\nlocation = \"Europe/Berlin\"";
    // On 29 March 2026 clocks go from 02:00 to 03:00, on 25 October from 03:00 to 02:00.
    assert_eq!(next(&interval(night), "2026-03-28T12:00:00Z"), pair("2026-03-29 00:00", "2026-03-29 02:00"));
    assert_eq!(next(&interval(night), "2026-10-24T12:00:00Z"), pair("2026-10-24 23:00", "2026-10-25 03:00"));
    // A time that does not exist begins when the clock has passed it.
    let lost = "times = [{ start_time = \"02:30\", end_time = \"03:30\" }]\nlocation = \"Europe/Berlin\"";
    assert_eq!(next(&interval(lost), "2026-03-28T12:00:00Z"), pair("2026-03-29 01:00", "2026-03-29 01:30"));
    // A time that comes twice is twice.
    let twice = "times = [{ start_time = \"02:15\", end_time = \"02:45\" }]\nlocation = \"Europe/Berlin\"";
    assert_eq!(next(&interval(twice), "2026-10-24T12:00:00Z"), pair("2026-10-25 00:15", "2026-10-25 00:45"));
    assert_eq!(next(&interval(twice), "2026-10-25T00:45:00Z"), pair("2026-10-25 01:15", "2026-10-25 01:45"));
    let fixed = interval("times = [{ start_time = \"00:00\", end_time = \"01:00\" }]\nlocation = \"-05:30\"");
    assert_eq!(next(&fixed, "2026-11-22T00:00:00Z"), pair("2026-11-22 05:30", "2026-11-22 06:30"));
}

fn any_interval() -> impl Strategy<Value = IntervalSpec> {
    let time = (0i64..1440, 1i64..700).prop_map(|(from, length)| {
        let text = |minute: i64| format!("{:02}:{:02}", minute / 60, minute % 60);
        TimeRangeSpec { start_time: text(from), end_time: text((from + length).min(1440)) }
    });
    let weekday = prop::sample::select(vec!["monday", "tuesday:thursday", "sunday", "friday:saturday"]);
    let date = prop::sample::select(vec!["1", "-1", "10:20", "-5:-2", "25:-1"]);
    let place =
        prop::sample::select(vec!["", "+05:45", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]);
    let owned = |all: Vec<&str>| all.into_iter().map(str::to_owned).collect::<Vec<_>>();
    (
        prop::collection::vec(time, 0..3),
        prop::collection::vec(weekday, 0..2),
        prop::collection::vec(date, 0..2),
        place,
    )
        .prop_map(move |(times, weekdays, dates, place)| IntervalSpec {
            times,
            weekdays: owned(weekdays),
            days_of_month: owned(dates),
            location: place.to_owned(),
            ..IntervalSpec::default()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The next span is what a look at each minute finds.
    #[test]
    fn the_next_span_is_what_each_minute_says(spec in any_interval(), start in 29_400_000i64..30_500_000) {
        let interval = TimeInterval::new(&spec).unwrap();
        let from = start * MINUTE;
        let Some(span) = interval.next(from) else { return Ok(()) };
        let begin = span.start.unwrap_or(from).max(from);
        let (mut at, mut looked) = (from, 0);
        while at < begin && looked < 20_000 {
            prop_assert!(!interval.contains(at), "active at {at}, before {begin}");
            (at, looked) = (at + MINUTE, looked + 1);
        }
        (at, looked) = (begin, 0);
        let end = span.end.unwrap_or(i64::MAX);
        while at < end && looked < 20_000 {
            prop_assert!(interval.contains(at), "not active at {at}, from {begin} to {end}");
            (at, looked) = (at + MINUTE, looked + 1);
        }
        if let Some(end) = span.end {
            prop_assert!(!interval.contains(end), "active at its end {end}");
        }
        if let Some(start) = span.start {
            prop_assert!(!interval.contains(start - 1), "active before its begin {start}");
        }
    }
}
