//! Times as they read where the viewer is: the ticks of a time axis, a moment, a span. Pure: how far the zone is
//! ahead of UTC comes in, and may differ from one time to the next.

use fleetglass_shared::calendar::civil;
use fleetglass_shared::health::UnixMillis;

/// How far the viewer's zone is ahead of UTC at a time, in milliseconds.
pub type Zone = fn(UnixMillis) -> i64;

pub const SECOND: i64 = 1000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const DAY: i64 = 24 * HOUR;

/// Between two ticks within a day.
const STEPS: [i64; 19] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    12 * HOUR,
];

/// Between two ticks in days.
const DAY_STEPS: [i64; 11] = [1, 2, 3, 5, 7, 10, 14, 21, 30, 60, 90];

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The ticks of a time axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticks {
    /// From the first to the last.
    pub at: Vec<UnixMillis>,
    /// From one to the next, but where the clocks are turned.
    pub step: i64,
}

/// At most `most` times from `start` to before `end` that are round where the viewer is.
pub fn time_ticks(start: UnixMillis, end: UnixMillis, zone: Zone, most: usize) -> Ticks {
    let most = most.clamp(1, 12) as i64;
    let offset = zone(start);
    let first = |step: i64| (start + offset + step - 1).div_euclid(step);
    let count = |step: i64| (end + offset + step - 1).div_euclid(step) - first(step);
    let days = DAY_STEPS.iter().map(|days| days * DAY);
    let fitting = STEPS.into_iter().chain(days).find(|step| count(*step) <= most);
    let step = fitting.unwrap_or_else(|| ((end - start) / most).max(1));
    // A local time is a little earlier or later in UTC once the clocks were turned.
    let at = |index: i64| {
        let local = (first(step) + index) * step;
        local - zone(local - offset)
    };
    let at = (0..=most).map(at).filter(|at| (start..end).contains(at)).take(most as usize).collect();
    Ticks { at, step }
}

impl Ticks {
    /// What stands at a tick: a time of day, and a date where a day begins.
    pub fn label(&self, at: UnixMillis, zone: Zone) -> String {
        if self.step >= DAY || (at + zone(at)).rem_euclid(DAY) == 0 {
            date_label(at, zone)
        } else {
            clock_label(at, zone(at), self.step < MINUTE)
        }
    }
}

/// A time of day in a zone `offset` milliseconds ahead of UTC: `13:05`, or `13:05:15` with seconds.
pub fn clock_label(at: UnixMillis, offset: i64, seconds: bool) -> String {
    let second = (at + offset).div_euclid(SECOND).rem_euclid(86_400);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    if seconds {
        format!("{hour:02}:{minute:02}:{:02}", second % 60)
    } else {
        format!("{hour:02}:{minute:02}")
    }
}

/// A day of the year: `21 Nov`.
pub fn date_label(at: UnixMillis, zone: Zone) -> String {
    let (_, month, day) = civil((at + zone(at)).div_euclid(DAY));
    // A month is 1 to 12.
    format!("{day} {}", MONTHS.get(month as usize - 1).copied().unwrap_or_default())
}

/// A moment of a span that is `length` long: with its date when the span is longer than a day, with seconds
/// when it is a few hours at most.
pub fn moment_label(at: UnixMillis, length: i64, zone: Zone) -> String {
    let clock = clock_label(at, zone(at), length <= 6 * HOUR);
    // A grid holds a little more than its range.
    if length > DAY + HOUR { format!("{} {clock}", date_label(at, zone)) } else { clock }
}

/// A span: `20 Nov 14:00 – 15:30`, with the second date where it is another day. With seconds where it is
/// short, with the year where it is not this one's.
pub fn span_label(from: UnixMillis, to: UnixMillis, now: UnixMillis, zone: Zone) -> String {
    let day = |at: UnixMillis| (at + zone(at)).div_euclid(DAY);
    let year = |at: UnixMillis| civil(day(at)).0;
    let clock = |at: UnixMillis| clock_label(at, zone(at), to - from < 10 * MINUTE);
    let date = |at: UnixMillis| match year(at) {
        same if same == year(now) => date_label(at, zone),
        other => format!("{} {other}", date_label(at, zone)),
    };
    let end = if day(from) == day(to) { clock(to) } else { format!("{} {}", date(to), clock(to)) };
    format!("{} {} – {end}", date(from), clock(from))
}

