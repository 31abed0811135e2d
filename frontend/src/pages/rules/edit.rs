//! A rule as it is edited for a back-test: its expression, the threshold in it, lengths of time. Pure.

use crate::charts::{length, word};
use crate::json;

/// The number that an expression is compared with at its end: where it stands.
pub fn threshold(query: &str) -> Option<std::ops::Range<usize>> {
    let end = query.trim_end().len();
    let digits = |letter: char| letter.is_ascii_digit() || matches!(letter, '.' | 'e' | 'E' | '_');
    let mut start = end;
    for (at, letter) in query[..end].char_indices().rev() {
        let sign = matches!(letter, '-' | '+');
        // A sign belongs to the number at its begin, or after the letter of its exponent.
        let own_sign = sign
            && (query[..at].trim_end().ends_with(['<', '>', '=', '(']) || query[..at].ends_with(['e', 'E']));
        if digits(letter) || own_sign {
            start = at;
        } else {
            break;
        }
    }
    let number = &query[start..end];
    let before = query[..start].trim_end();
    let before = before.strip_suffix("bool").map_or(before, str::trim_end);
    let compared = [">", "<", "==", "!=", ">=", "<="].iter().any(|sign| before.ends_with(sign));
    (compared && json::number(number).is_finite()).then_some(start..end)
}

/// The expression with another threshold.
pub fn with_threshold(query: &str, value: &str) -> Option<String> {
    let at = threshold(query)?;
    json::number(value.trim())
        .is_finite()
        .then(|| format!("{}{}{}", &query[..at.start], value.trim(), &query[at.end..]))
}

/// A length as rule files have it: `5m`; `0s` for none.
pub fn written(seconds: f64) -> String {
    match (seconds * 1000.0) as i64 {
        0 => "0s".to_owned(),
        millis => word(millis),
    }
}

/// The seconds that such a word says; nothing says none.
pub fn seconds(text: &str) -> Option<f64> {
    match text.trim() {
        "" | "0" | "0s" | "0m" => Some(0.0),
        text => length(text).map(|millis| millis as f64 / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_stands_at_the_end() {
        for (query, number) in [
            ("lag > 5", Some("5")),
            ("sum by (a) (rate(x[5m])) >= 0.25 ", Some("0.25")),
            ("x < bool 1e-3", Some("1e-3")),
            ("x == -1", Some("-1")),
            ("a > b", None),
            ("x > 5 and y", None),
            ("sum(x) - 5", None),
            ("", None),
            ("x{a=\"5\"}", None),
        ] {
            assert_eq!(threshold(query).map(|at| &query[at]), number, "{query}");
        }
        assert_eq!(with_threshold("lag > 5", "7.5").as_deref(), Some("lag > 7.5"));
        assert_eq!(with_threshold("lag > 5", "many"), None);
        assert_eq!(with_threshold("lag", "7"), None);
    }

    #[test]
    fn lengths_are_words() {
        for (secs, word) in [(0.0, "0s"), (90.0, "90s"), (300.0, "5m"), (86_400.0, "24h")] {
            assert_eq!(written(secs), word);
            assert_eq!(seconds(word), Some(secs), "{word}");
        }
        assert_eq!((seconds(""), seconds("soon")), (Some(0.0), None));
    }
}
