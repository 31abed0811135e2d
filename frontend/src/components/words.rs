//! Times and numbers as a person reads them.

use fleetglass_shared::format::age;
pub use fleetglass_shared::format::{counted, whole};
use fleetglass_shared::health::UnixMillis;

/// How long ago, e.g. `3 min ago`; what lies less than a second back, or ahead, is `just now`.
pub fn ago(at: UnixMillis, now: UnixMillis) -> String {
    match now - at {
        ..1000 => "just now".to_owned(),
        _ => format!("{} ago", age(now, at)),
    }
}

#[cfg(test)]
mod tests {
    use super::{ago, counted};

    #[test]
    fn now_is_not_zero_seconds_ago() {
        assert_eq!(ago(1000, 1500), "just now");
        assert_eq!(ago(9000, 1500), "just now");
        assert_eq!(ago(0, 4000), "4 s ago");
        assert_eq!(
            (counted(1, "node", "nodes"), counted(0, "node", "nodes")),
            ("1 node".into(), "0 nodes".into())
        );
    }
}
