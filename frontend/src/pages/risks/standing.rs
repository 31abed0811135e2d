//! How a risk stands, as a shape and in words. Pure.

use fleetglass_shared::format::{self, duration_ms, duration_seconds, grouped};
use fleetglass_shared::health::{Status, UnixMillis};
use fleetglass_shared::wire::{Outlook, Risk, Stake, Trend};

use crate::state::breach::breach_at;

/// With less than this part of the way left a value is near its bound.
const NEAR: f64 = 0.2;
/// From here on seconds tell a person nothing.
const HOUR_MS: i64 = 3_600_000;

/// How a risk stands, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Beyond its bound.
    Over,
    /// On its way there.
    Approaching,
    /// Near it, and standing still.
    Near,
    /// The node does not expose its value: nobody can say that it is safe.
    Blind,
    /// Too few values to tell.
    Unclear,
    /// On its way away from the bound.
    Recovering,
    /// Neither nearer nor further.
    Steady,
}

impl Standing {
    /// How a risk stands.
    pub fn of(risk: &Risk) -> Self {
        match (&risk.value, &risk.outlook) {
            _ if risk.firing => Self::Over,
            (_, Some(outlook)) if outlook.trend == Trend::Breached => Self::Over,
            (_, Some(outlook)) if outlook.breach_at.is_some() => Self::Approaching,
            (None, _) => Self::Blind,
            (_, Some(outlook)) if outlook.trend == Trend::Approaching => Self::Approaching,
            (_, Some(outlook)) if outlook.trend == Trend::Recovering => Self::Recovering,
            _ if risk.headroom.is_some_and(|headroom| headroom < NEAR) => Self::Near,
            (_, None) => Self::Unclear,
            (_, Some(outlook)) => match outlook.trend {
                Trend::Steady => Self::Steady,
                _ => Self::Unclear,
            },
        }
    }

    /// What a person reads beside the shape.
    pub fn word(self) -> &'static str {
        match self {
            Self::Over => "over the bound",
            Self::Approaching => "approaching",
            Self::Near => "near, standing still",
            Self::Blind => "not exposed",
            Self::Unclear => "too little data",
            Self::Recovering => "recovering",
            Self::Steady => "steady",
        }
    }

    /// The outline of the shape in a box of 16 × 16, and whether it is filled.
    pub fn shape(self) -> (&'static str, bool) {
        match self {
            Self::Over => ("M3.2 3.2h9.6v9.6H3.2z", true),
            Self::Approaching => ("M3 13 12.6 3.4M5.6 3.2h7.2v7.2", false),
            Self::Near => ("M2.5 4.5h11M2.5 10h11", false),
            Self::Blind => ("M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10zM3.2 12.8 12.8 3.2", false),
            Self::Unclear => ("M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10z", false),
            Self::Recovering => ("M3 3 12.6 12.6M12.8 5.6v7.2H5.6", false),
            Self::Steady => ("M2.5 8h11", false),
        }
    }

    /// The state whose colour it has.
    pub fn colour(self, risk: &Risk) -> Status {
        match self {
            Self::Over if risk.severity == "critical" => Status::Unreachable,
            Self::Over if risk.severity == "warning" => Status::Unhealthy,
            Self::Over | Self::Approaching | Self::Near => Status::Degraded,
            Self::Blind | Self::Unclear => Status::Unknown,
            Self::Recovering | Self::Steady => Status::Healthy,
        }
    }
}

/// Parts of a bar's length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// As far as the value has come.
    pub fill: f64,
    /// Where the bound stands.
    pub bound: f64,
}

impl Bar {
    /// The bound stands at four fifths, so that there is room to go over it; a value further on presses it left.
    /// `None` where there is no way to go: a yes or no, a bound of nothing at all.
    pub fn of(risk: &Risk) -> Option<Self> {
        let headroom = risk.value.and(risk.headroom).filter(|headroom| headroom.is_finite())?;
        let way = (1.0 - headroom).max(0.0);
        let whole = way.max(1.25);
        Some(Self { fill: way / whole, bound: 1.0 / whole })
    }
}

/// `38 % left`, `20 % beyond`; nothing where there is no way to go.
pub fn room(risk: &Risk) -> Option<String> {
    let headroom = risk.value.and(risk.headroom).filter(|headroom| headroom.is_finite())?;
    // Rounded against us: 0.4 % left is not 1 % left.
    let percent = (headroom * 100.0).floor();
    Some(match percent {
        0.0.. => format!("{percent:.0} % left"),
        -999.0..0.0 => format!("{:.0} % beyond", -percent),
        _ => "far beyond".to_owned(),
    })
}

/// A countdown that a person can watch: `11 min 42 s`, from an hour on `2 h 10 min`.
pub fn countdown(at: UnixMillis, now: UnixMillis) -> String {
    match at - now {
        ..1000 => "any moment".to_owned(),
        left @ ..HOUR_MS => duration_seconds((left / 1000) as f64),
        left => duration_ms(left),
    }
}

