//! What a person writes for the ends of a range: a date and time where they are, or relative words. Pure.

use fleetglass_shared::calendar::{civil, days};
use fleetglass_shared::health::UnixMillis;

use super::range::{Range, length, word};
use super::times::{DAY, HOUR, MINUTE, SECOND, Zone, clock_label};

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// So long before now.
    Ago(i64),
    /// A time.
    At(UnixMillis),
}

impl Moment {
    fn at(self, now: UnixMillis) -> UnixMillis {
        match self {
            Self::Ago(millis) => now - millis,
            Self::At(at) => at,
        }
    }
}

/// Why two texts are no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclear {
    /// The first text is no time.
    From,
    /// The second is none.
    To,
    /// The second time is not after the first.
    Order,
}

impl Unclear {
    /// What to do.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::From => "“From” is no time. Write it like 2026-11-21 13:05, 13:05 or now-3h.",
            Self::To => "“To” is no time. Write it like 2026-11-21 13:05, 13:05, now-1h or now.",
            Self::Order => "“To” must be later than “From”.",
        }
    }
}

/// The range that a person wrote. What ends now goes on with the time.
pub fn read_range(from: &str, to: &str, now: UnixMillis, zone: Zone) -> Result<Range, Unclear> {
    let from = moment(from, now, zone, false).ok_or(Unclear::From)?;
    let to = if to.trim().is_empty() { Some(Moment::Ago(0)) } else { moment(to, now, zone, true) };
    let to = to.ok_or(Unclear::To)?;
    if to.at(now) <= from.at(now) {
        return Err(Unclear::Order);
    }
    Ok(match (from, to) {
        (Moment::Ago(millis), Moment::Ago(0)) => Range::last(millis),
        _ => Range::between(from.at(now), to.at(now)),
    })
}

/// The two texts that say a range.
pub fn write_range(range: Range, zone: Zone) -> (String, String) {
    match range {
        Range::Last(millis) => (format!("now-{}", word(millis)), "now".to_owned()),
        Range::Between(from, to) => (written(from, zone), written(to, zone)),
    }
}

/// A time as it is written in a field: `2026-11-21 13:05`, with seconds where there are any.
pub fn written(at: UnixMillis, zone: Zone) -> String {
    let offset = zone(at);
    let (year, month, day) = civil((at + offset).div_euclid(DAY));
    let clock = clock_label(at, offset, at % MINUTE != 0);
    format!("{year:04}-{month:02}-{day:02} {clock}")
}

fn moment(text: &str, now: UnixMillis, zone: Zone, end: bool) -> Option<Moment> {
    let text: String = text.trim().to_ascii_lowercase();
    if text == "now" {
        return Some(Moment::Ago(0));
    }
    let compact: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let relative = compact.strip_prefix("now").unwrap_or(&compact);
    if let Some(length) = length(relative.strip_prefix(['-', '−']).unwrap_or(relative)) {
        return Some(Moment::Ago(length));
    }
    local(&text, now, zone, end).map(Moment::At)
}

/// A date, a time of day or both, where the viewer is. A date alone is a whole day: its begin, or its end.
/// A time of day alone is the last one there was.
fn local(text: &str, now: UnixMillis, zone: Zone, end: bool) -> Option<UnixMillis> {
    let (date, clock) = match text.split_once([' ', 't']) {
        Some((date, clock)) => (Some(date), Some(clock.trim_start())),
        None if text.contains(':') => (None, Some(text)),
        None => (Some(text), None),
    };
    let of_day = match clock {
        Some(clock) => time_of_day(clock)?,
        None => i64::from(end) * DAY,
    };
    let at = |day: i64| to_utc(day * DAY + of_day, zone);
    let Some(date) = date else {
        let today = (now + zone(now)).div_euclid(DAY);
        return Some(if at(today) <= now { at(today) } else { at(today - 1) });
    };
    at(day_of(date)?).into()
}

/// A local time in UTC. Of a time that the clocks skip, or show twice, the nearest is as good as any.
fn to_utc(local: i64, zone: Zone) -> UnixMillis {
    let guess = local - zone(local);
    local - zone(guess)
}

