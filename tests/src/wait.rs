//! Waiting for something to come true: looked at again and again until a deadline, never a fixed sleep.

use std::time::Duration;

/// How long anything may take on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Looks until `look` gives something, and gives that. `look` says what it sees while it is not there.
///
/// # Panics
/// After [`PATIENCE`], with what was seen last.
pub async fn eventually<T>(what: &str, look: impl AsyncFnMut() -> Result<T, String>) -> T {
    within(PATIENCE, what, look).await
}

/// As [`eventually`], with another patience.
///
/// # Panics
/// After that, with what was seen last.
pub async fn within<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let mut seen = String::from("nothing yet");
    let looking = async {
        loop {
            match look().await {
                Ok(found) => return found,
                Err(now) => seen = now,
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let outcome = tokio::time::timeout(patience, looking).await;
    outcome.unwrap_or_else(|_| panic!("{what}: not so after {} s; last seen: {seen}", patience.as_secs()))
}
