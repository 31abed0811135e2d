//! The one place in this crate that reads a clock, and how a duration is written.

use std::time::{Duration, Instant};

/// Measures from its making until now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring.
    #[expect(clippy::disallowed_methods, reason = "the one clock of this crate")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// How long it has run.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

impl std::fmt::Display for Stopwatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&words(self.elapsed()))
    }
}

/// Waits; this crate has threads and no runtime.
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// A duration as a person reads it: `40 ms`, `3.2 s`, `42 s`, `3 min 20 s`.
pub(crate) fn words(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 {
        format!("{} ms", time.as_millis())
    } else if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 59.5 {
        format!("{seconds:.0} s")
    } else {
        let whole = seconds.round() as u64;
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_a_person_writes_them() {
        let cases =
            [(40, "40 ms"), (3_200, "3.2 s"), (9_970, "10 s"), (42_000, "42 s"), (200_400, "3 min 20 s")];
        for (ms, expected) in cases {
            assert_eq!(words(Duration::from_millis(ms)), expected);
        }
    }
}
