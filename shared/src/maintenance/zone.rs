//! Time zones: how far a place's clocks are from UTC, and until when.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::health::UnixMillis;

/// Where clocks are read.
#[derive(Clone, Debug, PartialEq)]
pub enum Zone {
    /// Always so many milliseconds ahead of UTC.
    Fixed(i64),
    /// As the IANA database has it; it comes with the program.
    Named(TimeZone),
}

impl Zone {
    /// `UTC`, `+02:00`, or a name such as `Europe/Berlin`; nothing is UTC.
    ///
    /// # Errors
    /// In words, when there is no such zone.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() || text.eq_ignore_ascii_case("utc") {
            return Ok(Self::Fixed(0));
        }
        if let Some(offset) = fixed(text) {
            return Ok(Self::Fixed(offset));
        }
        TimeZone::get(text).map(Self::Named).map_err(|_| {
            format!("`{text}` is no time zone; write UTC, an offset as +02:00, or a name as Europe/Berlin")
        })
    }

    /// How far ahead of UTC its clocks are, and when that next changes.
    pub(super) fn offset(&self, at: UnixMillis) -> (i64, Option<UnixMillis>) {
        match self {
            Self::Fixed(offset) => (*offset, None),
            Self::Named(zone) => {
                let Ok(time) = Timestamp::from_millisecond(at) else { return (0, None) };
                let change = zone.following(time).next().map(|change| change.timestamp().as_millisecond());
                (i64::from(zone.to_offset(time).seconds()) * 1000, change)
            }
        }
    }
}

/// `+02:00` in milliseconds.
fn fixed(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let two = |text: &str, most: i64| {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<i64>().ok())
            .flatten()
            .filter(|number| *number <= most)
    };
    let span = SignedDuration::from_mins(two(hours, 14)? * 60 + two(minutes, 59)?);
    i64::try_from(span.as_millis()).ok().map(|millis| sign * millis)
}
