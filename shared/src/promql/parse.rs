//! From text to a [`Query`].

use std::fmt::Write as _;

use super::error::{EvalError, ParseError};
use super::lower::{Gap, Lowered, lower};
use super::plan::Expr;
use super::token::{Kind, Token, duration_ms, tokens};
use crate::labels::Matcher;

/// Brackets within brackets.
const MAX_DEPTH: usize = 100;
/// Operators, signs among them: each may be a level of the tree.
const MAX_OPERATORS: usize = 500;
/// What fits into Prometheus's durations: 292 years.
const MAX_DURATION_MS: f64 = 9_223_372_036_854.0;

/// A query that was understood, ready to be evaluated any number of times.
#[derive(Clone, Debug)]
pub struct Query {
    pub(super) text: String,
    pub(super) expr: Expr,
    /// The parser's own tree, to be written again.
    pub(super) tree: promql_parser::parser::Expr,
    /// Named, but not understood here: said when the query is evaluated.
    pub(super) unsupported: Option<String>,
    pub(super) gaps: Vec<Gap>,
}

impl Query {
    /// Reads a query.
    ///
    /// # Errors
    /// What is wrong with it and where. Bad text of any length and depth comes back as an error.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let tokens = tokens(text)?;
        guard(text, &tokens)?;
        let normal = normalised(text, &tokens)?;
        let tree = promql_parser::parser::parse(&normal)
            .map_err(|problem| blame(text, &tokens, problem.trim_end_matches('.')))?;
        let Lowered { expr, unsupported, gaps } = lower(text, &tokens, &tree)?;
        // Where the parser also understands the text as it was written, its durations are kept as written.
        let tree = promql_parser::parser::parse(text).unwrap_or(tree);
        Ok(Self { text: text.to_owned(), expr, tree, unsupported, gaps })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text with `label="value"` put into every selector.
    pub fn with_equal(&self, label: &str, value: &str) -> String {
        let matcher = Matcher::equal(label, value);
        let mut out = String::with_capacity(self.text.len() + 32 * self.gaps.len());
        let mut written = 0;
        for gap in &self.gaps {
            out.push_str(&self.text[written..gap.at]);
            // Writing to a String never fails.
            let _ = write!(out, "{}{matcher}{}", gap.before, gap.after);
            written = gap.at;
        }
        out.push_str(&self.text[written..]);
        out
    }

    /// Why it cannot be evaluated, if part of it is only known by name.
    pub fn unsupported(&self) -> Option<EvalError> {
        self.supported().err()
    }

    pub(super) fn supported(&self) -> Result<(), EvalError> {
        self.unsupported.clone().map_or(Ok(()), |what| Err(EvalError::NotSupported(what)))
    }
}

/// Refuses what would take the parser, or anyone who walks its tree, too deep.
fn guard(text: &str, tokens: &[Token]) -> Result<(), ParseError> {
    let (mut depth, mut operators) = (0usize, 0);
    for token in tokens {
        match &text[token.span.clone()] {
            "(" | "{" | "[" if token.kind == Kind::Sign => depth += 1,
            ")" | "}" | "]" if token.kind == Kind::Sign => depth = depth.saturating_sub(1),
            "," => {}
            word if token.kind == Kind::Sign || is_operator(word) => operators += 1,
            _ => {}
        }
        let error = |problem| Err(ParseError::at(text, token.span.start, problem));
        if depth > MAX_DEPTH {
            return error(format!("nested too deeply, more than {MAX_DEPTH} levels"));
        }
        if operators > MAX_OPERATORS {
            return error(format!("more than {MAX_OPERATORS} operators in one expression"));
        }
    }
    if tokens.is_empty() {
        return Err(ParseError::at(text, text.len(), "no expression found in input"));
    }
    Ok(())
}

fn is_operator(word: &str) -> bool {
    ["and", "or", "unless", "atan2"].iter().any(|known| known.eq_ignore_ascii_case(word))
}

