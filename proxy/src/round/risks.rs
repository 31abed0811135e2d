//! The slash risks of a node against what the store has just heard.

use fleetglass_shared::{
    family::{Family, RiskQuery},
    health::UnixMillis,
    wire::Risk,
};

use crate::{query, store::Store};

/// Every risk of the family, with its value now where the node exposes it.
pub fn judge(family: &Family, instance: &str, store: &Store, at: UnixMillis) -> Vec<Risk> {
    family.risks_for(instance).iter().map(|risk| risk.judge(value(risk, store, at))).collect()
}

/// The worst value of the first expression that has one.
fn value(risk: &RiskQuery<'_>, store: &Store, at: UnixMillis) -> Option<f64> {
    risk.exprs.iter().find_map(|expr| {
        let values = query::evaluate_instant(store, expr, at).ok()?;
        values.into_iter().filter(|value| !value.is_nan()).reduce(|one, other| risk.worse(one, other))
    })
}
