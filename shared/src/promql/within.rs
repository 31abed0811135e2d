//! A query with a matcher more in every selector of its plan.

use super::parse::Query;
use super::plan::{Expr, Node};
use crate::labels::Matcher;

/// The label of a matcher by which a storage knows that a selector was put within a scope. No series has it, and no
/// answer tells of it.
pub const SCOPE_MARK: &str = "__scope__";

impl Query {
    /// The query with a matcher added to every selector, those in subqueries and parameters among them. The plan is
    /// changed and not its text: nothing that can be written takes the matcher out again.
    #[must_use]
    pub fn within(&self, matcher: &Matcher) -> Self {
        let mut query = self.clone();
        add(&mut query.expr, matcher);
        query
    }

    /// The metrics that the selectors name; `None` where one of them names none.
    pub fn metrics(&self) -> Option<Vec<&str>> {
        let mut found = Some(Vec::new());
        name(&self.expr, &mut found);
        found
    }
}

fn add(expr: &mut Expr, matcher: &Matcher) {
    match &mut expr.node {
        Node::Number(_) | Node::Text(_) => {}
        Node::Instant(selector) | Node::Range(selector, _) => selector.matchers.push(matcher.clone()),
        Node::Subquery(subquery) => add(&mut subquery.of, matcher),
        Node::Negate(of) | Node::Invariant(of) => add(of, matcher),
        Node::Binary(binary) => {
            add(&mut binary.left, matcher);
            add(&mut binary.right, matcher);
        }
        Node::Aggregate(aggregate) => {
            aggregate.param.iter_mut().for_each(|param| add(param, matcher));
            add(&mut aggregate.of, matcher);
        }
        Node::Call(_, args) => args.iter_mut().for_each(|arg| add(arg, matcher)),
    }
}

fn name<'a>(expr: &'a Expr, found: &mut Option<Vec<&'a str>>) {
    use crate::labels::{METRIC_NAME, MatchOp};
    match &expr.node {
        Node::Number(_) | Node::Text(_) => {}
        Node::Instant(selector) | Node::Range(selector, _) => {
            let is_name =
                |matcher: &&Matcher| matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal;
            match (selector.matchers.iter().find(is_name), found.as_mut()) {
                (Some(matcher), Some(names)) => names.push(matcher.value()),
                _ => *found = None,
            }
        }
        Node::Subquery(subquery) => name(&subquery.of, found),
        Node::Negate(of) | Node::Invariant(of) => name(of, found),
        Node::Binary(binary) => {
            name(&binary.left, found);
            name(&binary.right, found);
        }
        Node::Aggregate(aggregate) => {
            aggregate.param.iter().for_each(|param| name(param, found));
            name(&aggregate.of, found);
        }
        Node::Call(_, args) => args.iter().for_each(|arg| name(arg, found)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::promql::{Options, Steps};

    #[test]
    fn every_selector_gets_the_matcher() {
        let matcher = Matcher::equal("scope", "s");
        for text in [
            "a",
            "{__name__=~\".+\"}",
            "a or b unless c",
            "absent(a)",
            "label_replace(a, \"x\", \"$1\", \"y\", \"(.*)\")",
            "max_over_time(sum(a)[1h:1m] @ end())",
            "count(a) by (b)",
            "a * on (i) group_left (x) b",
            "topk(scalar(k), a)",
            "count_values(\"v\", a offset 1w)",
            "quantile(scalar(q), rate(a[5m]))",
            "-a",
            "a @ 5",
            "histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))",
            "absent_over_time(a[5m])",
            "a{scope=\"other\"}",
        ] {
            let query = Query::parse(text).unwrap();
            let steps = Steps { start: 0, end: 60_000, step: 15_000 };
            let before = query.reads(steps, &Options::default());
            let after = query.within(&matcher).reads(steps, &Options::default());
            assert!(!before.is_empty() && before.len() == after.len(), "{text}");
            for (before, after) in before.iter().zip(&after) {
                assert_eq!(after.matchers.last(), Some(&matcher), "{text}");
                assert_eq!(after.matchers[..before.matchers.len()], before.matchers[..], "{text}");
            }
        }
    }

    #[test]
    fn metrics_are_named_or_not() {
        let names = |text: &str| Query::parse(text).unwrap().metrics().map(|names| names.join(" "));
        assert_eq!(names("a / b > scalar(c)").as_deref(), Some("a b c"));
        assert_eq!(names("a or {x=\"1\"}"), None);
        assert_eq!(names("{__name__=~\"a.*\"}"), None);
    }
}
