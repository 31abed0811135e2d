//! The parser's tree as a plan: places put back by walking the tokens beside it, types checked once more.

use std::time::{Duration, SystemTime};

use promql_parser::label::MatchOp as TreeMatch;
use promql_parser::parser as tree;

use super::error::ParseError;
use super::function::Func;
use super::invariant::marked;
use super::plan::{Aggregate, At, Binary, Card, Expr, Fold, Kind, Node, Op, Selector, Shift, Subquery};
use super::token::Token;
use crate::labels::{METRIC_NAME, MatchOp, Matcher};

/// What a text comes to.
pub(super) struct Lowered {
    pub(super) expr: Expr,
    /// What in it is only known by name.
    pub(super) unsupported: Option<String>,
    /// Where each selector takes one more matcher.
    pub(super) gaps: Vec<Gap>,
}

/// A place in the text for one more matcher, and what must stand around it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) at: usize,
    pub(super) before: &'static str,
    pub(super) after: &'static str,
}

/// The plan of a tree.
pub(super) fn lower(text: &str, tokens: &[Token], tree: &tree::Expr) -> Result<Lowered, ParseError> {
    let mut walk = Walk { text, tokens, next: 0, unsupported: None, gaps: Vec::new() };
    let expr = walk.expr(tree)?;
    Ok(Lowered { expr: marked(expr), unsupported: walk.unsupported, gaps: walk.gaps })
}

struct Walk<'a> {
    text: &'a str,
    tokens: &'a [Token],
    next: usize,
    unsupported: Option<String>,
    gaps: Vec<Gap>,
}