/// The text with every duration as a number of seconds, in range: the parser's own reading of them stops
/// the program at some, and miscounts others.
fn normalised(text: &str, tokens: &[Token]) -> Result<String, ParseError> {
    let mut out = String::with_capacity(text.len());
    let mut written = 0;
    for (place, token) in tokens.iter().enumerate() {
        let word = &text[token.span.clone()];
        let before = |back: usize| place.checked_sub(back).map(|at| &text[tokens[at].span.clone()]);
        let signed = matches!(before(1), Some("-" | "+"));
        let offset = before(if signed { 2 } else { 1 }).is_some_and(|w| w.eq_ignore_ascii_case("offset"));
        let error = |problem: String| ParseError::at(text, token.span.start, problem);
        let ms = match token.kind {
            Kind::Duration => {
                let ms = duration_ms(word).ok_or_else(|| {
                    error(format!("bad number or duration syntax: {word:?}; write e.g. 5m or 1h30m"))
                })?;
                ms as f64
            }
            Kind::Number if token.bracketed || offset => {
                let seconds =
                    number(word).ok_or_else(|| error(format!("bad number or duration syntax: {word:?}")))?;
                (seconds * 1000.0).round()
            }
            Kind::Word if token.bracketed || (offset && computed(word)) => {
                return Err(error(duration_expression()));
            }
            Kind::Sign if offset && word == "(" => return Err(error(duration_expression())),
            Kind::Sign if token.bracketed && !matches!(word, "[" | ":") => {
                return Err(error(duration_expression()));
            }
            _ => continue,
        };
        if ms > MAX_DURATION_MS || ms.is_nan() {
            return Err(error("duration out of range".to_owned()));
        }
        if ms <= 0.0 && token.bracketed {
            return Err(error("duration must be greater than 0".to_owned()));
        }
        out.push_str(&text[written..token.span.start]);
        let whole = ms as u64;
        out.push_str(&format!("{}.{:03}", whole / 1000, whole % 1000));
        written = token.span.end;
    }
    out.push_str(&text[written..]);
    Ok(out)
}

/// No duration, but what an expression for one begins with.
fn computed(word: &str) -> bool {
    ["inf", "nan", "step", "range", "min", "max", "min_of", "max_of"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

fn duration_expression() -> String {
    "expected a duration, e.g. 5m; arithmetic with durations is experimental and not supported".to_owned()
}

/// A number of PromQL.
pub(super) fn number(word: &str) -> Option<f64> {
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok().map(|n| n as f64),
        None => word.parse().ok(),
    }
}

/// The parser does not say where; the first word that stands where it cannot stand is likely it.
fn blame(text: &str, tokens: &[Token], problem: &str) -> ParseError {
    if problem != "invalid promql query" {
        return ParseError::at(text, mentioned(text, tokens, problem), problem);
    }
    let mut operand = false;
    // Whether the next bracket lists labels, and which open ones do.
    let mut lists = false;
    let mut open = Vec::new();
    for token in tokens {
        let word = &text[token.span.clone()];
        let lower = word.to_ascii_lowercase();
        let unexpected = || ParseError::at(text, token.span.start, format!("unexpected {word:?}"));
        match (token.kind, lower.as_str()) {
            (Kind::Word, "smoothed" | "anchored") => {
                let problem = format!("the experimental modifier {lower} is not supported");
                return ParseError::at(text, token.span.start, problem);
            }
            (Kind::Word, "by" | "without" | "on" | "ignoring" | "group_left" | "group_right") => {
                lists = true;
                operand = false;
            }
            (Kind::Word, "bool" | "offset" | "fill" | "fill_left" | "fill_right") => operand = false,
            (Kind::Word, op) if is_operator(op) => {
                if !operand {
                    return unexpected();
                }
                operand = false;
            }
            (Kind::Word | Kind::Number | Kind::Duration | Kind::Text, _) => {
                if operand {
                    return unexpected();
                }
                operand = true;
            }
            (Kind::Sign, ")" | "}" | "]") => operand = !open.pop().unwrap_or(false),
            (Kind::Sign, "(" | "{" | "[") => {
                open.push(std::mem::take(&mut lists));
                operand = false;
            }
            (Kind::Sign, "@") => operand = false,
            (Kind::Sign, "," | ":" | "+" | "-") => operand = false,
            (Kind::Sign, _) => {
                if !operand {
                    return unexpected();
                }
                operand = false;
            }
        }
    }
    let problem = if operand { "not understood" } else { "unexpected end of input" };
    ParseError::at(text, text.len(), problem)
}

/// Where the first bracket closes that nothing opened.
fn never_opened(text: &str, tokens: &[Token]) -> Option<usize> {
    let mut open = 0usize;
    for token in tokens.iter().filter(|token| token.kind == Kind::Sign) {
        match &text[token.span.clone()] {
            "(" | "{" | "[" => open += 1,
            ")" | "}" | "]" if open == 0 => return Some(token.span.start),
            ")" | "}" | "]" => open -= 1,
            _ => {}
        }
    }
    None
}

/// Where the first thing stands that the parser's words quote; else the beginning.
fn mentioned(text: &str, tokens: &[Token], problem: &str) -> usize {
    let quoted = problem.split('\'').nth(1).unwrap_or("");
    if problem.starts_with("unexpected right ")
        && let Some(at) = never_opened(text, tokens)
    {
        return at;
    }
    let is = |token: &&Token| !quoted.is_empty() && &text[token.span.clone()] == quoted;
    let begins = |token: &&Token| token.kind == Kind::Sign && text[token.span.clone()].starts_with(quoted);
    let found = tokens.iter().find(is).or_else(|| tokens.iter().filter(|_| !quoted.is_empty()).find(begins));
    let end = problem.starts_with("unclosed") || problem.contains("unexpected end");
    found.map_or(if end { text.len() } else { 0 }, |token| token.span.start)
}
