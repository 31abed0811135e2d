//! How much time the charts of a page show, and its words in the address. Pure.

use fleetglass_shared::format::duration_ms;
use fleetglass_shared::health::UnixMillis;

use super::times::{DAY, HOUR, MINUTE, SECOND, Zone, span_label};

/// What is shorter cannot be shown: nodes are asked every second at most.
const SHORTEST: i64 = 10 * SECOND;
/// What is longer nobody keeps.
const LONGEST: i64 = 5 * 366 * DAY;
/// The end of the year 9999.
const LAST: UnixMillis = 253_402_300_799_000;

/// A range of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The last so many milliseconds: it moves on with the time.
    Last(i64),
    /// From one time to another.
    Between(UnixMillis, UnixMillis),
}

impl Default for Range {
    fn default() -> Self {
        Self::Last(HOUR)
    }
}

/// The choices that have a button: length, word in the address, title.
pub const CHOICES: [(i64, &str, &str); 7] = [
    (15 * MINUTE, "15m", "15 min"),
    (HOUR, "1h", "1 h"),
    (6 * HOUR, "6h", "6 h"),
    (DAY, "24h", "24 h"),
    (7 * DAY, "7d", "7 d"),
    (30 * DAY, "30d", "30 d"),
    (90 * DAY, "90d", "90 d"),
];

impl Range {
    /// The last so many milliseconds, no more and no less than can be shown.
    pub fn last(millis: i64) -> Self {
        Self::Last(millis.clamp(SHORTEST, LONGEST))
    }

    /// The span between two times, in whichever order, in whole seconds; a very short one is widened.
    pub fn between(one: UnixMillis, other: UnixMillis) -> Self {
        let from = one.min(other).div_euclid(SECOND) * SECOND;
        let to = (one.max(other) + SECOND - 1).div_euclid(SECOND) * SECOND;
        let lacking = (SHORTEST - (to - from)).max(0);
        let from = from - lacking / 2 / SECOND * SECOND;
        Self::Between(from, to.max(from + SHORTEST))
    }

    /// What an address says by `?range=24h`, or by `?from=MS&to=MS`; what it says wrong is the default.
    pub fn parse(range: Option<&str>, from: Option<&str>, to: Option<&str>) -> Self {
        let time = |word: Option<&str>| word?.parse::<i64>().ok().filter(|at| (0..=LAST).contains(at));
        if let (Some(from), Some(to)) = (time(from), time(to))
            && (SHORTEST..=LONGEST).contains(&(to - from))
        {
            return Self::Between(from, to);
        }
        let last = range.and_then(length).filter(|length| (SHORTEST..=LONGEST).contains(length));
        last.map_or_else(Self::default, Self::Last)
    }

    /// The query of the address that says it.
    pub fn query(self) -> String {
        match self {
            Self::Last(millis) => format!("?range={}", word(millis)),
            Self::Between(from, to) => format!("?from={from}&to={to}"),
        }
    }

    /// Its length in milliseconds.
    pub fn millis(self) -> i64 {
        match self {
            Self::Last(millis) => millis,
            Self::Between(from, to) => to - from,
        }
    }

    /// Where it begins and ends.
    pub fn at(self, now: UnixMillis) -> (UnixMillis, UnixMillis) {
        match self {
            Self::Last(millis) => (now - millis, now),
            Self::Between(from, to) => (from, to),
        }
    }

    /// Whether there may be newer values in it: what lies in the past stays as it is.
    pub fn follows(self, now: UnixMillis) -> bool {
        match self {
            Self::Last(_) => true,
            Self::Between(_, to) => to > now,
        }
    }

    /// What a person reads: `24 h`, `last 3 h`, `20 Nov 14:00 – 15:30`.
    pub fn title(self, now: UnixMillis, zone: Zone) -> String {
        match self {
            Self::Last(millis) => choice(millis)
                .map_or_else(|| format!("last {}", duration_ms(millis)), |(_, _, title)| (*title).to_owned()),
            Self::Between(from, to) => span_label(from, to, now, zone),
        }
    }
}

fn choice(millis: i64) -> Option<&'static (i64, &'static str, &'static str)> {
    CHOICES.iter().find(|(length, ..)| *length == millis)
}

