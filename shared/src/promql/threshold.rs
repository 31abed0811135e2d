//! The numbers that an expression compares with: what a rule's threshold is.

use promql_parser::parser::{BinaryExpr, Expr};

use super::parse::Query;

impl Query {
    /// The bounds of its outermost comparisons, in the order of the text. `a > 5 and b < 2` has 5 and 2;
    /// `count(a > 5) > 2` has 2.
    pub fn thresholds(&self) -> Vec<f64> {
        let mut found = Vec::new();
        visit(&mut self.tree.clone(), &mut |bound| found.push(*bound));
        found
    }

    /// What it compares, and with which number, where it is one comparison with a number and nothing else.
    pub fn compared(&self) -> Option<(Self, f64)> {
        let mut expr = &self.tree;
        while let Expr::Paren(paren) = expr {
            expr = &paren.expr;
        }
        let Expr::Binary(BinaryExpr { op, lhs, rhs, .. }) = expr else { return None };
        if !op.is_comparison_operator() {
            return None;
        }
        let bound = *self.thresholds().first()?;
        let compared = if number(&mut rhs.clone()).is_some() { lhs } else { rhs };
        Some((Self::parse(&compared.to_string()).ok()?, bound))
    }

    /// The expression with another bound: in place of every one that is `instead_of`, or of its only one.
    ///
    /// # Errors
    /// It has no such bound, or more than one and none is named.
    pub fn with_threshold(&self, instead_of: Option<f64>, threshold: f64) -> Result<Self, String> {
        let all = self.thresholds();
        let words = all.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
        let named = match (instead_of, all.as_slice()) {
            (_, []) => return Err("the expression compares with no number at its outermost level".to_owned()),
            (None, [only]) => *only,
            (None, _) => {
                return Err(format!("the expression compares with {words}: say which one with `instead_of`"));
            }
            (Some(named), all) if all.contains(&named) => named,
            (Some(named), _) => {
                return Err(format!("the expression compares with {words}, not with {named}"));
            }
        };
        let mut tree = self.tree.clone();
        visit(&mut tree, &mut |bound| {
            if *bound == named {
                *bound = threshold;
            }
        });
        Self::parse(&tree.to_string()).map_err(|error| error.to_string())
    }
}

/// Shows the number of each outermost comparison.
fn visit(expr: &mut Expr, each: &mut dyn FnMut(&mut f64)) {
    match expr {
        Expr::Paren(paren) => visit(&mut paren.expr, each),
        Expr::Binary(BinaryExpr { op, lhs, rhs, .. }) => {
            if op.is_set_operator() {
                visit(lhs, each);
                visit(rhs, each);
            } else if op.is_comparison_operator() {
                match (number(lhs), number(rhs)) {
                    (None, Some(bound)) | (Some(bound), None) => write(bound, each),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// A number, and whether a sign before it turns it round.
type Bound<'a> = (&'a mut f64, bool);

fn write((bound, negative): Bound<'_>, each: &mut dyn FnMut(&mut f64)) {
    let mut value = if negative { -*bound } else { *bound };
    each(&mut value);
    *bound = if negative { -value } else { value };
}

fn number(expr: &mut Expr) -> Option<Bound<'_>> {
    match expr {
        Expr::NumberLiteral(number) => Some((&mut number.val, false)),
        Expr::Paren(paren) => number(&mut paren.expr),
        Expr::Unary(unary) => number(&mut unary.expr).map(|(bound, negative)| (bound, !negative)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_outermost_bounds_are_found_and_moved() {
        for (text, bounds) in [
            ("up == 0", &[0.0][..]),
            ("5 < lag_seconds", &[5.0]),
            ("lag > -2.5", &[-2.5]),
            ("a / b > (0.8)", &[0.8]),
            ("(a > 5 and b < 2) unless c == 1", &[5.0, 2.0, 1.0]),
            ("count(a > 5) > 2", &[2.0]),
            ("a > b", &[]),
            ("rate(a[5m])", &[]),
        ] {
            assert_eq!(Query::parse(text).unwrap().thresholds(), bounds, "{text}");
        }
        let moved = |text: &str, from: Option<f64>, to: f64| {
            Query::parse(text).unwrap().with_threshold(from, to).map(|query| query.text().to_owned())
        };
        assert_eq!(moved("lag > 300", None, 900.0).unwrap(), "lag > 900");
        assert_eq!(moved("a > 5 and b > 2", Some(2.0), 3.0).unwrap(), "a > 5 and b > 3");
        assert_eq!(Query::parse(&moved("a > -2", None, -4.5).unwrap()).unwrap().thresholds(), [-4.5]);
        assert!(moved("a > 5 and b > 2", None, 3.0).unwrap_err().contains("5, 2"));
        assert!(moved("a > 5", Some(4.0), 3.0).unwrap_err().contains("not with 4"));
        assert!(moved("a > b", None, 3.0).unwrap_err().contains("no number"));
        let compared = |text: &str| {
            Query::parse(text).unwrap().compared().map(|(query, bound)| (query.text().to_owned(), bound))
        };
        assert_eq!(compared("(a / b > 0.8)"), Some(("a / b".to_owned(), 0.8)));
        assert_eq!(compared("5 < lag"), Some(("lag".to_owned(), 5.0)));
        assert_eq!(compared("a > 5 and b > 2"), None);
    }
}
