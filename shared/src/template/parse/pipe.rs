//! Pipelines: what stands inside `{{…}}` and inside parentheses.

use std::sync::Arc;

use super::super::ast::{Command, Operand, OperandKind, Pipe};
use super::super::error::TemplateError;
use super::super::function;
use super::super::lex::{Kind, Token};
use super::super::value::Value;
use super::Parser;
use crate::labels::quote::unquote;

impl<'a> Parser<'a> {
    /// A pipeline up to and with its `}}`. Only a `range` may declare two variables.
    pub(super) fn pipe(&mut self, context: &str, two: bool) -> Result<Pipe, TemplateError> {
        self.pipe_until(context, two, &Kind::Right)
    }

    fn pipe_until(&mut self, context: &str, two: bool, end: &Kind) -> Result<Pipe, TemplateError> {
        self.skip_space();
        let start = self.peek().span.start;
        let variables = self.declarations(context, two)?;
        let mut commands = Vec::new();
        loop {
            self.skip_space();
            let token = self.peek().clone();
            if token.kind == *end {
                self.next();
                self.check_stages(&commands, context, token.span.start)?;
                return Ok(Pipe { span: start..token.span.start, variables, commands });
            }
            commands.push(self.command(context)?);
            self.skip_space();
            let token = self.peek().clone();
            match token.kind {
                Kind::Sign('|') => {
                    self.next();
                }
                ref kind if kind == end => {}
                _ => return Err(self.unexpected(&token, context)),
            }
        }
    }

    /// `$x :=`, `$x =`, `$i, $x :=`: the places of the variables.
    fn declarations(&mut self, context: &str, two: bool) -> Result<Vec<usize>, TemplateError> {
        let start = self.at;
        let mut names = Vec::new();
        while self.peek().kind == Kind::Variable {
            names.push(self.next());
            self.skip_space();
            let token = self.peek().clone();
            match token.kind {
                Kind::Declare => {
                    self.next();
                    return names
                        .iter()
                        .map(|name| self.declare(name.span.start, self.text_of(name)))
                        .collect();
                }
                Kind::Assign => {
                    self.next();
                    return names.iter().map(|name| self.variable(name)).collect();
                }
                Kind::Sign(',') if !two || names.len() == 2 => {
                    return Err(self.error(token.span.start, format!("too many declarations in {context}")));
                }
                Kind::Sign(',') => {
                    self.next();
                    self.skip_space();
                    if self.peek().kind != Kind::Variable {
                        return Err(self.error(token.span.start, "range can only initialize variables"));
                    }
                }
                _ => break,
            }
        }
        if names.len() > 1 {
            return Err(self.unexpected(self.peek(), context));
        }
        self.at = start;
        Ok(Vec::new())
    }

    /// A stage that is not the first is given a value, so it must be able to take one.
    fn check_stages(&self, commands: &[Command], context: &str, end: usize) -> Result<(), TemplateError> {
        if commands.is_empty() {
            return Err(self.error(end, format!("missing value for {context}")));
        }
        for (at, command) in commands.iter().enumerate().skip(1) {
            if matches!(command.first.kind, OperandKind::Dot | OperandKind::Literal(_)) {
                let message = format!("non executable command in pipeline stage {}", at + 1);
                return Err(self.error(command.span.start, message));
            }
        }
        Ok(())
    }

    /// Operands with white space between them.
    fn command(&mut self, context: &str) -> Result<Command, TemplateError> {
        let first = self.operand(context)?;
        let mut span = first.span.clone();
        let mut arguments = Vec::new();
        while self.peek().kind == Kind::Space {
            self.skip_space();
            if matches!(self.peek().kind, Kind::Sign('|' | ')') | Kind::Right | Kind::End | Kind::Error(_)) {
                break;
            }
            let argument = self.operand(context)?;
            span.end = argument.span.end;
            arguments.push(argument);
        }
        Ok(Command { span, first, arguments })
    }

    /// A term with the fields after it.
    fn operand(&mut self, context: &str) -> Result<Operand, TemplateError> {
        let term = self.term(context)?;
        let mut fields = Vec::new();
        let mut span = term.span.clone();
        while self.peek().kind == Kind::Field {
            let token = self.next();
            span.end = token.span.end;
            fields.push(self.field(&token));
        }
        if fields.is_empty() {
            return Ok(term);
        }
        let kind = match term.kind {
            OperandKind::Field(first) => OperandKind::Field([first, fields].concat()),
            OperandKind::Variable(place, first) => OperandKind::Variable(place, [first, fields].concat()),
            OperandKind::Dot | OperandKind::Literal(_) => {
                let written = &self.source.text[term.span.clone()];
                return Err(self.error(term.span.end, format!("unexpected . after term {written:?}")));
            }
            OperandKind::Function(_) | OperandKind::Pipe(_) | OperandKind::Chain(..) => {
                OperandKind::Chain(Box::new(term), fields)
            }
        };
        Ok(Operand { span, kind })
    }

    fn field(&self, token: &Token) -> Arc<str> {
        self.text_of(token).trim_start_matches('.').into()
    }