/// A length as the address and the relative words have it: `24h`, `7d`, `90s`.
pub fn word(millis: i64) -> String {
    if let Some((_, word, _)) = choice(millis) {
        return (*word).to_owned();
    }
    let units = [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm')];
    let fitting = units.into_iter().find(|(unit, _)| millis % unit == 0);
    let (unit, letter) = fitting.unwrap_or((SECOND, 's'));
    format!("{}{letter}", millis / unit)
}

/// The length that a word says: `24h`, `1h30m`, `2w`.
pub fn length(word: &str) -> Option<i64> {
    let mut rest = word;
    let mut sum = 0_i64;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let count = rest[..end].parse::<i64>().ok()?;
        let unit = match rest.as_bytes()[end] {
            b's' => SECOND,
            b'm' => MINUTE,
            b'h' => HOUR,
            b'd' => DAY,
            b'w' => 7 * DAY,
            _ => return None,
        };
        sum = sum.checked_add(count.checked_mul(unit)?)?;
        rest = &rest[end + 1..];
    }
    (sum > 0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_a_range_and_a_range_its_address() {
        for (range, from, to, means) in [
            (Some("15m"), None, None, Range::Last(15 * MINUTE)),
            (Some("24h"), None, None, Range::Last(DAY)),
            (Some("90d"), None, None, Range::Last(90 * DAY)),
            (Some("1h30m"), None, None, Range::Last(90 * MINUTE)),
            (
                None,
                Some("1700000000000"),
                Some("1700000060000"),
                Range::Between(1_700_000_000_000, 1_700_000_060_000),
            ),
            // The times lead.
            (Some("6h"), Some("1000"), Some("61000"), Range::Between(1000, 61_000)),
        ] {
            assert_eq!(Range::parse(range, from, to), means, "{range:?} {from:?} {to:?}");
            let query = means.query();
            let member = |name: &str| {
                let pairs = query.trim_start_matches('?').split('&');
                pairs
                    .filter_map(|pair| pair.split_once('='))
                    .find(|(key, _)| *key == name)
                    .map(|(_, word)| word)
            };
            assert_eq!(Range::parse(member("range"), member("from"), member("to")), means, "{query}");
        }
    }

    #[test]
    fn nonsense_in_an_address_is_the_default() {
        for (range, from, to) in [
            (None, None, None),
            (Some(""), None, None),
            (Some("h"), None, None),
            (Some("5"), None, None),
            (Some("1y"), None, None),
            (Some("-1h"), None, None),
            (Some("1ħ"), None, None),
            (Some("99999999999999999999d"), None, None),
            (Some("99999d"), None, None),
            (Some("1s"), None, None),
            (None, Some("5"), None),
            (None, Some("x"), Some("y")),
            (None, Some("61000"), Some("1000")),
            (None, Some("-9999999"), Some("1000")),
            (None, Some("0"), Some("253402300799000")),
            (None, Some("1e3"), Some("9e9")),
        ] {
            assert_eq!(Range::parse(range, from, to), Range::default(), "{range:?} {from:?} {to:?}");
        }
        assert_eq!(Range::parse(Some("6h"), Some("9"), Some("3")), Range::Last(6 * HOUR));
    }

    #[test]
    fn a_zoom_is_in_order_in_whole_seconds_and_not_too_short() {
        assert_eq!(Range::between(100_400, 40_600), Range::Between(40_000, 101_000));
        for (one, other) in [(50_000, 50_000), (50_000, 51_000), (50_300, 50_400), (59_000, 50_000)] {
            let Range::Between(from, to) = Range::between(one, other) else { unreachable!() };
            assert!(to - from >= SHORTEST && from <= one.min(other) && to >= one.max(other), "{from} {to}");
            assert_eq!((from % SECOND, to % SECOND), (0, 0));
        }
    }

    #[test]
    fn only_what_has_not_ended_follows() {
        assert!(Range::Last(HOUR).follows(5));
        assert!(Range::Between(0, 10).follows(5));
        assert!(!Range::Between(0, 10).follows(10));
        assert_eq!(Range::Last(3).at(10), (7, 10));
    }

    #[test]
    fn titles_and_words_are_short() {
        let title = |range: Range| range.title(1_700_000_000_000, |_| 0);
        assert_eq!(title(Range::Last(DAY)), "24 h");
        assert_eq!(title(Range::Last(3 * HOUR)), "last 3 h");
        let (from, to) = (1_700_000_000_000, 1_700_003_600_000);
        assert_eq!(title(Range::Between(from, to)), "14 Nov 22:13 – 23:13");
        for (millis, wanted) in
            [(90 * MINUTE, "90m"), (2 * DAY, "2d"), (36 * HOUR, "36h"), (61 * SECOND, "61s")]
        {
            assert_eq!(word(millis), wanted);
            assert_eq!(length(wanted), Some(millis));
        }
    }
}
