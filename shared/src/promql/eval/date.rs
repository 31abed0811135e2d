//! Parts of a date, in UTC.

use crate::calendar::civil;
use crate::promql::function::Map;

const DAY: i64 = 86_400;

/// A part of the date at some Unix seconds; NaN for a time that no calendar has.
pub(super) fn part(map: Map, seconds: f64) -> f64 {
    // Further off a year has more digits than an f64 needs to show.
    if seconds.is_nan() || seconds.abs() > 1e15 {
        return f64::NAN;
    }
    let seconds = seconds.trunc() as i64;
    let days = seconds.div_euclid(DAY);
    let of_day = seconds.rem_euclid(DAY);
    let (year, month, day) = civil(days);
    (match map {
        Map::Hour => of_day / 3600,
        Map::Minute => of_day / 60 % 60,
        // 1970 began on a Thursday.
        Map::DayOfWeek => (days + 4).rem_euclid(7),
        Map::DayOfMonth => day,
        Map::DayOfYear => days - days_to(year, 1, 1) + 1,
        Map::DaysInMonth => {
            let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            days_to(next_year, next, 1) - days_to(year, month, 1)
        }
        Map::Month => month,
        Map::Year => year,
        _ => return f64::NAN,
    }) as f64
}

/// The day of a date, counted from 1970.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let at = |map, seconds| part(map, seconds);
        assert_eq!(at(Map::Year, 1_136_239_445.0), 2006.0);
        assert_eq!(at(Map::DayOfYear, 1_483_191_420.0), 366.0);
        assert_eq!(at(Map::DaysInMonth, 1_454_284_800.0), 29.0);
        assert_eq!((at(Map::Month, -1.0), at(Map::DayOfMonth, -86_401.0)), (12.0, 30.0));
        for days in (-1_000_000..1_000_000).step_by(997) {
            let (year, month, day) = civil(days);
            assert_eq!(days_to(year, month, day), days);
        }
    }
}
