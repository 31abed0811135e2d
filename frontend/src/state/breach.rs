//! How long it is until a slash risk crosses its bound. Pure.

use fleetglass_shared::attention::SOON_MS;
pub use fleetglass_shared::attention::breach_at;
use fleetglass_shared::format::{duration_ms, duration_seconds};
use fleetglass_shared::health::UnixMillis;

/// `breach in 4 min 12 s`; with seconds where they count.
pub fn breach_in(at: UnixMillis, now: UnixMillis) -> String {
    match at - now {
        ..1000 => "breach now".to_owned(),
        left @ ..SOON_MS => format!("breach in {}", duration_seconds((left / 1000) as f64)),
        left => format!("breach in {}", duration_ms(left)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_told_where_they_count() {
        assert_eq!(breach_in(252_900, 0), "breach in 4 min 12 s");
        assert_eq!(breach_in(720_000, 0), "breach in 12 min");
        assert_eq!(breach_in(7_800_000, 0), "breach in 2 h 10 min");
        assert_eq!(breach_in(59_999, 0), "breach in 59 s");
        assert_eq!(breach_in(5, 900_000), "breach now");
    }
}
