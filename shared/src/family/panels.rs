//! A family's charts and slash risks, made ready for one node.

use std::collections::BTreeMap;

use super::expr::Expr;
use super::model::{Crossing, RiskSpec};
use super::{Family, FamilyError};
use crate::wire;

/// The share of its bound within which a value is near it.
const NEAR: f64 = 0.2;

/// A slash risk with the expressions to ask for one node.
#[derive(Clone, Debug)]
pub struct RiskQuery<'a> {
    spec: &'a RiskSpec,
    bound: f64,
    /// PromQL that selects this node; the first with a value counts (the largest of several, or the
    /// smallest where the risk lies below its bound).
    pub exprs: Vec<String>,
}

impl RiskQuery<'_> {
    /// The risk's name.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// The worse of two values, where an expression gave several.
    pub fn worse(&self, one: f64, other: f64) -> f64 {
        match self.spec.when {
            Crossing::Above => one.max(other),
            Crossing::Below => one.min(other),
        }
    }

    /// Whether a value has less than a fifth of its bound left to it, and has not crossed it. Of what is either
    /// there or not nothing is near.
    pub fn is_near(&self, value: f64) -> bool {
        let margin = self.bound.abs() * NEAR;
        match self.spec.when {
            Crossing::Above => value <= self.bound && value > self.bound - margin,
            Crossing::Below => {
                let flag = self.bound <= 1.0 && value == 1.0;
                value >= self.bound && value < self.bound + margin && !flag
            }
        }
    }

    /// The risk against a value; `None`, or a value that is no number, when the node does not expose it.
    pub fn judge(&self, value: Option<f64>) -> wire::Risk {
        let value = value.filter(|value| !value.is_nan());
        let firing = value.is_some_and(|value| match self.spec.when {
            Crossing::Above => value > self.bound,
            Crossing::Below => value < self.bound,
        });
        wire::Risk {
            name: self.spec.name.clone(),
            title: self.spec.title.clone(),
            severity: self.spec.severity.as_str().to_owned(),
            value,
            bound: self.bound,
            unit: self.spec.unit.clone(),
            meaning: self.spec.meaning.clone(),
            action: self.spec.action.clone(),
            firing,
            headroom: None,
            outlook: None,
            stake: None,
        }
    }
}

impl Family {
    /// The charts of a node.
    pub fn panels_for(&self, instance: &str) -> Vec<wire::Panel> {
        let panel = |panel: &super::model::PanelSpec| wire::Panel {
            title: panel.title.clone(),
            subsystem: panel.subsystem.clone(),
            unit: panel.unit.clone(),
            queries: panel
                .queries
                .iter()
                .map(|query| wire::PanelQuery {
                    expr: for_instance(&query.expr, instance),
                    legend: query.legend.clone(),
                })
                .collect(),
            bound: panel
                .bound
                .as_ref()
                .map(|bound| wire::PanelBound { title: bound.title.clone(), value: bound.value }),
            from_zero: panel.from_zero,
        };
        self.spec().panel.iter().map(panel).collect()
    }

    /// The slash risks of a node, in the family's order.
    pub fn risks_for(&self, instance: &str) -> Vec<RiskQuery<'_>> {
        let risk = |spec| RiskQuery::new(spec, instance);
        self.spec().risk.iter().map(risk).collect()
    }

    /// This family with other bounds, by the name of a risk or condition.
    ///
    /// # Errors
    /// A name that is none of a risk or of a condition with a bound.
    pub fn with_bounds(&self, bounds: &BTreeMap<String, f64>) -> Result<Self, FamilyError> {
        let mut changed = self.clone();
        for (name, &bound) in bounds {
            let mut found = false;
            for risk in changed.spec.risk.iter_mut().filter(|risk| risk.name == *name) {
                risk.bound = bound;
                found = true;
            }
            for condition in changed.spec.condition.iter_mut().filter(|c| c.name == *name) {
                for own in [&mut condition.below, &mut condition.above].into_iter().flatten() {
                    *own = bound;
                    found = true;
                }
            }
            if !found {
                let risks = self.spec.risk.iter().map(|risk| risk.name.as_str());
                let conditions = self.spec.condition.iter().filter(|c| c.below.or(c.above).is_some());
                let known: Vec<_> = risks.chain(conditions.map(|c| c.name.as_str())).collect();
                return Err(FamilyError::new(format!("family `{}` has no bound `{name}`", self.name()))
                    .hint(format!("its bounds are: {}", known.join(", "))));
            }
        }
        Ok(changed)
    }
}

impl<'a> RiskQuery<'a> {
    fn new(spec: &'a RiskSpec, instance: &str) -> Self {
        let exprs = spec.expr.iter().map(|expr| for_instance(expr, instance)).collect();
        Self { spec, bound: spec.bound, exprs }
    }
}

fn for_instance(expr: &str, instance: &str) -> String {
    Expr::parse(expr).expect("every expression was parsed when the family was read").for_instance(instance)
}
