//! How long to wait before a request is sent again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(30);
const LONGEST: Duration = Duration::from_secs(5);
/// A receiver that asks for more than this is asked again all the same.
const MOST_OBEYED: Duration = Duration::from_secs(300);

/// Doubles with each failure, as Prometheus's does, and is spread so that senders do not come back together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The next wait. `chance` is from 0 to 1; `asked` is what the receiver asks for (`Retry-After`).
    pub(super) fn next(&mut self, chance: f64, asked: Option<Duration>) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures += 1;
        let spread = doubled.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0));
        asked.map_or(spread, |asked| asked.min(MOST_OBEYED) + spread)
    }
}

/// From 0 to 1.
pub(super) fn chance() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness senders only come back together.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(chance: f64) -> Vec<u128> {
        let mut backoff = Backoff::default();
        (0..10).map(|_| backoff.next(chance, None).as_millis()).collect()
    }

    #[test]
    fn waits_double_up_to_five_seconds_and_are_spread() {
        assert_eq!(waits(1.0), [30, 60, 120, 240, 480, 960, 1920, 3840, 5000, 5000]);
        assert_eq!(waits(0.0), [15, 30, 60, 120, 240, 480, 960, 1920, 2500, 2500]);
        let mut backoff = Backoff { failures: u32::MAX - 1 };
        assert_eq!(backoff.next(1.0, None), LONGEST);
    }

    #[test]
    fn a_receiver_that_asks_for_time_gets_it_within_reason() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next(1.0, Some(Duration::from_secs(7))).as_millis(), 7030);
        assert_eq!(backoff.next(1.0, Some(Duration::from_secs(86_400))).as_millis(), 300_060);
    }

    #[test]
    fn chance_is_a_share() {
        assert!((0..100).all(|_| (0.0..=1.0).contains(&chance())));
    }
}
