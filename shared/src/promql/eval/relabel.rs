//! Functions of labels, and of the order of rows.

use std::cmp::Ordering;

use super::Eval;
use super::rows::{Row, merged};
use crate::labels::{LabelSet, METRIC_NAME, MatchOp, Matcher};
use crate::promql::coarse::SLOT_VALUE;
use crate::promql::error::EvalError;
use crate::promql::notes::Note;
use crate::promql::plan::{Expr, Node, Selector};
use crate::promql::storage::{is_stale, stale_marker};
use crate::promql::within::SCOPE_MARK;

/// The labels that a series of the selector surely has: what `absent()` answers with.
pub(super) fn wanted_labels(selector: &Selector) -> LabelSet {
    let mut wanted: Vec<(&str, &str)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    // What we put into a selector ourselves is nothing that a series would have.
    let told = |matcher: &&Matcher| ![METRIC_NAME, SCOPE_MARK, SLOT_VALUE].contains(&matcher.name());
    for matcher in selector.matchers.iter().filter(told) {
        let name = matcher.name();
        if matcher.op() == MatchOp::Equal && !seen.contains(&name) {
            seen.push(name);
            wanted.push((name, matcher.value()));
        } else {
            wanted.retain(|(other, _)| *other != name);
        }
    }
    LabelSet::from_pairs(wanted)
}

fn with_label(labels: &LabelSet, name: &str, value: &str) -> LabelSet {
    let others = labels.iter().filter(|(other, _)| *other != name);
    LabelSet::from_pairs(others.chain([(name, value)]))
}

impl Eval<'_> {
    /// 1 where a vector is empty.
    pub(super) fn absent(&self, of: &Expr) -> Result<Vec<Row>, EvalError> {
        let mut values = vec![1.0; self.steps()];
        self.each(of, &mut |_, _, there| {
            for (value, there) in values.iter_mut().zip(there) {
                if !is_stale(*there) {
                    *value = stale_marker();
                }
            }
            Ok(())
        })?;
        let labels = match &of.plain().node {
            Node::Instant(selector) => wanted_labels(selector),
            _ => LabelSet::default(),
        };
        Ok(vec![Row { labels, nameless: false, values }])
    }

    pub(super) fn label_replace(&self, args: &[Expr]) -> Result<Vec<Row>, EvalError> {
        let [of, target, replacement, source, pattern] = args else {
            return Err(EvalError::execution("label_replace takes five arguments"));
        };
        let (target, replacement) = (self.text(target)?, self.text(replacement)?);
        let (source, pattern) = (self.text(source)?, self.text(pattern)?);
        let regex =
            regex::RegexBuilder::new(&format!("^(?s:{pattern})$")).size_limit(1 << 20).build().map_err(
                |_| EvalError::execution(format!("invalid regular expression in label_replace(): {pattern}")),
            )?;
        if target.is_empty() {
            return Err(EvalError::execution(format!(
                "invalid destination label name in label_replace(): {target}"
            )));
        }
        self.relabelled(of, target, |labels| {
            let found = regex.captures(labels.get(source).unwrap_or(""))?;
            let mut value = String::new();
            found.expand(replacement, &mut value);
            Some(value)
        })
    }

    pub(super) fn label_join(&self, args: &[Expr]) -> Result<Vec<Row>, EvalError> {
        let [of, target, separator, sources @ ..] = args else {
            return Err(EvalError::execution("label_join takes at least three arguments"));
        };
        let (target, separator) = (self.text(target)?, self.text(separator)?);
        let sources: Vec<&str> = sources.iter().map(|source| self.text(source)).collect::<Result<_, _>>()?;
        if sources.iter().any(|source| source.is_empty()) {
            return Err(EvalError::execution("invalid source label name in label_join(): "));
        }
        if target.is_empty() {
            return Err(EvalError::execution("invalid destination label name in label_join(): "));
        }
        self.relabelled(of, target, |labels| {
            let values: Vec<&str> = sources.iter().map(|source| labels.get(source).unwrap_or("")).collect();
            Some(values.join(separator))
        })
    }

    fn relabelled(
        &self,
        of: &Expr,
        target: &str,
        value: impl Fn(&LabelSet) -> Option<String>,
    ) -> Result<Vec<Row>, EvalError> {
        let mut rows = self.rows(of)?;
        for row in &mut rows {
            if let Some(value) = value(&row.labels) {
                row.labels = with_label(&row.labels, target, &value);
                if target == METRIC_NAME {
                    row.nameless = false;
                }
            }
        }
        // What is the same but for a name that goes later may still be told apart by then.
        merged(rows)
    }

    pub(super) fn sorted(&self, of: &Expr, descending: bool) -> Result<Vec<Row>, EvalError> {
        if !self.env.instant {
            self.env.note(&Note::SortInRange, of.at);
        }
        let mut rows = self.rows(of)?;
        let value = |row: &Row| row.values.first().copied().unwrap_or(f64::NAN);
        rows.sort_by(|a, b| match (value(a), value(b)) {
            (a, b) if a.is_nan() || b.is_nan() => a.is_nan().cmp(&b.is_nan()),
            (a, b) if descending => b.total_cmp(&a),
            (a, b) => a.total_cmp(&b),
        });
        Ok(rows)
    }

    pub(super) fn sorted_by_label(&self, args: &[Expr], descending: bool) -> Result<Vec<Row>, EvalError> {
        let [of, names @ ..] = args else {
            return Err(EvalError::execution("sort_by_label takes a vector"));
        };
        if !self.env.instant {
            self.env.note(&Note::SortInRange, of.at);
        }
        let names: Vec<&str> = names.iter().map(|name| self.text(name)).collect::<Result<_, _>>()?;
        let mut rows = self.rows(of)?;
        rows.sort_by(|a, b| {
            let by =
                |name: &&str| natural(a.labels.get(name).unwrap_or(""), b.labels.get(name).unwrap_or(""));
            let order = names.iter().map(by).find(|order| order.is_ne());
            // Then by all labels, so that the order is always the same.
            let order = order.unwrap_or_else(|| a.labels.cmp(&b.labels));
            if descending { order.reverse() } else { order }
        });
        Ok(rows)
    }
}

/// The order in which a person would put two texts: numbers in them by their value.
fn natural(mut a: &str, mut b: &str) -> Ordering {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    loop {
        let (Some(first), Some(second)) = (a.chars().next(), b.chars().next()) else {
            return a.len().cmp(&b.len());
        };
        if first.is_ascii_digit() && second.is_ascii_digit() {
            let ((x, a_rest), (y, b_rest)) = (a.split_at(digits(a)), b.split_at(digits(b)));
            let (whole_x, whole_y) = (x.trim_start_matches('0'), y.trim_start_matches('0'));
            let order =
                whole_x.len().cmp(&whole_y.len()).then(whole_x.cmp(whole_y)).then(x.len().cmp(&y.len()));
            if order.is_ne() {
                return order;
            }
            (a, b) = (a_rest, b_rest);
        } else if first != second {
            return first.cmp(&second);
        } else {
            (a, b) = (&a[first.len_utf8()..], &b[second.len_utf8()..]);
        }
    }
}
