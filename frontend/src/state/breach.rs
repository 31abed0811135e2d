//! How long it is until a slash risk crosses its bound. Pure.

use fleetglass_shared::format::{duration_ms, duration_seconds};
use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::wire::Risk;

/// A breach nearer than this needs a person now.
const SOON_MS: i64 = 10 * 60_000;

/// When the bound is crossed, while it is on its way there.
pub fn breach_at(risk: &Risk) -> Option<UnixMillis> {
    risk.outlook.as_ref()?.breach_at.filter(|_| !risk.firing)
}

/// Whether it is crossed within minutes.
pub fn is_soon(risk: &Risk, now: UnixMillis) -> bool {
    breach_at(risk).is_some_and(|at| at - now < SOON_MS)
}

/// `breach in 4 min 12 s`; with seconds where they count.
pub fn breach_in(at: UnixMillis, now: UnixMillis) -> String {
    match at - now {
        ..1000 => "breach now".to_owned(),
        left @ ..SOON_MS => format!("breach in {}", duration_seconds((left / 1000) as f64)),
        left => format!("breach in {}", duration_ms(left)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn risk(firing: bool, outlook: Value) -> Risk {
        let mut risk = json!({"name": "r", "title": "R", "severity": "critical", "bound": 1.0, "meaning": "",
            "action": "", "firing": firing});
        if !outlook.is_null() {
            risk["outlook"] = outlook;
        }
        serde_json::from_value(risk).unwrap()
    }

    #[test]
    fn only_what_is_on_its_way_has_a_countdown() {
        let approaching = json!({"trend": "approaching", "breach_at": 600_000});
        assert_eq!(breach_at(&risk(false, approaching.clone())), Some(600_000));
        assert_eq!(breach_at(&risk(true, approaching.clone())), None, "it is crossed");
        assert_eq!(breach_at(&risk(false, json!({"trend": "steady"}))), None);
        assert_eq!(breach_at(&risk(false, Value::Null)), None);
        assert!(is_soon(&risk(false, approaching.clone()), 1));
        assert!(!is_soon(&risk(false, approaching), 0), "ten minutes are left");
    }

    #[test]
    fn seconds_are_told_where_they_count() {
        assert_eq!(breach_in(252_900, 0), "breach in 4 min 12 s");
        assert_eq!(breach_in(720_000, 0), "breach in 12 min");
        assert_eq!(breach_in(7_800_000, 0), "breach in 2 h 10 min");
        assert_eq!(breach_in(59_999, 0), "breach in 59 s");
        assert_eq!(breach_in(5, 900_000), "breach now");
    }
}
