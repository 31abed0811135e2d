//! Which risk is worse: one order for every list.

use std::cmp::Ordering;

use crate::wire::{Risk, Trend};

/// With less than this part of the way left a value is near its bound, even where it stands still.
const NEAR: f64 = 0.2;

/// The order of risks, the worst first: what is beyond its bound and critical, then other breaches; what is on its way
/// there, by the time left; what is near, by the way left; what the node does not expose, since that is not safe;
/// at last what stands still.
pub fn worst_first(a: &Risk, b: &Risk) -> Ordering {
    rank(a)
        .cmp(&rank(b))
        .then_with(|| time(a).cmp(&time(b)))
        .then_with(|| way(a).total_cmp(&way(b)))
        .then_with(|| severity(a).cmp(&severity(b)))
}

fn rank(risk: &Risk) -> u8 {
    let trend = risk.outlook.as_ref().map(|outlook| outlook.trend);
    match trend {
        _ if risk.value.is_none() => 5,
        _ if risk.firing && severity(risk) == 2 => 3,
        _ if risk.firing => severity(risk),
        Some(Trend::Approaching) => 2,
        _ if way(risk) < NEAR => 4,
        Some(Trend::Recovering | Trend::Breached) => 4,
        Some(Trend::Steady | Trend::TooLittleData) | None => 6,
    }
}

/// 0 is the worst.
fn severity(risk: &Risk) -> u8 {
    match risk.severity.as_str() {
        "critical" => 0,
        "warning" => 1,
        _ => 2,
    }
}

fn time(risk: &Risk) -> i64 {
    let outlook = risk.outlook.as_ref().filter(|outlook| outlook.trend == Trend::Approaching);
    outlook.and_then(|outlook| outlook.breach_at).unwrap_or(i64::MAX)
}

/// What has no way has all of it left while it is well.
fn way(risk: &Risk) -> f64 {
    risk.headroom.unwrap_or(1.0)
}
