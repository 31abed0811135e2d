//! How often somebody may ask to be told: by visitor, by page, and by address.

use std::collections::HashMap;

use fleetglass_shared::health::UnixMillis;

const HOUR_MS: i64 = 3_600_000;
/// So much is remembered; beyond it nobody is let in until the hour is over.
const MOST_KEYS: usize = 20_000;

/// What was let in during the last hour.
#[derive(Debug, Default)]
pub(super) struct Limits(HashMap<String, Vec<UnixMillis>>);

impl Limits {
    /// Whether one more is let in, of at most so many an hour; counts it then.
    pub(super) fn allows(&mut self, key: &str, most: usize, now: UnixMillis) -> bool {
        let is_recent = |at: &UnixMillis| now - *at < HOUR_MS && *at <= now;
        if self.0.len() >= MOST_KEYS && !self.0.contains_key(key) {
            self.0.retain(|_, times| times.iter().any(is_recent));
            if self.0.len() >= MOST_KEYS {
                return false;
            }
        }
        let times = self.0.entry(key.to_owned()).or_default();
        times.retain(is_recent);
        let allows = times.len() < most;
        if allows {
            times.push(now);
        }
        allows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_an_hour_each() {
        let mut limits = Limits::default();
        assert!(limits.allows("a", 2, 0) && limits.allows("a", 2, 10) && !limits.allows("a", 2, 20));
        assert!(limits.allows("b", 2, 20));
        assert!(limits.allows("a", 2, HOUR_MS), "the first is an hour ago");
        assert!(!limits.allows("a", 2, HOUR_MS + 5));
    }

    #[test]
    fn a_flood_of_keys_does_not_fill_the_memory() {
        let mut limits = Limits::default();
        (0..MOST_KEYS).for_each(|n| assert!(limits.allows(&n.to_string(), 1, 0)));
        assert!(!limits.allows("more", 1, 1));
        assert!(limits.allows("more", 1, HOUR_MS + 1));
        assert_eq!(limits.0.len(), 1);
    }
}
