//! Times and numbers as a person reads them.

use fleetglass_shared::health::UnixMillis;

/// A length of time in its two largest units, e.g. `3 min`, `2 h 10 min`; never negative.
pub fn duration(millis: i64) -> String {
    let seconds = millis.max(0) / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {small_unit}"),
    };
    match () {
        () if days > 0 => two(days, "d", hours % 24, "h"),
        () if hours > 0 => two(hours, "h", minutes % 60, "min"),
        () if minutes > 0 => format!("{minutes} min"),
        () => format!("{seconds} s"),
    }
}

/// How long ago, e.g. `3 min ago`; what lies less than a second back, or ahead, is `now`.
pub fn ago(at: UnixMillis, now: UnixMillis) -> String {
    match now - at {
        ..1000 => "now".to_owned(),
        past => format!("{} ago", duration(past)),
    }
}

/// `1 node`, `3 nodes`.
pub fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::{ago, counted, duration};

    #[test]
    fn durations_have_at_most_two_units() {
        let words: Vec<_> =
            [-5, 0, 999, 59_000, 60_000, 185_000, 3_600_000, 7_800_000, 90_000_000, 86_400_000]
                .map(duration)
                .into();
        assert_eq!(
            words,
            ["0 s", "0 s", "0 s", "59 s", "1 min", "3 min", "1 h", "2 h 10 min", "1 d 1 h", "1 d"]
        );
    }

    #[test]
    fn now_is_not_zero_seconds_ago() {
        assert_eq!(ago(1000, 1500), "now");
        assert_eq!(ago(9000, 1500), "now");
        assert_eq!(ago(0, 4000), "4 s ago");
        assert_eq!(
            (counted(1, "node", "nodes"), counted(0, "node", "nodes")),
            ("1 node".into(), "0 nodes".into())
        );
    }
}
