//! A time in a form given by example, as Go does: the example is `Mon Jan 2 15:04:05 MST 2006`.

use std::fmt::Write;

use super::Time;

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The parts of the example. Of two that begin alike the longer stands first.
const PARTS: [&str; 36] = [
    "January",
    "Jan",
    "Monday",
    "Mon",
    "MST",
    "2006",
    "__2",
    "_2006",
    "_2",
    "002",
    "01",
    "02",
    "03",
    "04",
    "05",
    "06",
    "15",
    "1",
    "2",
    "3",
    "4",
    "5",
    "PM",
    "pm",
    "Z07:00:00",
    "Z070000",
    "Z07:00",
    "Z0700",
    "Z07",
    "-07:00:00",
    "-070000",
    "-07:00",
    "-0700",
    "-07",
    ".",
    ",",
];

pub(super) fn format(time: Time, layout: &str) -> String {
    let mut out = String::with_capacity(layout.len());
    let mut rest = layout;
    while let Some(c) = rest.chars().next() {
        let found = PARTS.iter().find(|part| rest.starts_with(**part) && is_whole(part, &rest[part.len()..]));
        match found {
            Some(&("." | ",")) => {
                let digits = fraction(rest);
                write_fraction(time, &rest[..digits], &mut out);
                rest = &rest[digits..];
            }
            Some(part) => {
                // Writing to a String never fails.
                let _ = write_part(time, part, &mut out);
                rest = &rest[part.len()..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// Whether a part ends where it seems to: `Jan` in `Janet` is no month, and a point is a part only before
/// the digits of a fraction.
fn is_whole(part: &str, after: &str) -> bool {
    match part {
        "Jan" | "Mon" => !after.starts_with(|c: char| c.is_ascii_lowercase()),
        "." | "," => {
            let digit = if after.starts_with('9') { '9' } else { '0' };
            let rest = after.trim_start_matches(digit);
            rest.len() < after.len() && !rest.starts_with(|c: char| c.is_ascii_digit())
        }
        _ => true,
    }
}

/// The length of a point with the zeros or nines after it.
fn fraction(text: &str) -> usize {
    text[1..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |end| end + 1)
}

/// `.000` has as many digits as zeros, `.999` leaves zeros at its end out.
fn write_fraction(time: Time, part: &str, out: &mut String) {
    let wanted = part.len() - 1;
    let mut digits = format!("{:09}", time.nanosecond());
    digits.truncate(wanted);
    while digits.len() < wanted {
        digits.push('0');
    }
    if part.ends_with('9') {
        digits.truncate(digits.trim_end_matches('0').len());
        if digits.is_empty() {
            return;
        }
    }
    out.push_str(&part[..1]);
    out.push_str(&digits);
}

fn write_part(time: Time, part: &str, out: &mut String) -> std::fmt::Result {
    let (year, month, day) = time.date();
    let (hour, minute, second) = time.clock();
    let half = match hour % 12 {
        0 => 12,
        hour => hour,
    };
    match part {
        "January" => out.push_str(time.month_name()),
        "Jan" => out.push_str(&time.month_name()[..3]),
        "Monday" => out.push_str(time.weekday_name()),
        "Mon" => out.push_str(&time.weekday_name()[..3]),
        "MST" => out.push_str("UTC"),
        "2006" => write!(out, "{year:04}")?,
        "_2006" => write!(out, "_{year:04}")?,
        "06" => write!(out, "{:02}", year.rem_euclid(100))?,
        "1" => write!(out, "{month}")?,
        "01" => write!(out, "{month:02}")?,
        "2" => write!(out, "{day}")?,
        "_2" => write!(out, "{day:2}")?,
        "02" => write!(out, "{day:02}")?,
        "__2" => write!(out, "{:3}", time.year_day())?,
        "002" => write!(out, "{:03}", time.year_day())?,
        "15" => write!(out, "{hour:02}")?,
        "3" => write!(out, "{half}")?,
        "03" => write!(out, "{half:02}")?,
        "4" => write!(out, "{minute}")?,
        "04" => write!(out, "{minute:02}")?,
        "5" => write!(out, "{second}")?,
        "05" => write!(out, "{second:02}")?,
        "PM" => out.push_str(if hour < 12 { "AM" } else { "PM" }),
        "pm" => out.push_str(if hour < 12 { "am" } else { "pm" }),
        // The time is in UTC, so no offset has any digit but 0.
        part if part.starts_with('Z') => out.push('Z'),
        part => out.extend(part.chars().map(|c| match c {
            '-' => '+',
            '7' => '0',
            c => c,
        })),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        let time = Time::from_unix_ms(1_435_065_584_128);
        for (layout, text) in [
            ("Mon Jan _2 15:04:05 2006", "Tue Jun 23 13:19:44 2015"),
            ("Monday, 02-Jan-06 15:04:05 MST", "Tuesday, 23-Jun-15 13:19:44 UTC"),
            ("2006-01-02T15:04:05.999999999Z07:00", "2015-06-23T13:19:44.128Z"),
            ("3:04PM 03 3 4 5 pm", "1:19PM 01 1 19 44 pm"),
            ("-0700 -07:00 -07 Z0700", "+0000 +00:00 +00 Z"),
            ("05.00 05,000000 .9", "44.12 44,128000 .1"),
            ("Janet Jan. 002 __2 é", "Janet Jun. 174 174 é"),
            ("", ""),
        ] {
            assert_eq!(format(time, layout), text);
        }
    }
}
