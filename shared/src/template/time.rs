//! Points and lengths of time as Go has them and writes them, in UTC.

use std::fmt;

use crate::calendar::{civil, days};

mod layout;

const NANOS: i64 = 1_000_000_000;

/// The length of time from one moment to another, in nanoseconds; it reads `1h30m0s`, `1.5s`, `2ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(i64);

impl Duration {
    /// From nanoseconds.
    pub fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// In nanoseconds.
    pub fn nanoseconds(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        let (seconds, rest) = (size / 1_000_000_000, size % 1_000_000_000);
        if seconds == 0 {
            return match size {
                0 => f.write_str("0s"),
                1..1000 => write!(f, "{sign}{size}ns"),
                1000..1_000_000 => write!(f, "{sign}{}µs", decimal(size, 3)),
                _ => write!(f, "{sign}{}ms", decimal(size, 6)),
            };
        }
        let last = decimal(seconds % 60 * 1_000_000_000 + rest, 9);
        match (seconds / 3600, seconds / 60 % 60) {
            (0, 0) => write!(f, "{sign}{last}s"),
            (0, minutes) => write!(f, "{sign}{minutes}m{last}s"),
            (hours, minutes) => write!(f, "{sign}{hours}h{minutes}m{last}s"),
        }
    }
}

/// A whole number with its last `places` digits behind the point, and no zeros at the end there.
fn decimal(value: u64, places: u32) -> String {
    let unit = 10_u64.pow(places);
    let part = format!("{:0width$}", value % unit, width = places as usize);
    match part.trim_end_matches('0') {
        "" => (value / unit).to_string(),
        part => format!("{}.{part}", value / unit),
    }
}

/// A point in time; it reads `2015-06-23 13:19:44.128 +0000 UTC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time {
    /// Unix seconds.
    seconds: i64,
    /// Below 1,000,000,000.
    nanos: u32,
}

impl Time {
    /// From Unix milliseconds.
    pub fn from_unix_ms(ms: i64) -> Self {
        // The remainder is positive and below 1000.
        Self { seconds: ms.div_euclid(1000), nanos: ms.rem_euclid(1000) as u32 * 1_000_000 }
    }

    /// Go's zero time, which stands for a time that is not known: the first of January of the year 1.
    pub fn zero() -> Self {
        Self { seconds: days(1, 1, 1) * 86_400, nanos: 0 }
    }

    pub(super) fn is_zero(self) -> bool {
        self == Self::zero()
    }

    pub(super) fn unix_seconds(self) -> i64 {
        self.seconds
    }

    pub(super) fn unix_ms(self) -> i64 {
        self.seconds.saturating_mul(1000).saturating_add(i64::from(self.nanos / 1_000_000))
    }

    pub(super) fn nanosecond(self) -> u32 {
        self.nanos
    }

    /// Year, month and day.
    pub(super) fn date(self) -> (i64, i64, i64) {
        civil(self.day_number())
    }

    fn day_number(self) -> i64 {
        self.seconds.div_euclid(86_400)
    }

    /// Hour, minute and second.
    pub(super) fn clock(self) -> (i64, i64, i64) {
        let second = self.seconds.rem_euclid(86_400);
        (second / 3600, second / 60 % 60, second % 60)
    }

    /// From 1.
    pub(super) fn year_day(self) -> i64 {
        self.day_number() - days(self.date().0, 1, 1) + 1
    }

    pub(super) fn month_name(self) -> &'static str {
        layout::MONTHS[(self.date().1 - 1).rem_euclid(12) as usize]
    }

    pub(super) fn weekday_name(self) -> &'static str {
        // The first day of 1970 was a Thursday.
        layout::WEEKDAYS[(self.day_number() + 4).rem_euclid(7) as usize]
    }

    /// The length from `earlier` to here; the longest there is where it is longer.
    pub(super) fn since(self, earlier: Self) -> Duration {
        let seconds = i128::from(self.seconds) - i128::from(earlier.seconds);
        let nanos = seconds * i128::from(NANOS) + i128::from(self.nanos) - i128::from(earlier.nanos);
        Duration(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }

    pub(super) fn plus(self, duration: Duration) -> Self {
        let nanos = i64::from(self.nanos) + duration.0 % NANOS;
        let seconds = self.seconds.saturating_add(duration.0 / NANOS).saturating_add(nanos.div_euclid(NANOS));
        // The remainder is positive and below a thousand million.
        Self { seconds, nanos: nanos.rem_euclid(NANOS) as u32 }
    }

    /// In the form of Go's reference time, `Mon Jan 2 15:04:05 MST 2006`.
    pub(super) fn format(self, layout: &str) -> String {
        layout::format(self, layout)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("2006-01-02 15:04:05.999999999 -0700 MST"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_in_go() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (-1_500_000_000, "-1.5s"),
            (60 * NANOS, "1m0s"),
            (5405 * NANOS + 1_000_000, "1h30m5.001s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(Duration(nanoseconds).to_string(), text);
        }
    }

    #[test]
    fn times_read_as_in_go() {
        let time = Time::from_unix_ms(1_435_065_584_128);
        assert_eq!(time.to_string(), "2015-06-23 13:19:44.128 +0000 UTC");
        assert_eq!(Time::from_unix_ms(-1).to_string(), "1969-12-31 23:59:59.999 +0000 UTC");
        assert_eq!(Time::zero().to_string(), "0001-01-01 00:00:00 +0000 UTC");
        assert!(Time::zero().is_zero());
        assert_eq!((time.year_day(), time.weekday_name(), time.month_name()), (174, "Tuesday", "June"));
        let later = time.plus(Duration(-1_128_000_001));
        assert_eq!(later.to_string(), "2015-06-23 13:19:42.999999999 +0000 UTC");
        assert_eq!(time.since(later), Duration(1_128_000_001));
        let _ = Time::from_unix_ms(i64::MIN).plus(Duration(i64::MIN)).to_string();
    }
}
