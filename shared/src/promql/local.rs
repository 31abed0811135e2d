//! Whether an expression can be worked out for one node alone.

use promql_parser::parser::{BinaryExpr, Expr, LabelModifier};

use super::parse::Query;

impl Query {
    /// Whether what it gives for one value of a label follows from the series of that value alone: then it may
    /// be evaluated over those, and says the same. `a / b > 5` is local to `instance`, `a > avg(a)` is not.
    pub fn is_local_to(&self, label: &str) -> bool {
        is_local(&self.tree, label) && has_selector(&self.tree)
    }
}

fn is_local(expr: &Expr, label: &str) -> bool {
    let has = |labels: &[String]| labels.iter().any(|own| own == label);
    match expr {
        Expr::Paren(paren) => is_local(&paren.expr, label),
        Expr::Unary(unary) => is_local(&unary.expr, label),
        Expr::Subquery(subquery) => is_local(&subquery.expr, label),
        Expr::Aggregate(aggregate) => {
            let keeps = match &aggregate.modifier {
                Some(LabelModifier::Include(labels)) => has(&labels.labels),
                Some(LabelModifier::Exclude(labels)) => !has(&labels.labels),
                None => false,
            };
            // How many, or which, may depend on others; and a label may be made of values.
            let is_apart = match aggregate.param.as_deref() {
                Some(Expr::StringLiteral(own)) => own.val != label,
                param => param.is_none_or(|param| !has_selector(param)),
            };
            keeps && is_apart && is_local(&aggregate.expr, label)
        }
        Expr::Binary(BinaryExpr { lhs, rhs, modifier, .. }) => {
            let meets = match modifier.as_ref().and_then(|modifier| modifier.matching.as_ref()) {
                Some(LabelModifier::Include(labels)) => has(&labels.labels),
                Some(LabelModifier::Exclude(labels)) => !has(&labels.labels),
                None => true,
            };
            let vectors = has_selector(lhs) && has_selector(rhs);
            (meets || !vectors) && is_local(lhs, label) && is_local(rhs, label)
        }
        Expr::Call(call) => {
            // These give something where there is nothing, or labels of their own.
            const ELSEWHERE: [&str; 6] =
                ["absent", "absent_over_time", "scalar", "vector", "label_replace", "label_join"];
            !(ELSEWHERE.contains(&call.func.name) && call.args.args.iter().any(|arg| has_selector(arg)))
                && call.args.args.iter().all(|arg| is_local(arg, label))
        }
        Expr::NumberLiteral(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_) => true,
        Expr::Extension(_) => false,
    }
}

fn has_selector(expr: &Expr) -> bool {
    match expr {
        Expr::VectorSelector(_) | Expr::MatrixSelector(_) => true,
        Expr::Paren(paren) => has_selector(&paren.expr),
        Expr::Unary(unary) => has_selector(&unary.expr),
        Expr::Subquery(subquery) => has_selector(&subquery.expr),
        Expr::Aggregate(aggregate) => {
            has_selector(&aggregate.expr) || aggregate.param.as_deref().is_some_and(has_selector)
        }
        Expr::Binary(binary) => has_selector(&binary.lhs) || has_selector(&binary.rhs),
        Expr::Call(call) => call.args.args.iter().any(|arg| has_selector(arg)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_needs_others_is_not_local() {
        for (text, is) in [
            ("a > 5", true),
            ("a / b > 0.8", true),
            ("increase(a[1h]) > 0 or a > 0 unless a offset 1h", true),
            ("sum by (instance) (a) > 5", true),
            ("sum without (cpu) (a) > 5", true),
            ("a and on (job, instance) up", true),
            ("a - time() < 60", true),
            ("sum(a) > 5", false),
            ("sum by (job) (a) > 5", false),
            ("a > on (job) group_left () avg by (job) (a)", false),
            ("a > scalar(b)", false),
            ("absent(a)", false),
            ("vector(1) > 0", false),
            ("a * ignoring (instance) b", false),
            ("topk by (instance) (2, a) > 0", true),
            ("topk by (instance) (scalar(count(b)), a) > 0", false),
            ("quantile by (instance) (scalar(max(b)), a)", false),
            ("count_values by (instance) (\"v\", a)", true),
            ("count_values by (instance) (\"instance\", a)", false),
        ] {
            assert_eq!(Query::parse(text).unwrap().is_local_to("instance"), is, "{text}");
        }
    }
}
