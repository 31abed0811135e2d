//! The few PromQL forms a family may use, and how a node's `instance` is put into them.

use std::fmt::Write as _;

/// `selector`, `rate(selector[5m])`, `increase(selector[5m])`, `histogram_quantile(0.95, rate(selector[5m]))`,
/// or one of these divided by another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expr {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
enum Term {
    Selector(Selector),
    Range { function: &'static str, selector: Selector, range: String },
    Quantile { quantile: String, selector: Selector, range: String },
}

#[derive(Clone, Debug, PartialEq)]
struct Selector {
    metric: String,
    /// As written, without the braces.
    matchers: String,
}

impl Expr {
    /// Reads one of the forms, or says what was expected instead.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut scan = Scan { rest: text };
        let mut terms = vec![scan.term()?];
        if scan.eat("/") {
            terms.push(scan.term()?);
        }
        scan.space();
        if scan.rest.is_empty() {
            Ok(Self { terms })
        } else {
            Err(format!("expected the end or `/` before `{}`", scan.rest))
        }
    }

    /// As PromQL, with `instance` in every selector.
    pub(crate) fn for_instance(&self, instance: &str) -> String {
        let terms: Vec<_> = self.terms.iter().map(|term| term.write(instance)).collect();
        terms.join(" / ")
    }
}

impl Term {
    fn write(&self, instance: &str) -> String {
        match self {
            Self::Selector(selector) => selector.write(instance),
            Self::Range { function, selector, range } => {
                format!("{function}({}[{range}])", selector.write(instance))
            }
            Self::Quantile { quantile, selector, range } => {
                format!("histogram_quantile({quantile}, rate({}[{range}]))", selector.write(instance))
            }
        }
    }
}

impl Selector {
    fn write(&self, instance: &str) -> String {
        let mut out = format!("{}{{", self.metric);
        if !self.matchers.is_empty() {
            let _ = write!(out, "{},", self.matchers);
        }
        out.push_str("instance=\"");
        for c in instance.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                c => out.push(c),
            }
        }
        out.push_str("\"}");
        out
    }
}

struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, word: &str) -> bool {
        self.space();
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        if self.eat(word) { Ok(()) } else { Err(format!("expected `{word}` before `{}`", self.rest)) }
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        self.space();
        let end = self.rest.find(|c| !accept(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn name(&mut self) -> Result<&'a str, String> {
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("expected a metric's name before `{}`", self.rest));
        }
        Ok(name)
    }

    fn term(&mut self) -> Result<Term, String> {
        let name = self.name()?;
        if !self.eat("(") {
            return Ok(Term::Selector(self.selector(name)?));
        }
        let term = match name {
            "rate" | "increase" => {
                let (selector, range) = self.range()?;
                let function = if name == "rate" { "rate" } else { "increase" };
                Term::Range { function, selector, range }
            }
            "histogram_quantile" => {
                let quantile = self.take_while(|c| c.is_ascii_digit() || c == '.').to_owned();
                if !quantile.parse::<f64>().is_ok_and(|q| (0.0..=1.0).contains(&q)) {
                    return Err("expected a quantile from 0 to 1".to_owned());
                }
                self.expect(",")?;
                self.expect("rate")?;
                self.expect("(")?;
                let (selector, range) = self.range()?;
                self.expect(")")?;
                Term::Quantile { quantile, selector, range }
            }
            other => {
                return Err(format!("`{other}` is none of `rate`, `increase` and `histogram_quantile`"));
            }
        };
        self.expect(")")?;
        Ok(term)
    }

    fn range(&mut self) -> Result<(Selector, String), String> {
        let name = self.name()?;
        let selector = self.selector(name)?;
        self.expect("[")?;
        let range = self.take_while(|c| c.is_ascii_alphanumeric()).to_owned();
        let unit_at = range.find(|c: char| !c.is_ascii_digit()).unwrap_or(range.len());
        if unit_at == 0 || !matches!(&range[unit_at..], "s" | "m" | "h" | "d") {
            return Err(format!("expected a range like `5m`, found `{range}`"));
        }
        self.expect("]")?;
        Ok((selector, range))
    }

    fn selector(&mut self, metric: &str) -> Result<Selector, String> {
        let mut matchers = Vec::new();
        if self.eat("{") {
            while !self.eat("}") {
                matchers.push(self.matcher()?);
                if !self.eat(",") {
                    self.expect("}")?;
                    break;
                }
            }
        }
        Ok(Selector { metric: metric.to_owned(), matchers: matchers.join(",") })
    }

    fn matcher(&mut self) -> Result<String, String> {
        let label = self.name()?;
        let operator = ["=~", "!~", "!=", "="]
            .into_iter()
            .find(|operator| self.eat(operator))
            .ok_or_else(|| format!("expected `=`, `!=`, `=~` or `!~` after `{label}`"))?;
        self.expect("\"")?;
        let mut escaped = false;
        let end = self
            .rest
            .find(|c| {
                let closes = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                closes
            })
            .ok_or("expected a closing `\"`")?;
        let value = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Ok(format!("{label}{operator}\"{value}\""))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Expr;

    #[test]
    fn every_form_gets_the_instance_in_every_selector() {
        for (written, expected) in [
            ("a_total", r#"a_total{instance="n-1"}"#),
            (r#"a{b="c"}"#, r#"a{b="c",instance="n-1"}"#),
            (r#"a{b=~"x|\"}", c!="d",}"#, r#"a{b=~"x|\"}",c!="d",instance="n-1"}"#),
            ("rate(a_total[5m])", r#"rate(a_total{instance="n-1"}[5m])"#),
            ("increase( a:b [1h] )", r#"increase(a:b{instance="n-1"}[1h])"#),
            ("a / b", r#"a{instance="n-1"} / b{instance="n-1"}"#),
            (
                r#"histogram_quantile(0.95, rate(x_bucket{k="v"}[5m]))"#,
                r#"histogram_quantile(0.95, rate(x_bucket{k="v",instance="n-1"}[5m]))"#,
            ),
        ] {
            assert_eq!(Expr::parse(written).unwrap().for_instance("n-1"), expected, "{written}");
        }
    }

    #[test]
    fn an_instance_is_escaped() {
        assert_eq!(Expr::parse("a").unwrap().for_instance("x\"\\\n"), r#"a{instance="x\"\\\n"}"#);
    }

    #[test]
    fn other_forms_are_refused_with_what_was_expected() {
        for (written, why) in [
            ("", "expected a metric's name"),
            ("sum(a)", "none of"),
            ("rate(a)", "expected `[`"),
            ("rate(a[5])", "a range like `5m`"),
            ("a + b", "expected the end or `/`"),
            ("a{b=c}", "expected `\"`"),
            ("a{b=\"c}", "closing"),
            ("histogram_quantile(2, rate(a[5m]))", "quantile"),
            ("1", "expected a metric's name"),
        ] {
            let fault = Expr::parse(written).unwrap_err();
            assert!(fault.contains(why), "{written}: {fault}");
        }
    }
}