    fn term(&mut self, context: &str) -> Result<Operand, TemplateError> {
        let token = self.next();
        let text = self.text_of(&token);
        let mut span = token.span.clone();
        let kind = match token.kind {
            Kind::Dot => OperandKind::Dot,
            Kind::Keyword if text == "nil" => OperandKind::Literal(Value::Nil),
            Kind::Bool => OperandKind::Literal(Value::Bool(text == "true")),
            Kind::Field => OperandKind::Field(vec![self.field(&token)]),
            Kind::Variable => OperandKind::Variable(self.variable(&token)?, Vec::new()),
            Kind::Identifier => OperandKind::Function(
                function::find(text)
                    .ok_or_else(|| self.error(span.start, format!("function {text:?} not defined")))?,
            ),
            Kind::Number => OperandKind::Literal(number(text).map_err(|e| self.error(span.start, e))?),
            Kind::Char => {
                let value = unquote(text).ok().map(|(value, _)| value);
                let mut chars = value.as_deref().unwrap_or("").chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) => OperandKind::Literal(Value::Int(i64::from(u32::from(c)))),
                    _ => return Err(self.error(span.start, format!("malformed character constant: {text}"))),
                }
            }
            Kind::Quoted | Kind::Raw => OperandKind::Literal(self.string(&token)?.into()),
            Kind::Sign('(') => {
                let pipe = self
                    .nested(|parser| parser.pipe_until("parenthesized pipeline", false, &Kind::Sign(')')))?;
                span.end = pipe.span.end + 1;
                OperandKind::Pipe(Box::new(pipe))
            }
            _ => return Err(self.unexpected(&token, if text == "|" { context } else { "operand" })),
        };
        Ok(Operand { span, kind })
    }

    /// The place of a variable that is in scope.
    fn variable(&self, token: &Token) -> Result<usize, TemplateError> {
        let name = self.text_of(token);
        self.variables
            .iter()
            .rposition(|known| *known == name)
            .ok_or_else(|| self.error(token.span.start, format!("undefined variable {name:?}")))
    }

    pub(super) fn string(&self, token: &Token) -> Result<String, TemplateError> {
        // A carriage return is no part of a raw string, in Go.
        let text = self.text_of(token);
        let (value, _) = unquote(text).map_err(|e| self.error(token.span.start, e.to_string()))?;
        Ok(if token.kind == Kind::Raw { value.replace('\r', "") } else { value })
    }
}

/// A number as Go's templates take it: with a point or an exponent it is a float, else an int.
fn number(text: &str) -> Result<Value, String> {
    let unsigned = text.trim_start_matches(['+', '-']);
    let negative = text.starts_with('-');
    let bad = || format!("bad number syntax: {text:?}");
    let lower = unsigned.to_ascii_lowercase();
    if lower.ends_with('i') && lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return Err(format!("complex numbers are not supported: {text:?}"));
    }
    let (digits, radix) = match (lower.get(..2), lower.len()) {
        (Some("0x"), 3..) => (&lower[2..], 16),
        (Some("0o"), 3..) => (&lower[2..], 8),
        (Some("0b"), 3..) => (&lower[2..], 2),
        _ => (lower.as_str(), 10),
    };
    let plain = underscores(digits, radix != 10 || digits.starts_with('0')).ok_or_else(bad)?;
    let is_float = if radix == 16 { plain.contains(['.', 'p']) } else { plain.contains(['.', 'e', 'p']) };
    if is_float {
        let value = match radix {
            16 => hexadecimal_float(&plain),
            10 => plain.parse::<f64>().ok(),
            _ => None,
        };
        let value = value.filter(|value| value.is_finite()).ok_or_else(bad)?;
        return Ok(Value::Float(if negative { -value } else { value }));
    }
    // A zero before the digits says octal, as ever in C.
    let radix = if radix == 10 && plain.len() > 1 && plain.starts_with('0') { 8 } else { radix };
    if plain.is_empty() || !plain.chars().all(|c| c.is_digit(radix)) {
        return Err(bad());
    }
    let size = i128::from_str_radix(&plain, radix).map_err(|_| format!("integer overflow: {text:?}"))?;
    i64::try_from(if negative { -size } else { size })
        .map(Value::Int)
        .map_err(|_| format!("integer overflow: {text:?}"))
}

/// The digits without the underscores between them. One may stand first where a prefix goes before.
fn underscores(digits: &str, prefixed: bool) -> Option<String> {
    let stands_well =
        !digits.contains("__") && !digits.ends_with('_') && (prefixed || !digits.starts_with('_'));
    stands_well.then(|| digits.replace('_', ""))
}

/// `1.8p3`: a hexadecimal fraction with a binary exponent, without its `0x`.
fn hexadecimal_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let mut value = 0.0;
    for digit in whole.chars().chain(part.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let exponent: i32 = exponent.parse().ok()?;
    let places = i32::try_from(part.len()).ok()?.checked_mul(4)?;
    Some(value * 2.0_f64.powi(exponent.checked_sub(places)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_gos() {
        for (text, value) in [
            ("0", 0),
            ("-12", -12),
            ("+1_000", 1000),
            ("0x_fF", 255),
            ("0b101", 5),
            ("0o17", 15),
            ("017", 15),
            ("-9223372036854775808", i64::MIN),
        ] {
            assert_eq!(number(text), Ok(Value::Int(value)), "{text}");
        }
        for (text, value) in
            [("1.0", 1.0), ("-.5", -0.5), ("5.", 5.0), ("1e3", 1000.0), ("0x1p-2", 0.25), ("0x1.8p1", 3.0)]
        {
            assert_eq!(number(text), Ok(Value::Float(value)), "{text}");
        }
        for bad in
            ["1__0", "1_", "08", "0b2", "0x", "1e", "1e999", "0x1.8", "9223372036854775808", "1i", "1a"]
        {
            assert!(number(bad).is_err(), "{bad}");
        }
    }
}
