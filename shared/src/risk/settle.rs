//! An outlook that does not flicker: what is told again only when it says something else.

use crate::health::UnixMillis;
use crate::wire::Outlook;

/// A time that moved by less than this part of the time left is the same time …
const SAME: f64 = 0.02;
/// … and an end of its uncertainty by this part.
const SAME_EDGE: f64 = 0.1;
/// And any by less than this.
const SAME_MS: f64 = 1000.0;
/// A slope that changed by less than this part is the same slope.
const SAME_SLOPE: f64 = 0.05;

/// An outlook as it is told, after another one: where it says nearly the same, it says the same.
pub fn settled(before: Option<&Outlook>, new: Outlook, now: UnixMillis) -> Outlook {
    let Some(before) = before.filter(|before| before.trend == new.trend && before.exact == new.exact) else {
        return Outlook { slope: new.slope.map(rounded), ..new };
    };
    if new.exact {
        return new;
    }
    let time = |old: Option<UnixMillis>, new: Option<UnixMillis>, part: f64| match (old, new) {
        (Some(old), Some(new)) => {
            let left = new.saturating_sub(now).max(0) as f64;
            let moved = new.abs_diff(old) as f64;
            Some(if moved <= (left * part).max(SAME_MS) { old } else { new })
        }
        (_, new) => new,
    };
    let breach_at = time(before.breach_at, new.breach_at, SAME);
    let earliest = time(before.earliest, new.earliest, SAME_EDGE).map(|at| at.min(breach_at.unwrap_or(at)));
    let latest = time(before.latest, new.latest, SAME_EDGE).map(|at| at.max(breach_at.unwrap_or(at)));
    let slope = match (before.slope, new.slope) {
        (Some(old), Some(new)) if (new - old).abs() <= old.abs() * SAME_SLOPE => Some(old),
        (_, new) => new.map(rounded),
    };
    Outlook { slope, breach_at, earliest, latest, ..new }
}

/// Three digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powi(2 - value.abs().log10().floor() as i32);
    let short = (value * scale).round() / scale;
    if short.is_finite() { short } else { value }
}
