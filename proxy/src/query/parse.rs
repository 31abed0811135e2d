//! The part of PromQL that is understood now, parsed.

use fleetglass_shared::labels::Selector;

use super::QueryError;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// A number.
    Number(f64),
    /// The newest sample of each series.
    Instant(Selector),
    /// `rate(selector[window])` or `increase(…)`.
    Growth { per_second: bool, of: Selector, window_ms: i64 },
    /// `histogram_quantile(quantile, of)`.
    Quantile { quantile: Box<Expr>, of: Box<Expr> },
    /// `sum by (labels) (of)` and the like.
    Aggregate { fold: Fold, by: Vec<String>, without: bool, of: Box<Expr> },
    /// `left op right`.
    Binary { op: Op, left: Box<Expr>, right: Box<Expr> },
}

/// What an aggregation makes of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    Sum,
    Max,
    Min,
    Avg,
    Count,
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    Div,
}

const UNDERSTOOD: &str = "this version understands selectors, numbers, rate(), increase(), \
     histogram_quantile(), sum/min/max/avg/count with by or without, + - * / and parentheses";

/// Deeper nesting is no query that a person wrote, nor is a longer one; both would cost stack.
const MAX_DEPTH: usize = 64;
const MAX_OPERATORS: usize = 500;

/// Reads an expression.
pub(super) fn parse(text: &str) -> Result<Expr, QueryError> {
    let mut parser = Parser { text, at: 0, depth: 0, operators: 0 };
    let expr = parser.sum()?;
    parser.skip();
    if !parser.rest().is_empty() {
        return Err(parser.not_understood());
    }
    Ok(expr)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    operators: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self) {
        loop {
            let trimmed = self.rest().trim_start();
            self.at = self.text.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return;
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn take(&mut self, token: char) -> bool {
        self.skip();
        let there = self.rest().starts_with(token);
        self.at += if there { token.len_utf8() } else { 0 };
        there
    }

    fn expect(&mut self, token: char) -> Result<(), QueryError> {
        if self.take(token) {
            return Ok(());
        }
        Err(self.error(&format!("expected {token:?}, found {}", self.found())))
    }

    fn found(&self) -> String {
        self.rest().chars().next().map_or("the end".to_owned(), |c| format!("{c:?}"))
    }

    fn error(&self, problem: &str) -> QueryError {
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        QueryError::BadData(format!("invalid parameter \"query\": {line}:{column}: parse error: {problem}"))
    }

    fn not_understood(&self) -> QueryError {
        let word: String = self.rest().chars().take_while(|c| !c.is_whitespace()).take(20).collect();
        self.error(&format!("{word:?} is not understood here: {UNDERSTOOD}"))
    }

    /// The word at the cursor, not taken.
    fn peek_word(&mut self) -> &'a str {
        self.skip();
        let rest = self.rest();
        let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        &rest[..rest.find(|c| !letter(c)).unwrap_or(rest.len())]
    }

    fn sum(&mut self) -> Result<Expr, QueryError> {
        let mut left = self.product()?;
        loop {
            let op = match () {
                () if self.take('+') => Op::Add,
                () if self.take('-') => Op::Sub,
                () => return Ok(left),
            };
            let right = self.product()?;
            left = self.binary(op, left, right)?;
        }
    }

    fn product(&mut self) -> Result<Expr, QueryError> {
        let mut left = self.unary()?;
        loop {
            let op = match () {
                () if self.take('*') => Op::Mul,
                () if self.take('/') => Op::Div,
                () => return Ok(left),
            };
            let right = self.unary()?;
            left = self.binary(op, left, right)?;
        }
    }

    fn binary(&mut self, op: Op, left: Expr, right: Expr) -> Result<Expr, QueryError> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(self.error(&format!("more than {MAX_OPERATORS} operators")));
        }
        Ok(Expr::Binary { op, left: Box::new(left), right: Box::new(right) })
    }

    fn unary(&mut self) -> Result<Expr, QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        let expr = if self.take('-') {
            match self.unary()? {
                Expr::Number(number) => Expr::Number(-number),
                right => {
                    Expr::Binary { op: Op::Mul, left: Box::new(Expr::Number(-1.0)), right: Box::new(right) }
                }
            }
        } else if self.take('+') {
            self.unary()?
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn primary(&mut self) -> Result<Expr, QueryError> {
        if self.take('(') {
            let inner = self.sum()?;
            self.expect(')')?;
            return Ok(inner);
        }
        let word = self.peek_word();
        if let Some(number) = self.number(word)? {
            return Ok(Expr::Number(number));
        }
        let start = self.at;
        self.at += word.len();
        let fold = match word {
            "sum" => Some(Fold::Sum),
            "max" => Some(Fold::Max),
            "min" => Some(Fold::Min),
            "avg" => Some(Fold::Avg),
            "count" => Some(Fold::Count),
            _ => None,
        };
        let next = self.peek_word();
        let called = next.is_empty() && self.rest().starts_with('(');
        if let Some(fold) = fold.filter(|_| called || next == "by" || next == "without") {
            return self.aggregate(fold);
        }
        if called && !word.is_empty() {
            return match word {
                "rate" | "increase" => self.growth(word == "rate"),
                "histogram_quantile" => {
                    self.expect('(')?;
                    let quantile = Box::new(self.sum()?);
                    self.expect(',')?;
                    let of = Box::new(self.sum()?);
                    self.expect(')')?;
                    Ok(Expr::Quantile { quantile, of })
                }
                _ => {
                    self.at = start;
                    Err(self.error(&format!("the function {word}() is not understood yet: {UNDERSTOOD}")))
                }
            };
        }
        self.at = start;
        let selector = self.selector()?;
        match (self.rest().chars().next(), self.peek_word()) {
            (Some('['), _) => {
                Err(self.error("a range selector can stand only inside rate() and increase() yet"))
            }
            (Some('@'), _) | (_, "offset") => Err(self.error("`offset` and `@` are not understood yet")),
            _ => Ok(Expr::Instant(selector)),
        }
    }

    /// A number at the cursor, `word` being the word there.
    fn number(&mut self, word: &str) -> Result<Option<f64>, QueryError> {
        if word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("nan") {
            self.at += word.len();
            return Ok(Some(if word.eq_ignore_ascii_case("inf") { f64::INFINITY } else { f64::NAN }));
        }
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return Ok(None);
        }
        if let Some(hex) = rest.strip_prefix("0x").or(rest.strip_prefix("0X")) {
            let length = hex.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(hex.len());
            let number = u64::from_str_radix(&hex[..length], 16).map_err(|_| self.error("bad number"))?;
            self.at += 2 + length;
            return Ok(Some(number as f64));
        }
        let mut length = 0;
        let mut before = ' ';
        for c in rest.chars() {
            let exponent_sign = (c == '+' || c == '-') && (before == 'e' || before == 'E');
            if !(c.is_ascii_alphanumeric() || c == '.' || exponent_sign) {
                break;
            }
            length += c.len_utf8();
            before = c;
        }
        let word = &rest[..length];
        let number = word.parse().map_err(|_| self.error(&format!("bad number {word:?}")))?;
        self.at += length;
        Ok(Some(number))
    }

    fn selector(&mut self) -> Result<Selector, QueryError> {
        let word = self.peek_word();
        if word.is_empty() && !self.rest().starts_with('{') {
            return Err(match self.rest().is_empty() {
                true if self.at == 0 || self.text.trim().is_empty() => {
                    self.error("no expression found in input")
                }
                true => self.error("expected an expression, found the end"),
                false => self.not_understood(),
            });
        }
        let (selector, length) = Selector::parse_prefix(self.rest()).map_err(|error| {
            let at = self
                .rest()
                .char_indices()
                .nth(error.column - 1)
                .map_or(self.text.len() - self.at, |(i, _)| i);
            let there = Parser { text: self.text, at: self.at + at, depth: 0, operators: 0 };
            there.error(&error.problem.to_string())
        })?;
        self.at += length;
        self.skip();
        Ok(selector)
    }

    fn growth(&mut self, per_second: bool) -> Result<Expr, QueryError> {
        self.expect('(')?;
        let of = self.selector()?;
        if !self.take('[') {
            return Err(self.error("expected a range, e.g. [5m]"));
        }
        let word = self.peek_word().split(':').next().unwrap_or("");
        let window_ms = duration(word).filter(|&ms| ms > 0);
        let window_ms = window_ms.ok_or_else(|| self.error("expected a duration greater than 0, e.g. 5m"))?;
        self.at += word.len();
        if self.take(':') {
            return Err(self.error("subqueries are not understood yet"));
        }
        self.expect(']')?;
        if !self.take(')') {
            return Err(self.not_understood());
        }
        Ok(Expr::Growth { per_second, of, window_ms })
    }

    fn aggregate(&mut self, fold: Fold) -> Result<Expr, QueryError> {
        let before = self.grouping()?;
        self.expect('(')?;
        let of = Box::new(self.sum()?);
        self.expect(')')?;
        let grouping = match before {
            Some(grouping) => Some(grouping),
            None => self.grouping()?,
        };
        let (by, without) = grouping.unwrap_or_default();
        Ok(Expr::Aggregate { fold, by, without, of })
    }

    /// `by (a, b)` or `without (a, b)`.
    fn grouping(&mut self) -> Result<Option<(Vec<String>, bool)>, QueryError> {
        let word = self.peek_word();
        if word != "by" && word != "without" {
            return Ok(None);
        }
        self.at += word.len();
        self.expect('(')?;
        let mut labels = Vec::new();
        while !self.take(')') {
            let label = self.peek_word();
            if label.is_empty() {
                return Err(self.error("expected a label name"));
            }
            self.at += label.len();
            labels.push(label.to_owned());
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(Some((labels, word == "without")))
    }
}

