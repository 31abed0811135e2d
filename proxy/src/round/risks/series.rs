//! Headroom and countdown of each risk as series of the node, for rules, charts and exports.

use std::collections::BTreeMap;

use fleetglass_shared::{
    health::UnixMillis,
    wire::{Risk, Trend},
};

use crate::store::Put;

/// The series of the headroom.
pub(super) const HEADROOM: &str = "fleetglass_risk_headroom_ratio";
/// The series of the countdown.
const COUNTDOWN: &str = "fleetglass_risk_seconds_to_breach";

/// A series of our own about a risk.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnSeries {
    /// Its name.
    pub name: &'static str,
    /// Its labels beside the target's.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
    help: &'static str,
    unit: &'static str,
}

impl OwnSeries {
    /// As the store takes it.
    pub fn put(&self) -> Put<'_> {
        Put { labels: &self.labels, unit: self.unit, ..Put::gauge(self.name, self.value, self.help) }
    }
}

/// The series of every risk that the node exposes. The countdown is there while the risk is on its way to its bound,
/// and 0 beyond it; else the series is stale.
pub fn own_series(node: &str, risks: &[Risk], at: UnixMillis) -> Vec<OwnSeries> {
    let mut all = Vec::new();
    for risk in risks.iter().filter(|risk| risk.value.is_some()) {
        let labels = BTreeMap::from([
            ("node".to_owned(), node.to_owned()),
            ("risk".to_owned(), risk.name.clone()),
            ("severity".to_owned(), risk.severity.clone()),
        ]);
        let left = risk.outlook.as_ref().and_then(|outlook| match (risk.firing, outlook.trend) {
            (true, _) | (_, Trend::Breached) => Some(0.0),
            (false, Trend::Approaching) => outlook.breach_at.map(|breach| seconds(breach - at)),
            _ => None,
        });
        if let Some(value) = left {
            let help =
                "Seconds until the bound of a slash risk is crossed if things go on as they do; 0 beyond it";
            let labels = labels.clone();
            all.push(OwnSeries { name: COUNTDOWN, labels, value, help, unit: "seconds" });
        }
        // A yes or no has all of the way left, or nothing.
        let value = risk.headroom.unwrap_or(if risk.firing { 0.0 } else { 1.0 });
        let help = "The part of the way to the bound of a slash risk that is left: 0 at it, less beyond";
        all.push(OwnSeries { name: HEADROOM, labels, value, help, unit: "ratio" });
    }
    all
}

fn seconds(ms: i64) -> f64 {
    ms.max(0) as f64 / 1000.0
}
