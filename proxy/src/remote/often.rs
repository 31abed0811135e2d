//! What happens often and is said seldom.

use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_secs(60);

/// Something that is said at most once a minute.
#[derive(Debug, Default)]
pub(super) struct Often {
    said: Option<Instant>,
    unsaid: u64,
}

impl Often {
    /// It happened. Gives how often it was not said since it last was, when it is to be said now.
    pub(super) fn due(&mut self, now: Instant) -> Option<u64> {
        if self.said.is_some_and(|said| now.duration_since(said) < EVERY) {
            self.unsaid += 1;
            return None;
        }
        self.said = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_at_once_and_then_once_a_minute() {
        let (mut often, start) = (Often::default(), crate::clock::monotonic());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(often.due(at(0)), Some(0));
        assert_eq!((often.due(at(1)), often.due(at(59))), (None, None));
        assert_eq!(often.due(at(60)), Some(2));
        assert_eq!(often.due(at(200)), Some(0));
    }
}