/// How sure a countdown is: `between 9 and 18 min`; nothing where nobody said.
pub fn certainty(outlook: &Outlook, now: UnixMillis) -> Option<String> {
    if outlook.exact {
        return Some("exact: its own deadline".to_owned());
    }
    let left = |at: UnixMillis| duration_ms(at - now);
    Some(match (outlook.earliest, outlook.latest) {
        (None, None) => return None,
        (Some(earliest), None) if earliest <= now => "any time, or never".to_owned(),
        (Some(earliest), None) => format!("{} at the earliest, perhaps never", left(earliest)),
        (None, Some(latest)) => format!("{} at the latest", left(latest)),
        (Some(earliest), Some(latest)) if earliest <= now => {
            format!("any time, {} at the latest", left(latest))
        }
        (Some(earliest), Some(latest)) => between(&left(earliest), &left(latest)),
    })
}

/// `between 9 and 18 min`: a unit that both share is said once.
fn between(from: &str, to: &str) -> String {
    if from == to {
        return format!("about {from}");
    }
    let unit = |words: &str| words.split_once(' ').map(|(number, unit)| (number.to_owned(), unit.to_owned()));
    match (unit(from), unit(to)) {
        (Some((number, one)), Some((_, other))) if one == other => format!("between {number} and {to}"),
        _ => format!("between {from} and {to}"),
    }
}

/// Where it is going, in one line: `in 12 min, between 9 and 18 min`, `steady`, `not exposed by this node`.
pub fn trend(risk: &Risk, now: UnixMillis) -> String {
    match (Standing::of(risk), breach_at(risk)) {
        (Standing::Approaching, Some(at)) => {
            let left = countdown(at, now);
            let left = if at - now < 1000 { left } else { format!("in {left}") };
            match risk.outlook.as_ref().and_then(|outlook| certainty(outlook, now)) {
                Some(certainty) => format!("{left}, {certainty}"),
                None => left,
            }
        }
        (Standing::Blind, _) => "not exposed by this node".to_owned(),
        (standing, _) => standing.word().to_owned(),
    }
}

/// How fast it moves: `rises by 1 min a minute`; nothing while it stands.
pub fn pace(risk: &Risk) -> Option<String> {
    let outlook = risk.outlook.as_ref()?;
    let slope = outlook.slope.filter(|slope| slope.is_finite() && *slope != 0.0)?;
    if outlook.trend == Trend::Steady || outlook.exact || matches!(risk.unit.as_str(), "bool" | "timestamp") {
        return None;
    }
    // As a person would count it: ratios are shown a hundred times as large.
    let seen = slope.abs() * if risk.unit == "ratio" { 100.0 } else { 1.0 };
    let spans = [(60.0, "a minute"), (3_600.0, "an hour"), (86_400.0, "a day")];
    let (seconds, span) = spans.into_iter().find(|(seconds, _)| seen * seconds >= 0.1).unwrap_or(spans[2]);
    let way = if slope > 0.0 { "rises" } else { "falls" };
    Some(format!("{way} by {} {span}", format::number(slope.abs() * seconds, &risk.unit)))
}