fn day_of(date: &str) -> Option<i64> {
    let [year, month, day] = numbers(date, '-')?[..] else { return None };
    let day_number = days(year, month, day);
    // 31 April is none.
    (year >= 1970 && civil(day_number) == (year, month, day)).then_some(day_number)
}

fn time_of_day(clock: &str) -> Option<i64> {
    let (hour, minute, second) = match numbers(clock, ':')?[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let fine = hour < 24 && minute < 60 && second < 60;
    fine.then_some(hour * HOUR + minute * MINUTE + second * SECOND)
}

fn numbers(text: &str, between: char) -> Option<Vec<i64>> {
    let number = |part: &str| {
        let digits = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits { part.parse().ok() } else { None }
    };
    text.split(between).map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-14 22:13:20 UTC.
    const NOW: i64 = 1_700_000_000_000;
    const MIDNIGHT: i64 = 1_699_920_000_000;

    fn read(from: &str, to: &str) -> Result<Range, Unclear> {
        read_range(from, to, NOW, |_| 0)
    }

    #[test]
    fn relative_words_are_ranges() {
        for from in ["now-3h", "NOW - 3h", " now−3h ", "-3h", "3h", "3 h", "180m", "now-2h60m"] {
            assert_eq!(read(from, "now"), Ok(Range::Last(3 * HOUR)), "{from}");
        }
        assert_eq!(read("now-1w", ""), Ok(Range::Last(7 * DAY)));
        assert_eq!(read("now-6h", "now-3h"), Ok(Range::Between(NOW - 6 * HOUR, NOW - 3 * HOUR)));
    }

    #[test]
    fn dates_and_times_are_those_of_the_viewer() {
        let between = |from: i64, to: i64| Ok(Range::Between(from, to));
        assert_eq!(read("2023-11-14", "2023-11-14"), between(MIDNIGHT, MIDNIGHT + DAY));
        assert_eq!(
            read("2023-11-14 01:00", "2023-11-14T02:00:30"),
            between(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR + 30_000)
        );
        assert_eq!(read("1:00", "13:05"), between(MIDNIGHT + HOUR, MIDNIGHT + 13 * HOUR + 5 * MINUTE));
        // 23:00 was yesterday.
        assert_eq!(read("23:00", "1:00"), between(MIDNIGHT - HOUR, MIDNIGHT + HOUR));
        let ahead: Zone = |_| 2 * HOUR;
        // It is the 15th there.
        assert_eq!(
            read_range("00:10", "now", NOW, ahead),
            Ok(Range::between(MIDNIGHT + DAY - 2 * HOUR + 10 * MINUTE, NOW))
        );
        assert_eq!(read("2023-11-14 22:00", "now"), between(NOW - 13 * MINUTE - 20_000, NOW));
    }

    #[test]
    fn what_is_unclear_is_told_apart() {
        for wrong in [
            "",
            "soon",
            "2023-13-01",
            "2023-02-29",
            "25:00",
            "12:60",
            "2023-11-14 xx",
            "now+3h",
            "1:2:3:4",
            "ħ",
        ] {
            assert_eq!(read(wrong, "now"), Err(Unclear::From), "{wrong}");
        }
        assert_eq!(read("now-1h", "soon"), Err(Unclear::To));
        assert_eq!(read("now", "now-1h"), Err(Unclear::Order));
        assert_eq!(read("now", "now"), Err(Unclear::Order));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let zone: Zone = |at| if at < NOW { HOUR } else { 0 };
        for range in
            [Range::Last(DAY), Range::Between(NOW - 3 * DAY, NOW + 5 * HOUR), Range::Between(0, 60_000)]
        {
            let (from, to) = write_range(range, zone);
            assert_eq!(read_range(&from, &to, NOW + DAY, zone), Ok(range), "{from} {to}");
        }
        assert_eq!(written(MIDNIGHT + 5 * MINUTE, |_| 0), "2023-11-14 00:05");
    }
}
