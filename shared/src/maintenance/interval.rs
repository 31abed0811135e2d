//! Alertmanager's `time_intervals`: times of day, weekdays, days of the month, months, years, in a place.

use serde::Deserialize;

use super::{Span, Zone};
use crate::calendar::{civil, days};
use crate::health::UnixMillis;

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;
/// The minutes of a day.
const WHOLE_DAY: i64 = 1440;
/// How far it is looked back for the beginning of a span, and ahead for the next.
const BACK: i64 = 62 * DAY;
const AHEAD: i64 = 5 * 366 * DAY;

const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A time interval as it is written. What is left out holds always; all that is there must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntervalSpec {
    /// Times of day.
    pub times: Vec<TimeRangeSpec>,
    /// `saturday`, `monday:friday`.
    pub weekdays: Vec<String>,
    /// `1`, `1:7`, `-3:-1`: below 0 counts from the month's end.
    pub days_of_month: Vec<String>,
    /// `december`, `12`, `june:august`.
    pub months: Vec<String>,
    /// `2026`, `2026:2028`.
    pub years: Vec<String>,
    /// The place whose clocks count: `UTC`, `+02:00`, `Europe/Berlin`; UTC where it is left out.
    pub location: String,
}

/// A time of day, from and until; the end is outside of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRangeSpec {
    /// `22:00`
    pub start_time: String,
    /// `24:00` is the end of the day.
    pub end_time: String,
}

/// From and to, both within.
type Range = (i64, i64);

/// A time interval that is understood.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeInterval {
    /// Minutes of the day, in order, none touching another.
    times: Vec<Range>,
    weekdays: Vec<Range>,
    days_of_month: Vec<Range>,
    months: Vec<Range>,
    years: Vec<Range>,
    zone: Zone,
}

impl TimeInterval {
    /// What an interval means.
    ///
    /// # Errors
    /// In words, for what Alertmanager would refuse.
    pub fn new(spec: &IntervalSpec) -> Result<Self, String> {
        let all =
            |texts: &[String], read: &dyn Fn(&str) -> Result<i64, String>| -> Result<Vec<Range>, String> {
                texts.iter().map(|text| range(text, read)).collect()
            };
        let times: Vec<Range> = spec.times.iter().map(times_of).collect::<Result<_, _>>()?;
        let interval = Self {
            times: if times.is_empty() { vec![(0, WHOLE_DAY)] } else { joined(times) },
            weekdays: all(&spec.weekdays, &|text| named(text, &WEEKDAYS, "weekday"))?,
            days_of_month: all(&spec.days_of_month, &day_of_month)?,
            months: all(&spec.months, &month)?,
            years: all(&spec.years, &|text| number(text, 1970..=9999, "year"))?,
            zone: Zone::parse(&spec.location)?,
        };
        for (list, ranges, texts) in [
            ("weekdays", &interval.weekdays, &spec.weekdays),
            ("months", &interval.months, &spec.months),
            ("years", &interval.years, &spec.years),
        ] {
            if let Some(index) = ranges.iter().position(|(from, to)| from > to) {
                let text = &texts[index];
                return Err(format!("`{text}` of `{list}` ends before it begins: write two of them"));
            }
        }
        for ((from, to), text) in interval.days_of_month.iter().zip(&spec.days_of_month) {
            if (*from > 0) == (*to > 0) && from > to {
                return Err(format!("`{text}` of `days_of_month` ends before it begins"));
            }
            if *from < 0 && *to > 0 {
                let hint = "from a day counted from the month's end to one counted from its begin";
                return Err(format!("`{text}` of `days_of_month` goes {hint}"));
            }
        }
        Ok(interval)
    }

    /// Whether a moment is within.
    pub fn contains(&self, at: UnixMillis) -> bool {
        let local = at + self.zone.offset(at).0;
        let minute = local.rem_euclid(DAY).div_euclid(MINUTE);
        self.has_day(local.div_euclid(DAY))
            && self.times.iter().any(|(from, to)| (*from..*to).contains(&minute))
    }