/// What a breach costs, in full: `1,234.000000 USDC`, `12,000.5 GEN`.
pub fn stake(stake: &Stake) -> String {
    match stake.unit.as_str() {
        unit @ ("micro-usdc" | "usdc" | "wei" | "count") => format::value(&stake.amount, unit),
        unit => {
            let (whole, part) = stake.amount.split_once('.').unwrap_or((&stake.amount, ""));
            let whole = grouped(whole).unwrap_or_else(|| whole.to_owned());
            let point = if part.is_empty() { "" } else { "." };
            format!("{whole}{point}{part} {unit}").trim_end().to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn risk(own: Value) -> Risk {
        let mut risk = json!({"name": "lag", "title": "Lag", "severity": "critical", "value": 300.0, "bound": 600.0,
            "unit": "seconds", "meaning": "m", "action": "a", "firing": false});
        fleetglass_shared::patch::merge(&mut risk, &own);
        serde_json::from_value(risk).unwrap()
    }

    fn going(trend: &str) -> Risk {
        risk(json!({"outlook": {"trend": trend}}))
    }

    #[test]
    fn what_is_not_exposed_is_not_steady() {
        for (risk, standing) in [
            (risk(json!({"firing": true})), Standing::Over),
            (going("breached"), Standing::Over),
            (going("approaching"), Standing::Approaching),
            (going("steady"), Standing::Steady),
            (going("recovering"), Standing::Recovering),
            (going("too_little_data"), Standing::Unclear),
            (risk(json!({})), Standing::Unclear),
            (risk(json!({"headroom": 0.1})), Standing::Near),
            (risk(json!({"headroom": 0.1, "outlook": {"trend": "steady"}})), Standing::Near),
            (risk(json!({"headroom": 0.1, "outlook": {"trend": "recovering"}})), Standing::Recovering),
            (risk(json!({"value": null})), Standing::Blind),
            (risk(json!({"value": null, "firing": true})), Standing::Over),
            (risk(json!({"value": null, "outlook": {"trend": "steady"}})), Standing::Blind),
            (
                risk(json!({"value": null, "outlook": {"trend": "approaching", "breach_at": 5}})),
                Standing::Approaching,
            ),
        ] {
            assert_eq!(Standing::of(&risk), standing, "{risk:?}");
        }
    }

    #[test]
    fn a_countdown_says_how_sure_it_is() {
        let outlook = |own: Value| {
            let mut outlook = json!({"trend": "approaching", "breach_at": 720_000});
            fleetglass_shared::patch::merge(&mut outlook, &own);
            trend(&risk(json!({"outlook": outlook})), 0)
        };
        for (own, words) in [
            (json!({"earliest": 540_000, "latest": 1_080_000}), "in 12 min, between 9 and 18 min"),
            (json!({"earliest": 45_000, "latest": 1_080_000}), "in 12 min, between 45 s and 18 min"),
            (json!({"earliest": 700_000, "latest": 710_000}), "in 12 min, about 11 min"),
            (json!({"earliest": 540_000}), "in 12 min, 9 min at the earliest, perhaps never"),
            (json!({"earliest": -5}), "in 12 min, any time, or never"),
            (json!({"latest": 1_080_000}), "in 12 min, 18 min at the latest"),
            (json!({"earliest": 0, "latest": 1_080_000}), "in 12 min, any time, 18 min at the latest"),
            (json!({"exact": true}), "in 12 min, exact: its own deadline"),
            (json!({}), "in 12 min"),
            (json!({"breach_at": 702_900}), "in 11 min 42 s"),
            (json!({"breach_at": 7_800_000}), "in 2 h 10 min"),
            (json!({"breach_at": -9}), "any moment"),
        ] {
            assert_eq!(outlook(own.clone()), words, "{own}");
        }
        assert_eq!(trend(&risk(json!({"value": null})), 0), "not exposed by this node");
        assert_eq!(trend(&going("recovering"), 0), "recovering");
    }

    #[test]
    fn a_bar_has_room_beyond_its_bound() {
        let bar = |own| Bar::of(&risk(own));
        assert_eq!(bar(json!({"headroom": 0.5})), Some(Bar { fill: 0.4, bound: 0.8 }));
        assert_eq!(bar(json!({"headroom": 1.0})), Some(Bar { fill: 0.0, bound: 0.8 }));
        assert_eq!(bar(json!({"headroom": -1.5})), Some(Bar { fill: 1.0, bound: 0.4 }));
        assert_eq!(bar(json!({})), None);
        assert_eq!(bar(json!({"value": null, "headroom": 0.5})), None);
    }

    #[test]
    fn room_is_rounded_against_us() {
        let words = |headroom: f64| room(&risk(json!({"headroom": headroom})));
        assert_eq!(words(0.389).as_deref(), Some("38 % left"));
        assert_eq!(words(0.004).as_deref(), Some("0 % left"));
        assert_eq!(words(-0.201).as_deref(), Some("21 % beyond"));
        assert_eq!(words(-50.0).as_deref(), Some("far beyond"));
        assert_eq!(room(&risk(json!({}))), None);
        assert_eq!(room(&risk(json!({"value": null, "headroom": 0.5}))), None);
    }

    #[test]
    fn pace_is_told_over_a_span_that_shows_it() {
        let words = |slope: f64, unit: &str, trend: &str| {
            pace(&risk(json!({"unit": unit, "outlook": {"trend": trend, "slope": slope}})))
        };
        assert_eq!(words(1.0, "seconds", "approaching").as_deref(), Some("rises by 1 min a minute"));
        assert_eq!(words(-0.0001, "count", "approaching").as_deref(), Some("falls by 0.36 an hour"));
        assert_eq!(words(0.0005, "ratio", "approaching").as_deref(), Some("rises by 3 % a minute"));
        assert_eq!(words(1e-9, "count", "recovering").as_deref(), Some("rises by 0.0000864 a day"));
        assert_eq!(words(1.0, "count", "steady"), None);
        assert_eq!(words(0.0, "count", "approaching"), None);
    }

    #[test]
    fn money_is_told_in_full() {
        let words = |amount: &str, unit: &str| {
            stake(&Stake { amount: amount.into(), unit: unit.into(), calculation: Vec::new() })
        };
        assert_eq!(words("1234000000", "micro-usdc"), "1,234.000000 USDC");
        assert_eq!(words("42000000000000000000000", "wei"), "42,000,000,000,000,000,000,000 wei");
        assert_eq!(words("12000.5", "GEN"), "12,000.5 GEN");
        assert_eq!(words("7", ""), "7");
        assert_eq!(words("odd", "GEN"), "odd GEN");
    }
}