impl Walk<'_> {
    fn word(&self) -> &str {
        self.tokens.get(self.next).map_or("", |token| &self.text[token.span.clone()])
    }

    fn is(&self, word: &str) -> bool {
        self.word().eq_ignore_ascii_case(word)
    }

    fn eat(&mut self, word: &str) -> bool {
        let there = self.is(word);
        self.next += usize::from(there);
        there
    }

    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or(self.text.len(), |token| token.span.start)
    }

    fn error(&self, at: usize, problem: impl Into<String>) -> ParseError {
        ParseError::at(self.text, at, problem)
    }

    fn signs(&mut self) {
        while self.is("-") || self.is("+") {
            self.next += 1;
        }
    }

    /// Past the bracket that closes the one that is next.
    fn group(&mut self) {
        let mut depth = 0;
        while self.next < self.tokens.len() {
            match self.word() {
                "(" | "{" | "[" => depth += 1,
                ")" | "}" | "]" => depth -= 1,
                _ => {}
            }
            self.next += 1;
            if depth <= 0 {
                return;
            }
        }
    }

    /// `offset …` and `@ …`, in any order.
    fn modifiers(&mut self) {
        loop {
            if self.eat("offset") {
                self.signs();
                self.next += 1;
            } else if self.eat("@") {
                self.signs();
                self.next += 1;
                if self.is("(") {
                    self.group();
                }
            } else {
                return;
            }
        }
    }

    fn not_supported(&mut self, what: String) {
        self.unsupported.get_or_insert(what);
    }

    fn expr(&mut self, expr: &tree::Expr) -> Result<Expr, ParseError> {
        let at = self.place();
        let node = match expr {
            tree::Expr::Paren(paren) => {
                self.signs();
                self.eat("(");
                let inner = self.expr(&paren.expr)?;
                self.eat(")");
                inner.node
            }
            tree::Expr::NumberLiteral(number) => {
                self.signs();
                self.next += 1;
                Node::Number(number.val)
            }
            tree::Expr::StringLiteral(string) => {
                self.signs();
                self.next += 1;
                Node::Text(string.val.clone())
            }
            tree::Expr::VectorSelector(selector) => Node::Instant(self.selector(selector, at)?),
            tree::Expr::MatrixSelector(matrix) => {
                let selector = self.selector(&matrix.vs, at)?;
                if self.is("[") {
                    self.group();
                }
                self.modifiers();
                Node::Range(selector, millis(matrix.range))
            }
            tree::Expr::Subquery(subquery) => {
                let of = self.expr(&subquery.expr)?;
                if self.is("[") {
                    self.group();
                }
                self.modifiers();
                let shift = shift(subquery.offset.as_ref(), subquery.at.as_ref());
                let step_ms = subquery.step.map(millis);
                Node::Subquery(Box::new(Subquery { of, range_ms: millis(subquery.range), step_ms, shift }))
            }
            tree::Expr::Unary(unary) => {
                while self.eat("+") {}
                self.eat("-");
                Node::Negate(Box::new(self.expr(&unary.expr)?))
            }
            tree::Expr::Binary(binary) => self.binary(binary)?,
            tree::Expr::Aggregate(aggregate) => self.aggregate(aggregate)?,
            tree::Expr::Call(call) => self.call(call, at)?,
            tree::Expr::Extension(_) => return Err(self.error(at, "not understood")),
        };
        Ok(Expr { at, node })
    }

    fn selector(&mut self, selector: &tree::VectorSelector, at: usize) -> Result<Selector, ParseError> {
        self.signs();
        let mut matchers = Vec::new();
        if let Some(name) = &selector.name {
            matchers.push(Matcher::equal(METRIC_NAME, name));
        }
        if !self.is("{") {
            self.next += 1;
        }
        if self.is("{") {
            let open = self.next;
            self.group();
            self.named_once(open, selector.name.is_some())?;
            self.gap_before_brace();
        } else if let Some(name) = self.next.checked_sub(1).and_then(|name| self.tokens.get(name)) {
            self.gaps.push(Gap { at: name.span.end, before: "{", after: "}" });
        }
        self.modifiers();
        if !selector.matchers.or_matchers.is_empty() {
            self.not_supported("`or` between label matchers is".to_owned());
        }
        for matcher in &selector.matchers.matchers {
            let op = match matcher.op {
                TreeMatch::Equal => MatchOp::Equal,
                TreeMatch::NotEqual => MatchOp::NotEqual,
                TreeMatch::Re(_) => MatchOp::Regex,
                TreeMatch::NotRe(_) => MatchOp::NotRegex,
            };
            let matcher = Matcher::new(&matcher.name, op, &matcher.value);
            matchers.push(matcher.map_err(|e| self.error(at, e.to_string()))?);
        }
        if matchers.iter().all(|matcher| matcher.matches("")) {
            return Err(self.error(at, "vector selector must contain at least one non-empty matcher"));
        }
        Ok(Selector { matchers, shift: shift(selector.offset.as_ref(), selector.at.as_ref()) })
    }

    /// The braces that were just passed take one more matcher at their end.
    fn gap_before_brace(&mut self) {
        let back = |back: usize| self.next.checked_sub(back).and_then(|at| self.tokens.get(at));
        let (Some(close), Some(last)) = (back(1), back(2)) else { return };
        let ends = matches!(&self.text[last.span.clone()], "{" | ",");
        // Right behind what is there already, so that white space stays where it was.
        self.gaps.push(Gap {
            at: if ends { close.span.start } else { last.span.end },
            before: if ends { "" } else { "," },
            after: "",
        });
    }

    /// A metric's name in quotes stands alone in the braces, and then no other name does.
    fn named_once(&self, open: usize, named: bool) -> Result<(), ParseError> {
        let inside = &self.tokens[open..self.next];
        let word = |at: usize| inside.get(at).map_or("", |token| &self.text[token.span.clone()]);
        let starts = |at: usize| matches!(word(at - 1), "{" | ",");
        let quoted = |at: &usize| {
            starts(*at) && word(*at).starts_with(['"', '\'', '`']) && matches!(word(at + 1), "," | "}")
        };
        let names = (1..inside.len()).filter(quoted).count() + usize::from(named);
        let label = (1..inside.len()).any(|at| {
            starts(at)
                && word(at).trim_matches(['"', '\'', '`']) == METRIC_NAME
                && !matches!(word(at + 1), "," | "}")
        });
        if names > 1 || (names == 1 && label) {
            let at = inside.first().map_or(0, |token| token.span.start);
            return Err(self.error(at, "metric name must not be set twice"));
        }
        Ok(())
    }

    fn binary(&mut self, binary: &tree::BinaryExpr) -> Result<Node, ParseError> {
        let left = self.expr(&binary.lhs)?;
        let at = self.place();
        self.next += 1;
        while ["bool", "on", "ignoring", "group_left", "group_right", "fill", "fill_left", "fill_right"]
            .iter()
            .any(|word| self.is(word))
        {
            let takes_list = !self.is("bool");
            self.next += 1;
            if takes_list && self.is("(") {
                self.group();
            }
        }
        let right = self.expr(&binary.rhs)?;
        let Some(op) = operator(&binary.op.to_string()) else {
            return Err(self.error(at, format!("unknown operator {}", binary.op)));
        };
        let modifier = binary.modifier.clone().unwrap_or_default();
        if modifier.fill_values.lhs.is_some() || modifier.fill_values.rhs.is_some() {
            self.not_supported("the experimental modifier fill() is".to_owned());
        }
        let (on, mut labels) = match modifier.matching {
            Some(tree::LabelModifier::Include(labels)) => (true, labels.labels),
            Some(tree::LabelModifier::Exclude(labels)) => (false, labels.labels),
            None => (false, Vec::new()),
        };
        labels.sort();
        labels.dedup();
        let card = match modifier.card {
            tree::VectorMatchCardinality::ManyToOne(labels) => Card::ManyToOne(labels.labels),
            tree::VectorMatchCardinality::OneToMany(labels) => Card::OneToMany(labels.labels),
            _ => Card::OneToOne,
        };
        let bool_result = modifier.return_bool;
        Ok(Node::Binary(Box::new(Binary { op, bool_result, labels, on, card, left, right })))
    }

    fn aggregate(&mut self, aggregate: &tree::AggregateExpr) -> Result<Node, ParseError> {
        self.signs();
        let name = aggregate.op.to_string();
        self.next += 1;
        let clause = |walk: &mut Self| {
            if walk.eat("by") || walk.eat("without") {
                walk.group();
            }
        };
        clause(self);
        self.eat("(");
        let param = match &aggregate.param {
            Some(param) => {
                let param = self.expr(param)?;
                self.eat(",");
                Some(param)
            }
            None => None,
        };
        let of = self.expr(&aggregate.expr)?;
        self.eat(")");
        clause(self);
        let Some(fold) = fold(&name) else {
            return Err(self.error(of.at, format!("unknown aggregation {name}")));
        };
        if let Some(param) = &param {
            let wanted = if fold == Fold::CountValues { Kind::Text } else { Kind::Scalar };
            if param.kind() != wanted {
                let problem = format!(
                    "expected type {} in aggregation parameter, got {}",
                    wanted.as_str(),
                    param.kind().as_str()
                );
                return Err(self.error(param.at, problem));
            }
        }
        let (without, mut labels) = match &aggregate.modifier {
            Some(tree::LabelModifier::Include(labels)) => (false, labels.labels.clone()),
            Some(tree::LabelModifier::Exclude(labels)) => (true, labels.labels.clone()),
            None => (false, Vec::new()),
        };
        labels.sort();
        labels.dedup();
        Ok(Node::Aggregate(Box::new(Aggregate { fold, labels, without, param, of })))
    }

    fn call(&mut self, call: &tree::Call, at: usize) -> Result<Node, ParseError> {
        self.signs();
        self.next += 1;
        self.eat("(");
        let mut args = Vec::with_capacity(call.args.args.len());
        for arg in &call.args.args {
            args.push(self.expr(arg)?);
            self.eat(",");
        }
        self.eat(")");
        match Func::named(call.func.name) {
            Some(Ok(func)) => Ok(Node::Call(func, args)),
            Some(Err(what)) => {
                self.not_supported(what);
                Ok(Node::Call(Func::Vector, vec![Expr { at, node: Node::Number(0.0) }]))
            }
            None => Err(self.error(at, format!("unknown function with name {:?}", call.func.name))),
        }
    }
}