/// A zone's distance from UTC: `UTC`, `UTC+1`, `UTC−3:30`.
pub fn zone_label(offset: i64) -> String {
    let minutes = offset / MINUTE;
    let sign = if minutes < 0 { '−' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, rest) => format!("UTC{sign}{hours}:{rest:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-14 22:13:20 UTC.
    const START: i64 = 1_700_000_000_000;

    fn labels(length: i64, zone: Zone, most: usize) -> Vec<String> {
        let ticks = time_ticks(START, START + length, zone, most);
        ticks.at.iter().map(|&at| ticks.label(at, zone)).collect()
    }

    #[test]
    fn ticks_are_round_where_the_viewer_is() {
        let zones: [Zone; 3] = [|_| 0, |_| 330 * MINUTE, |_| -3 * HOUR];
        for length in [30 * SECOND, 15 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY] {
            for zone in zones {
                for most in 2..=6 {
                    let ticks = time_ticks(START, START + length, zone, most);
                    assert!((1..=most).contains(&ticks.at.len()), "{length} {most} {ticks:?}");
                    let round = |tick: &i64| (tick + zone(*tick)) % ticks.step == 0;
                    assert!(ticks.at.iter().all(round), "{ticks:?}");
                }
            }
        }
        assert_eq!(time_ticks(0, 1, |_| 0, 6).at, [0]);
        assert!(time_ticks(0, i64::MAX / 4, |_| 0, 6).at.len() <= 6);
    }

    #[test]
    fn labels_fit_the_span() {
        assert_eq!(labels(20 * SECOND, |_| 0, 4), ["22:13:20", "22:13:25", "22:13:30", "22:13:35"]);
        assert_eq!(labels(HOUR, |_| 0, 4), ["22:15", "22:30", "22:45", "23:00"]);
        assert_eq!(labels(DAY, |_| 0, 4), ["15 Nov", "06:00", "12:00", "18:00"]);
        assert_eq!(labels(DAY, |_| HOUR, 4), ["15 Nov", "06:00", "12:00", "18:00"]);
        assert_eq!(labels(7 * DAY, |_| 0, 4), ["15 Nov", "17 Nov", "19 Nov", "21 Nov"]);
        assert_eq!(labels(90 * DAY, |_| 0, 6), ["23 Nov", "7 Dec", "21 Dec", "4 Jan", "18 Jan", "1 Feb"]);
    }

    #[test]
    fn days_begin_at_midnight_although_the_clocks_are_turned() {
        // An hour ahead until noon of 17 November, then none.
        let zone: Zone = |at| if at < 1_700_222_400_000 { HOUR } else { 0 };
        let ticks = time_ticks(START, START + 6 * DAY, zone, 7);
        assert!(ticks.at.iter().all(|&at| (at + zone(at)) % DAY == 0), "{ticks:?}");
        assert_eq!(ticks.at.len(), 6);
    }

    #[test]
    fn moments_and_spans_say_no_more_than_needed() {
        assert_eq!(clock_label(START, 0, false), "22:13");
        assert_eq!(clock_label(START, HOUR, true), "23:13:20");
        assert_eq!(moment_label(START, HOUR, |_| 0), "22:13:20");
        assert_eq!(moment_label(START, DAY, |_| 0), "22:13");
        assert_eq!(moment_label(START, 7 * DAY, |_| 2 * HOUR), "15 Nov 00:13");
        let span = |length| span_label(START, START + length, START + DAY, |_| 0);
        assert_eq!(span(MINUTE), "14 Nov 22:13:20 – 22:14:20");
        assert_eq!(span(HOUR), "14 Nov 22:13 – 23:13");
        assert_eq!(span(DAY), "14 Nov 22:13 – 15 Nov 22:13");
        assert_eq!(
            span_label(START, START + 60 * DAY, START + 60 * DAY, |_| 0),
            "14 Nov 2023 22:13 – 13 Jan 22:13"
        );
    }

    #[test]
    fn zones_are_named() {
        assert_eq!(zone_label(0), "UTC");
        assert_eq!(zone_label(HOUR), "UTC+1");
        assert_eq!(zone_label(-210 * MINUTE), "UTC−3:30");
    }
}
