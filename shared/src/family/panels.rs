//! A family's charts, made ready for one node; other bounds.

use std::collections::BTreeMap;

use super::expr::Expr;
use super::words::Words;
use super::{Family, FamilyError};
use crate::wire;

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
                // A bound that somebody sets goes before one that the node tells.
                risk.bound_expr = Words::default();
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

pub(super) fn for_instance(expr: &str, instance: &str) -> String {
    Expr::parse(expr).expect("every expression was parsed when the family was read").for_instance(instance)
}
