//! The slash risks of a node against what the store has just heard.

use fleetglass_shared::{
    family::{Family, RiskQuery},
    health::UnixMillis,
    wire::Risk,
};

use crate::{query, store::Store};

/// A node's risks, and whether one of them is about to be one.
#[derive(Debug, Default)]
pub struct Judged {
    /// Every risk of the family, with its value now where the node exposes it.
    pub risks: Vec<Risk>,
    /// A value is close to its bound.
    pub near: bool,
}

/// Holds every risk of the family against its value now.
pub fn judge(family: &Family, instance: &str, store: &Store, at: UnixMillis) -> Judged {
    let mut judged = Judged::default();
    for risk in family.risks_for(instance) {
        let value = value(&risk, store, at);
        judged.near |= value.is_some_and(|value| risk.is_near(value));
        judged.risks.push(risk.judge(value));
    }
    judged
}

/// The worst value of the first expression that has one.
fn value(risk: &RiskQuery<'_>, store: &Store, at: UnixMillis) -> Option<f64> {
    risk.exprs.iter().find_map(|expr| {
        let values = query::evaluate_instant(store, expr, at).ok()?;
        values.into_iter().filter(|value| !value.is_nan()).reduce(|one, other| risk.worse(one, other))
    })
}
