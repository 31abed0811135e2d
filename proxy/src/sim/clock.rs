//! Simulated time: everything in the simulator but its sockets gets the moment as an argument.

use std::time::Duration;

use tokio::time::Instant;

use super::node::Moment;
use crate::clock;

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
        let epoch = clock::now() as f64 / 1000.0;
        Self { started: Instant::from_std(clock::monotonic()), epoch, speed }
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
