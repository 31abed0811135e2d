//! The one place that reads a clock; everything else is told the time.
#![allow(clippy::disallowed_methods)]

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fleetglass_shared::health::UnixMillis;

/// The wall clock, in milliseconds since the Unix epoch; 0 before it.
pub fn now() -> UnixMillis {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| UnixMillis::try_from(since.as_millis()).unwrap_or(UnixMillis::MAX))
}

/// A point of the monotonic clock, for durations.
pub fn monotonic() -> Instant {
    Instant::now()
}
