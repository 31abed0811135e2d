//! The PromQL of a family, and how a node's `instance` is put into it.

use crate::promql::Query;

/// An expression that has a value, or none, at a time.
#[derive(Clone, Debug)]
pub(crate) struct Expr(Query);

impl Expr {
    /// Reads an expression, or says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let query = Query::parse(text).map_err(|error| error.to_string())?;
        if let Some(error) = query.unsupported() {
            return Err(error.to_string());
        }
        match query.no_value_at_a_step() {
            Some(kind) => Err(format!("expected an instant vector or a number, not a {kind}")),
            None => Ok(Self(query)),
        }
    }

    /// The expression with `instance` in every selector.
    pub(crate) fn for_instance(&self, instance: &str) -> String {
        self.0.with_equal("instance", instance)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Expr;

    #[test]
    fn every_selector_gets_the_instance() {
        for (written, expected) in [
            ("a_total", r#"a_total{instance="n-1"}"#),
            (r#"a{b="c"}"#, r#"a{b="c",instance="n-1"}"#),
            (r#"a{b=~"x|\"}", c!="d",}"#, r#"a{b=~"x|\"}", c!="d",instance="n-1"}"#),
            (r#"{"a.b" }"#, r#"{"a.b",instance="n-1" }"#),
            ("a{}", r#"a{instance="n-1"}"#),
            ("rate(a_total[5m] offset 1h)", r#"rate(a_total{instance="n-1"}[5m] offset 1h)"#),
            ("a / on (b) group_left (c) d", r#"a{instance="n-1"} / on (b) group_left (c) d{instance="n-1"}"#),
            ("sum by (offset) (-a @ 5) > bool 2", r#"sum by (offset) (-a{instance="n-1"} @ 5) > bool 2"#),
            ("max_over_time((a + time())[5m:])", r#"max_over_time((a{instance="n-1"} + time())[5m:])"#),
            ("vector(1)", "vector(1)"),
            (
                r#"histogram_quantile(0.95, rate(x_bucket{k="v"}[5m]))"#,
                r#"histogram_quantile(0.95, rate(x_bucket{k="v",instance="n-1"}[5m]))"#,
            ),
        ] {
            let given = Expr::parse(written).unwrap().for_instance("n-1");
            assert_eq!(given, expected, "{written}");
            Expr::parse(&given).unwrap();
        }
    }

    #[test]
    fn an_instance_is_escaped() {
        assert_eq!(Expr::parse("a").unwrap().for_instance("x\"\\\n"), r#"a{instance="x\"\\\n"}"#);
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (written, why) in [
            ("", "no expression"),
            ("rate(a)", "expected type"),
            ("a[5m]", "not a range vector"),
            ("'a'", "not a string"),
            ("info(a)", "not supported"),
            ("a{b=c}", "1:"),
            ("nosuch(a)", "unknown function"),
        ] {
            let fault = Expr::parse(written).unwrap_err();
            assert!(fault.contains(why), "{written}: {fault}");
        }
    }
}
