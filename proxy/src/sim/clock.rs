//! The simulator's one clock: everything else gets the moment as an argument.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::node::Moment;

/// Simulated time: real time since the start, times a factor.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    epoch: f64,
    speed: f64,
}

impl Clock {
    /// A clock that starts now.
    pub fn start(speed: f64) -> Self {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let epoch = since_epoch.map_or(0.0, |time| time.as_secs_f64());
        Self { started: Instant::now(), epoch, speed }
    }

    /// The moment it is.
    pub fn now(&self) -> Moment {
        let t = self.started.elapsed().as_secs_f64() * self.speed;
        Moment { t, epoch: self.epoch, speed: self.speed }
    }

    /// When it is the simulated second `t`; `None`: never.
    pub fn instant_of(&self, t: f64) -> Option<Instant> {
        let real = Duration::try_from_secs_f64((t / self.speed).max(0.0)).ok()?;
        self.started.checked_add(real)
    }
}