impl Kind {
    /// As Prometheus's errors call it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
            Self::Text => "string",
        }
    }
}

fn operator(sign: &str) -> Option<Op> {
    Some(match sign {
        "+" => Op::Add,
        "-" => Op::Sub,
        "*" => Op::Mul,
        "/" => Op::Div,
        "%" => Op::Mod,
        "^" => Op::Pow,
        "atan2" => Op::Atan2,
        "==" => Op::Equal,
        "!=" => Op::NotEqual,
        "<" => Op::Less,
        ">" => Op::Greater,
        "<=" => Op::LessEqual,
        ">=" => Op::GreaterEqual,
        "and" => Op::And,
        "or" => Op::Or,
        "unless" => Op::Unless,
        _ => return None,
    })
}

fn fold(name: &str) -> Option<Fold> {
    Some(match name {
        "sum" => Fold::Sum,
        "avg" => Fold::Avg,
        "min" => Fold::Min,
        "max" => Fold::Max,
        "count" => Fold::Count,
        "group" => Fold::Group,
        "stddev" => Fold::Stddev,
        "stdvar" => Fold::Stdvar,
        "quantile" => Fold::Quantile,
        "topk" => Fold::TopK,
        "bottomk" => Fold::BottomK,
        "limitk" => Fold::LimitK,
        "limit_ratio" => Fold::LimitRatio,
        "count_values" => Fold::CountValues,
        _ => return None,
    })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn shift(offset: Option<&tree::Offset>, at: Option<&tree::AtModifier>) -> Shift {
    let offset_ms = match offset {
        Some(tree::Offset::Pos(duration)) => millis(*duration),
        Some(tree::Offset::Neg(duration)) => -millis(*duration),
        None => 0,
    };
    let at = at.map(|at| match at {
        tree::AtModifier::Start => At::Start,
        tree::AtModifier::End => At::End,
        tree::AtModifier::At(time) => At::Ms(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        }),
    });
    Shift { offset_ms, at }
}
