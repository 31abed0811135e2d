//! The one place that reads a clock; everything else is told the time.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fleetglass_shared::health::UnixMillis;

/// The wall clock, in milliseconds since the Unix epoch; 0 before it.
pub fn now() -> UnixMillis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| UnixMillis::try_from(since.as_millis()).unwrap_or(UnixMillis::MAX))
}

/// A time as Prometheus's and Alertmanager's APIs write it; the beginning of their calendar where there is none.
pub fn rfc3339(at: Option<UnixMillis>) -> String {
    let since = at.and_then(|at| u64::try_from(at).ok()).map(Duration::from_millis);
    let at = since.and_then(|since| UNIX_EPOCH.checked_add(since));
    at.map_or_else(
        || "0001-01-01T00:00:00Z".to_owned(),
        |at| humantime::format_rfc3339_millis(at).to_string(),
    )
}

/// A point of the monotonic clock, for durations.
pub fn monotonic() -> Instant {
    Instant::now()
}
