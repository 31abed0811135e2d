//! Slash risks: how far a value is from its bound, where it is going, and what a breach costs. Pure: values,
//! bounds and the time come in.
//!
//! | module | gives |
//! |---|---|
//! | this file | [`Watch`], and [`headroom`] |
//! | [`predict`] | when the bound is crossed if things go on as they do |
//! | [`Line`] | the robust line through the last values, with its uncertainty |
//! | [`worst_first`] | the one order of risks |
//! | [`settled`] | an outlook that does not flicker |
//! | [`at_stake`] | what a breach costs, digit for digit |

mod climbs;
mod line;
mod order;
mod predict;
mod settle;
mod stake;

pub use line::Line;
pub use order::worst_first;
pub use predict::{Prediction, deadline, predict};
pub use settle::settled;
pub use stake::{Staked, at_stake};

/// On which side of its bound a value is a risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// A value above the bound.
    Above,
    /// A value below the bound.
    Below,
}

/// How a value moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Up and down.
    Gauge,
    /// Up only; a fall is a restart, and counts as nothing.
    Counter,
    /// Yes or no: nothing leads there.
    Flag,
}

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watch {
    /// Where the risk lies.
    pub side: Side,
    /// The bound.
    pub bound: f64,
    /// How the value moves.
    pub kind: Kind,
    /// Values older than this say nothing about where it is going.
    pub window_ms: i64,
}

impl Watch {
    /// Whether a value is beyond the bound.
    pub fn is_breached(&self, value: f64) -> bool {
        match self.side {
            Side::Above => value > self.bound,
            Side::Below => value < self.bound,
        }
    }
}

/// Less than this is not told apart: a value a hundred times beyond its bound.
const FURTHEST: f64 = -100.0;
/// Parts smaller than this are not told apart.
const PRECISION: f64 = 1e-4;

/// The part of the way to the bound that is left: 1 is as far from it as can be, 0 is at it, less is beyond.
/// `None` where there is no way: of a yes or no, and of a bound of 0, where nothing at all is allowed.
///
/// Below an upper bound the way is from 0 to the bound. Above a lower bound it has no beginning: half of it is left at
/// twice the bound, nine tenths at ten times.
pub fn headroom(watch: &Watch, value: f64) -> Option<f64> {
    let bound = watch.bound;
    if watch.kind == Kind::Flag || bound == 0.0 || !bound.is_finite() || value.is_nan() {
        return None;
    }
    let part = match watch.side {
        Side::Above => (bound - value) / bound.abs(),
        Side::Below if bound < 0.0 => (value - bound) / bound.abs(),
        Side::Below if value == f64::INFINITY => 1.0,
        Side::Below => (value - bound) / value.max(bound),
    };
    Some((part.clamp(FURTHEST, 1.0) / PRECISION).round() * PRECISION)
}

/// The value that has a headroom: the way back. `None` where there is none.
pub fn value_at(watch: &Watch, headroom: f64) -> Option<f64> {
    let bound = watch.bound;
    if watch.kind == Kind::Flag || bound == 0.0 || !headroom.is_finite() {
        return None;
    }
    Some(match watch.side {
        Side::Above => bound - headroom * bound.abs(),
        Side::Below if bound < 0.0 => bound + headroom * bound.abs(),
        Side::Below if headroom < 0.0 => bound + headroom * bound,
        // What is further than can be told apart is just as far.
        Side::Below => bound / (1.0 - headroom.min(1.0 - PRECISION / 2.0)),
    })
}

/// How much of the past a prediction looks at: what a value did in four windows is its habit, but no more than an
/// hour, which is in memory.
pub fn history_ms(window_ms: i64) -> i64 {
    const HOUR_MS: i64 = 3_600_000;
    window_ms.saturating_mul(predict::HABIT).min(window_ms.max(HOUR_MS))
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
