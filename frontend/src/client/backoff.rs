//! How long to wait before the next try to reach the proxy.

/// Doubles from one second to thirty; up to a quarter is taken off at random, so that a hundred open
/// dashboards do not come back in the same instant.
///
/// `attempt` counts failures in a row from 1; `random` is in 0..1.
pub(super) fn delay_ms(attempt: u32, random: f64) -> i64 {
    let full = 1000_i64 << attempt.saturating_sub(1).min(5);
    let full = full.min(30_000);
    full - (full as f64 / 4.0 * random) as i64
}

#[cfg(test)]
mod tests {
    use super::delay_ms;

    #[test]
    fn waits_grow_to_half_a_minute_and_never_vanish() {
        let waits: Vec<_> = (1..9).map(|attempt| delay_ms(attempt, 0.0)).collect();
        assert_eq!(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(delay_ms(1, 1.0), 750);
        assert_eq!(delay_ms(u32::MAX, 0.0), 30_000);
        assert_eq!(delay_ms(0, 0.0), 1000);
    }
}
