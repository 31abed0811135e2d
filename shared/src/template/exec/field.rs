//! Asks values for their fields: of records, keys of maps, parts of lists, and methods.

use std::sync::Arc;

use super::super::ast::{Command, Operand};
use super::super::function::Parameter;
use super::super::method;
use super::super::value::Value;
use super::super::world::Problem;
use super::{Ran, Run};

impl<'t> Run<'t, '_> {
    /// `.a.b` that stands first in a command: the last field is given the arguments, if it is a method.
    pub(super) fn fields(
        &mut self,
        operand: &Operand,
        base: &Value,
        names: &[Arc<str>],
        command: &'t Command,
        dot: &Value,
        given: Option<Value>,
    ) -> Ran<Value> {
        let mut arguments = Vec::new();
        for argument in &command.arguments {
            arguments.push(self.argument(argument, dot, Parameter::Any)?);
        }
        arguments.extend(given);
        let Some((last, path)) = names.split_last() else { return Ok(base.clone()) };
        let base = self.plain_fields(operand, base.clone(), path)?;
        let value = self.field(&base, last, &arguments);
        self.at(&operand.span, value)
    }

    /// `.a.b` without arguments.
    pub(super) fn plain_fields(&mut self, operand: &Operand, base: Value, names: &[Arc<str>]) -> Ran<Value> {
        let mut value = base;
        for name in names {
            let field = self.field(&value, name, &[]);
            value = self.at(&operand.span, field)?;
        }
        Ok(value)
    }

    fn field(&mut self, of: &Value, name: &str, arguments: &[Value]) -> Result<Value, Problem> {
        self.world.steps(1)?;
        if let Some(called) = method::call(&mut self.world, of, name, arguments) {
            return called;
        }
        let found = match of {
            Value::Record(record) => record.field(name).cloned(),
            Value::Map(map) => Some(map.at(name)),
            Value::List(list) => {
                list.parts.iter().find_map(|(part, value)| (part == name).then(|| value.clone()))
            }
            Value::Nil => return Err(format!("nil pointer evaluating interface {{}}.{name}").into()),
            _ => None,
        };
        match found {
            None => Err(format!("can't evaluate field {name} in type {}", of.type_name()).into()),
            Some(_) if !arguments.is_empty() => {
                Err(format!("{name} is not a method but has arguments").into())
            }
            Some(value) => Ok(value),
        }
    }
}