/// `1h30m` and the like in milliseconds: units from large to small, each once.
pub(super) fn duration(text: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 7] = [
        ("y", 365 * 86_400_000),
        ("w", 7 * 86_400_000),
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    let mut rest = text;
    let mut total = 0i64;
    let mut allowed = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = &rest[..rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len())];
        let place = UNITS.iter().position(|(name, _)| *name == unit).filter(|&place| place >= allowed)?;
        allowed = place + 1;
        total = total.checked_add(number.checked_mul(UNITS[place].1)?)?;
        rest = &rest[unit.len()..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn operators_bind_as_in_promql() {
        let expr = parse("1 + 2 * -(3 - 4) # why").unwrap();
        let Expr::Binary { op: Op::Add, right, .. } = expr else { panic!("{expr:?}") };
        assert!(matches!(*right, Expr::Binary { op: Op::Mul, .. }));
        assert_eq!(parse("-1e3").unwrap(), Expr::Number(-1000.0));
        assert_eq!(parse("0x1F").unwrap(), Expr::Number(31.0));
        assert!(matches!(parse("sum by (a, b) (rate(x[5m]))").unwrap(), Expr::Aggregate { .. }));
        assert_eq!(parse("sum(x) by (a)").unwrap(), parse("sum by (a,) (x)").unwrap());
        assert!(matches!(parse("sum{a=\"b\"}").unwrap(), Expr::Instant(_)));
        assert!(matches!(parse("rate").unwrap(), Expr::Instant(_)));
        assert!(matches!(parse("infinite").unwrap(), Expr::Instant(_)));
    }

    #[test]
    fn durations() {
        assert_eq!(duration("1h30m"), Some(5_400_000));
        assert_eq!(duration("1m500ms"), Some(60_500));
        for bad in ["", "5", "m", "1m1h", "1m1m", "-1m", "1.5h", "99999999999999999y"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_place() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert!(error("1 +\n abs(x)").contains("2:2: parse error: the function abs() is not understood yet"));
        assert!(error("x[5m]").contains("1:2: parse error: a range selector"));
        assert!(error("x offset 5m").contains("`offset`"));
        assert!(error("x > 1").contains("\">\" is not understood here"));
        assert!(error("rate(x[5m:1m])").contains("subqueries"));
        assert!(error("x{a=\"b}").contains("1:5: parse error: the string has no closing \""));
        assert!(error("").contains("no expression found"));
        assert!(error(&"(".repeat(100_000)).contains("nested too deeply"));
        assert!(error(&"1+".repeat(100_000)).contains("more than 500 operators"));
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(text in "(rate|sum|by|x|[0-9.]+|[(){}\\[\\]\"=,+*/-]| |5m|\\PC)*") {
            let _ = parse(&text);
        }
    }
}