    /// Whether a day, counted from 1970, is within.
    fn has_day(&self, day: i64) -> bool {
        let (year, month, date) = civil(day);
        let length = days(year, month + 1, 1) - days(year, month, 1);
        let within = |ranges: &[Range], value: i64| {
            ranges.is_empty() || ranges.iter().any(|(from, to)| (*from..=*to).contains(&value))
        };
        let dated = self.days_of_month.is_empty()
            || self.days_of_month.iter().any(|(from, to)| {
                let of_month = |day: i64| if day < 0 { length + day + 1 } else { day };
                (of_month(*from)..=of_month(*to)).contains(&date)
            });
        // 1 January 1970 was a Thursday.
        let weekday = (day + 4).rem_euclid(7);
        dated && within(&self.weekdays, weekday) && within(&self.months, month) && within(&self.years, year)
    }

    /// The span that holds `at`, else the next within some years.
    pub(super) fn next(&self, at: UnixMillis) -> Option<Span> {
        let (first, last) = (at.saturating_sub(BACK), at.saturating_add(AHEAD));
        let mut found: Option<(UnixMillis, UnixMillis)> = None;
        // As long as clocks are not changed, the local time is the time and a constant.
        let mut from = first;
        'all: while from < last {
            let (offset, change) = self.zone.offset(from);
            let until = change.unwrap_or(last).min(last);
            for day in (from + offset).div_euclid(DAY)..=(until - 1 + offset).div_euclid(DAY) {
                if !self.has_day(day) {
                    continue;
                }
                for (start, end) in &self.times {
                    let local = |minute: i64| day * DAY + minute * MINUTE - offset;
                    let (start, end) = (local(*start).max(from), local(*end).min(until));
                    match &mut found {
                        _ if start >= end => {}
                        Some((_, held)) if *held >= start => *held = (*held).max(end),
                        Some((_, held)) if *held > at => break 'all,
                        found => *found = Some((start, end)),
                    }
                }
            }
            from = until;
        }
        let (start, end) = found.filter(|(_, end)| *end > at)?;
        let start = (start > first).then_some(start);
        Some(Span { start, end: (end < last).then_some(end) })
    }
}

/// In order, and those that touch as one.
fn joined(mut times: Vec<Range>) -> Vec<Range> {
    times.sort_unstable();
    let mut all: Vec<Range> = Vec::new();
    for (from, to) in times {
        match all.last_mut() {
            Some((_, held)) if *held >= from => *held = (*held).max(to),
            _ => all.push((from, to)),
        }
    }
    all
}

fn times_of(spec: &TimeRangeSpec) -> Result<Range, String> {
    let (from, to) = (time_of_day(&spec.start_time)?, time_of_day(&spec.end_time)?);
    if from >= to {
        return Err(format!(
            "{} to {} ends before it begins: over midnight it takes two, one until 24:00 and one from 00:00",
            spec.start_time, spec.end_time
        ));
    }
    Ok((from, to))
}

fn time_of_day(text: &str) -> Result<i64, String> {
    let read = || {
        let (hour, minute) = text.split_once(':')?;
        let two = |text: &str| {
            (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<i64>().ok())?
        };
        let (hour, minute) = (two(hour)?, two(minute)?);
        let whole = hour * 60 + minute;
        (minute < 60 && whole <= WHOLE_DAY).then_some(whole)
    };
    read().ok_or_else(|| format!("`{text}` is no time of day; write 00:00 to 24:00"))
}

fn range(text: &str, read: &dyn Fn(&str) -> Result<i64, String>) -> Result<Range, String> {
    match text.split_once(':') {
        Some((from, to)) => Ok((read(from.trim())?, read(to.trim())?)),
        None => read(text.trim()).map(|value| (value, value)),
    }
}

fn named(text: &str, names: &[&str], what: &str) -> Result<i64, String> {
    let place = names.iter().position(|name| name.eq_ignore_ascii_case(text));
    place
        .and_then(|place| i64::try_from(place).ok())
        .ok_or_else(|| format!("`{text}` is no {what}; they are {}", names.join(", ")))
}

fn month(text: &str) -> Result<i64, String> {
    match text.parse::<i64>() {
        Ok(_) => number(text, 1..=12, "month"),
        Err(_) => named(text, &MONTHS, "month").map(|place| place + 1),
    }
}

fn day_of_month(text: &str) -> Result<i64, String> {
    let day = number(text, -31..=31, "day of a month")?;
    if day == 0 { Err("`0` is no day of a month; -1 is the last".to_owned()) } else { Ok(day) }
}

fn number(text: &str, within: std::ops::RangeInclusive<i64>, what: &str) -> Result<i64, String> {
    let number = text.parse::<i64>().ok().filter(|number| within.contains(number));
    number.ok_or_else(|| format!("`{text}` is no {what} from {} to {}", within.start(), within.end()))
}
