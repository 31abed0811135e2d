//! Evaluates pipelines: operands, and calls of functions with their arguments.

use std::ops::Range;

use super::super::ast::{Command, Operand, OperandKind, Pipe};
use super::super::function::{Function, Kind, Parameter};
use super::super::value::Value;
use super::super::world::Problem;
use super::{Ran, Run};

impl<'t> Run<'t, '_> {
    /// The value of a pipeline, which its variables are given too. A `range` sets its own.
    pub(super) fn pipe(&mut self, pipe: &'t Pipe, dot: &Value) -> Ran<Value> {
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, dot, value)?);
        }
        let value = value.unwrap_or_default();
        for place in &pipe.variables {
            self.set(*place, value.clone());
        }
        Ok(value)
    }

    /// A command, given the value of the stage before.
    fn command(&mut self, command: &'t Command, dot: &Value, given: Option<Value>) -> Ran<Value> {
        self.step(&command.span)?;
        let first = &command.first;
        match &first.kind {
            OperandKind::Function(function) => self.call(function, command, dot, given),
            OperandKind::Field(_) if *dot == Value::Nil => Ok(Value::Nil),
            OperandKind::Field(names) => self.fields(first, dot, names, command, dot, given),
            OperandKind::Variable(place, names) => {
                let base = self.frame.get(*place).cloned().unwrap_or_default();
                if names.is_empty() {
                    self.takes_no_arguments(command, given.as_ref())?;
                    return Ok(base);
                }
                self.fields(first, &base, names, command, dot, given)
            }
            OperandKind::Chain(base, names) => {
                let base = self.operand(base, dot)?;
                self.fields(first, &base, names, command, dot, given)
            }
            OperandKind::Dot | OperandKind::Literal(_) | OperandKind::Pipe(_) => {
                self.takes_no_arguments(command, given.as_ref())?;
                if matches!(first.kind, OperandKind::Literal(Value::Nil)) {
                    return Err(self.error(&first.span, "nil is not a command"));
                }
                self.operand(first, dot)
            }
        }
    }

    fn takes_no_arguments(&self, command: &Command, given: Option<&Value>) -> Ran<()> {
        if command.arguments.is_empty() && given.is_none() {
            return Ok(());
        }
        let written = self.tree.source.text.get(command.first.span.clone()).unwrap_or("");
        Err(self.error(&command.first.span, format!("can't give argument to non-function {written}")))
    }

    /// An operand alone: an argument, or what fields are asked of.
    fn operand(&mut self, operand: &'t Operand, dot: &Value) -> Ran<Value> {
        self.step(&operand.span)?;
        match &operand.kind {
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Literal(value) => Ok(value.clone()),
            // A template that is given nothing has fields without values, not an error.
            OperandKind::Field(_) if *dot == Value::Nil => Ok(Value::Nil),
            OperandKind::Field(names) => self.plain_fields(operand, dot.clone(), names),
            OperandKind::Variable(place, names) => {
                let base = self.frame.get(*place).cloned().unwrap_or_default();
                self.plain_fields(operand, base, names)
            }
            OperandKind::Chain(base, names) => {
                let base = self.operand(base, dot)?;
                self.plain_fields(operand, base, names)
            }
            OperandKind::Function(function) => self.call_with(function, operand, Vec::new()),
            OperandKind::Pipe(pipe) => self.deeper(&operand.span, |run| run.pipe(pipe, dot)),
        }
    }

    /// A function that stands first in a command.
    fn call(
        &mut self,
        function: &'static Function,
        command: &'t Command,
        dot: &Value,
        given: Option<Value>,
    ) -> Ran<Value> {
        let count = command.arguments.len() + usize::from(given.is_some());
        self.check_count(function, &command.first, count)?;
        if let Kind::Until(stop) = function.kind {
            return self.first_that_is(stop, command, dot, given);
        }
        let mut values = Vec::with_capacity(count);
        for (at, argument) in command.arguments.iter().enumerate() {
            values.push(self.argument(argument, dot, function.parameter(at))?);
        }
        if let Some(given) = given {
            let fits = function.parameter(values.len()).check(&given);
            self.at(&command.span, fits)?;
            values.push(given);
        }
        self.apply(function, &command.span, &values)
    }

    fn check_count(&self, function: &Function, operand: &Operand, count: usize) -> Ran<()> {
        let least = function.parameters.len();
        let wanted = match function.rest {
            Some(_) if count < least => format!("at least {least}"),
            None if count != least => least.to_string(),
            _ => return Ok(()),
        };
        let message = format!("wrong number of args for {}: want {wanted} got {count}", function.name);
        Err(self.error(&operand.span, message))
    }

    fn call_with(
        &mut self,
        function: &'static Function,
        operand: &Operand,
        values: Vec<Value>,
    ) -> Ran<Value> {
        self.check_count(function, operand, values.len())?;
        self.apply(function, &operand.span, &values)
    }

    fn apply(&mut self, function: &'static Function, span: &Range<usize>, values: &[Value]) -> Ran<Value> {
        let read = values.iter().map(|value| value.as_str().map_or(0, str::len)).sum();
        let counted = self.world.bytes(read);
        self.at(span, counted)?;
        let Kind::Plain(call) = function.kind else { return Ok(Value::Nil) };
        let ran = call(&mut self.world, values).and_then(|value| {
            let written = value.as_str().map_or(0, str::len);
            self.world.length(written)?;
            self.world.bytes(written)?;
            Ok(value)
        });
        ran.map_err(|problem| match problem {
            Problem::Failed(message) => {
                self.error(span, format!("error calling {}: {message}", function.name))
            }
            Problem::Limit(message) => self.error(span, message),
        })
    }

    /// `and` and `or`: the first argument whose truth is `stop`, or else the last. Those after are not
    /// evaluated.
    fn first_that_is(
        &mut self,
        stop: bool,
        command: &'t Command,
        dot: &Value,
        given: Option<Value>,
    ) -> Ran<Value> {
        let mut last = Value::Nil;
        for argument in &command.arguments {
            last = self.argument(argument, dot, Parameter::Any)?;
            if last.is_true() == stop {
                return Ok(last);
            }
        }
        Ok(given.unwrap_or(last))
    }

    /// An argument, checked against what the function takes.
    pub(super) fn argument(&mut self, operand: &'t Operand, dot: &Value, parameter: Parameter) -> Ran<Value> {
        let value = self.operand(operand, dot)?;
        let fits = match (&operand.kind, &value) {
            (_, value) if parameter.takes(value) => Ok(()),
            (OperandKind::Literal(Value::Nil), _) => {
                Err(format!("cannot assign nil to {}", parameter.type_name()))
            }
            (OperandKind::Literal(_), _) => {
                let written = self.tree.source.text.get(operand.span.clone()).unwrap_or("");
                let wanted = parameter.type_name();
                Err(match parameter {
                    Parameter::Text => format!("expected {wanted}; found {written}"),
                    _ => format!("can't handle {written} for arg of type {wanted}"),
                })
            }
            _ => return self.at(&operand.span, parameter.check(&value)).map(|()| value),
        };
        fits.map_err(|message| self.error(&operand.span, message))?;
        Ok(value)
    }
}
