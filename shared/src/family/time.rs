//! RFC 3339 times, as checks carry them.

use crate::health::UnixMillis;

/// Milliseconds since the Unix epoch of an RFC 3339 time, if it is one. Digits beyond milliseconds are cut.
pub(crate) fn parse_rfc3339(text: &str) -> Option<UnixMillis> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let fixed = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    if bytes.len() < 20 || fixed.iter().any(|&(at, byte)| bytes[at] != byte) {
        return None;
    }
    if !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // A leap second is written 60.
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let fraction_end = if bytes[19] == b'.' {
        20 + bytes[20..].iter().take_while(|b| b.is_ascii_digit()).count()
    } else {
        19
    };
    let millis = match fraction_end {
        19 => 0,
        20 => return None,
        end => {
            let digits: String = text[20..end].chars().chain("00".chars()).take(3).collect();
            digits.parse::<i64>().ok()?
        }
    };
    let offset_minutes = match &text[fraction_end..] {
        "Z" | "z" => 0,
        zone => {
            let sign = match zone.as_bytes().first()? {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            if zone.len() != 6 || zone.as_bytes()[3] != b':' {
                return None;
            }
            let base = fraction_end;
            sign * (number(base + 1, base + 3)? * 60 + number(base + 4, base + 6)?)
        }
    };
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some((seconds - offset_minutes * 60) * 1000 + millis)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level
/// Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse_rfc3339;

    #[test]
    fn times_with_fractions_and_offsets() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-01-02T18:32:49.291636613Z", 1_767_378_769_291),
            ("2026-01-02T18:32:49.2Z", 1_767_378_769_200),
            ("2026-01-02T19:32:49+01:00", 1_767_378_769_000),
            ("2024-02-29t23:59:60z", 1_709_251_200_000),
        ] {
            assert_eq!(parse_rfc3339(text), Some(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "now",
            "2026-01-02",
            "2026-13-02T18:32:49Z",
            "2026-01-02T18:32:49",
            "2026-01-02T18:32:49.Z",
            "2026-01-02T18:32:49+0100",
            "２026-01-02T18:32:49Z",
            "2026-01-02T18:32:49éé",
        ] {
            assert_eq!(parse_rfc3339(text), None, "{text}");
        }
    }
}
