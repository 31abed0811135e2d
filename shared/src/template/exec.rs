//! Runs a template: its blocks in order, its loops and branches.

use std::ops::Range;

use super::ast::{Block, Choice, Loop, Node, Pipe, Tree};
use super::error::TemplateError;
use super::fmt;
use super::host::Host;
use super::parse::Trees;
use super::value::Value;
use super::world::{Problem, World};

mod eval;
mod field;

/// Templates, blocks and parentheses in each other while running. More would be a danger to the stack.
const MAX_DEPTH: usize = 150;

/// Runs the template `name` over `data`. `variables` are those that it was parsed with.
pub(super) fn run(
    trees: &Trees,
    name: &str,
    data: &Value,
    variables: Vec<Value>,
    host: &mut dyn Host,
) -> Result<String, TemplateError> {
    let Some(tree) = trees.get(name) else {
        return Err(TemplateError::parse(name, "", 0, format!("template {name:?} not defined")));
    };
    let mut frame = vec![data.clone()];
    frame.extend(variables);
    let mut run = Run { trees, tree, world: World::new(host), out: String::new(), frame, depth: 0 };
    run.block(&tree.body, data)?;
    Ok(run.out)
}

/// Whether a block ran to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

struct Run<'t, 'h> {
    trees: &'t Trees,
    /// The template that runs.
    tree: &'t Tree,
    world: World<'h>,
    out: String,
    /// The variables of the template that runs, by the place that the parser gave them.
    frame: Vec<Value>,
    depth: usize,
}

/// The answer of a part of a template.
type Ran<T> = Result<T, TemplateError>;

impl<'t> Run<'t, '_> {
    fn error(&self, part: &Range<usize>, message: impl Into<String>) -> TemplateError {
        let source = &self.tree.source;
        TemplateError::parse(&source.name, &source.text, part.start, message)
            .executing(&self.tree.name, source.text.get(part.clone()).unwrap_or(""))
    }

    /// A problem of a step, at its place.
    fn at<T>(&self, part: &Range<usize>, ran: Result<T, Problem>) -> Ran<T> {
        ran.map_err(|problem| match problem {
            Problem::Failed(message) | Problem::Limit(message) => self.error(part, message),
        })
    }

    fn step(&mut self, part: &Range<usize>) -> Ran<()> {
        let counted = self.world.steps(1);
        self.at(part, counted)
    }

    /// One level deeper, and back.
    fn deeper<T>(&mut self, part: &Range<usize>, run: impl FnOnce(&mut Self) -> Ran<T>) -> Ran<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(
                part,
                format!("templates, blocks and parentheses nest more than {MAX_DEPTH} deep: does a template use itself without end?"),
            ));
        }
        let ran = run(self);
        self.depth -= 1;
        ran
    }

    fn write(&mut self, part: &Range<usize>, text: &str) -> Ran<()> {
        let counted =
            self.world.length(self.out.len() + text.len()).and_then(|()| self.world.bytes(text.len()));
        self.at(part, counted)?;
        self.out.push_str(text);
        Ok(())
    }

    fn block(&mut self, block: &'t Block, dot: &Value) -> Ran<Flow> {
        for node in block {
            let flow = self.node(node, dot)?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn node(&mut self, node: &'t Node, dot: &Value) -> Ran<Flow> {
        match node {
            Node::Text(span) => {
                self.step(span)?;
                let tree: &'t Tree = self.tree;
                self.write(span, tree.source.text.get(span.clone()).unwrap_or(""))?;
                Ok(Flow::On)
            }
            Node::Print(pipe) => {
                let value = self.pipe(pipe, dot)?;
                if pipe.variables.is_empty() {
                    let printed = fmt::printed(&value, self.world.limits.output_bytes)
                        .ok_or_else(|| self.world.too_long());
                    let printed = self.at(&pipe.span, printed)?;
                    self.write(&pipe.span, &printed)?;
                }
                Ok(Flow::On)
            }
            Node::If(choice) => self.choice(choice, dot, false),
            Node::With(choice) => self.choice(choice, dot, true),
            Node::Range(range) => self.range(range, dot),
            Node::Template { span, name, argument } => {
                self.template(span, name, argument.as_ref(), dot)?;
                Ok(Flow::On)
            }
            Node::Break => Ok(Flow::Break),
            Node::Continue => Ok(Flow::Continue),
        }
    }

    fn choice(&mut self, choice: &'t Choice, dot: &Value, with: bool) -> Ran<Flow> {
        for (pipe, body) in &choice.arms {
            let value = self.pipe(pipe, dot)?;
            if value.is_true() {
                let dot = if with { &value } else { dot };
                return self.deeper(&pipe.span, |run| run.block(body, dot));
            }
        }
        match (&choice.otherwise, choice.arms.first()) {
            (Some(body), Some((pipe, _))) => self.deeper(&pipe.span, |run| run.block(body, dot)),
            _ => Ok(Flow::On),
        }
    }

    fn range(&mut self, range: &'t Loop, dot: &Value) -> Ran<Flow> {
        let value = self.pipe(&range.pipe, dot)?;
        let span = range.pipe.commands.last().map_or(&range.pipe.span, |last| &last.span);
        let ran = match &value {
            Value::List(list) => {
                let numbered = list.items.iter().enumerate();
                self.rounds(range, numbered.map(|(at, item)| (count(at), item.clone())))?
            }
            Value::Map(map) => {
                let entries = map.entries.iter();
                self.rounds(range, entries.map(|(key, item)| (key.as_str().into(), item.clone())))?
            }
            Value::Int(_) if range.pipe.variables.len() > 1 => {
                let message =
                    format!("can't use {} to iterate over more than one variable", self.shown(&value));
                return Err(self.error(span, message));
            }
            Value::Int(end) => self.rounds(range, (0..*end).map(|at| (Value::Int(at), Value::Int(at))))?,
            Value::Nil => false,
            other => {
                let message = format!("range can't iterate over {}", self.shown(other));
                return Err(self.error(span, message));
            }
        };
        match &range.otherwise {
            Some(body) if !ran => self.deeper(span, |run| run.block(body, dot)),
            _ => Ok(Flow::On),
        }
    }

    /// The body for each item; whether there was any.
    fn rounds(&mut self, range: &'t Loop, items: impl Iterator<Item = (Value, Value)>) -> Ran<bool> {
        let span = &range.pipe.span;
        let mut ran = false;
        for (key, item) in items {
            ran = true;
            self.step(span)?;
            match range.pipe.variables[..] {
                [] => {}
                [one] => self.set(one, item.clone()),
                [first, second, ..] => {
                    self.set(first, key);
                    self.set(second, item.clone());
                }
            }
            if self.deeper(span, |run| run.block(&range.body, &item))? == Flow::Break {
                break;
            }
        }
        Ok(ran)
    }

    fn template(
        &mut self,
        span: &Range<usize>,
        name: &str,
        argument: Option<&'t Pipe>,
        dot: &Value,
    ) -> Ran<()> {
        self.step(span)?;
        let trees: &'t Trees = self.trees;
        let Some(tree) = trees.get(name) else {
            return Err(self.error(span, format!("template {name:?} not defined")));
        };
        let data = argument.map(|pipe| self.pipe(pipe, dot)).transpose()?.unwrap_or_default();
        self.deeper(span, |run| {
            let frame = std::mem::replace(&mut run.frame, vec![data.clone()]);
            let caller = std::mem::replace(&mut run.tree, tree);
            run.block(&tree.body, &data)?;
            run.tree = caller;
            run.frame = frame;
            Ok(())
        })
    }

    /// Gives the variable at a place its value. Those of blocks that have ended, which stand behind it, stay
    /// until their places are needed: the parser sees to it that nobody reads them.
    fn set(&mut self, place: usize, value: Value) {
        if place >= self.frame.len() {
            self.frame.resize(place + 1, Value::Nil);
        }
        self.frame[place] = value;
    }

    /// A value in an error message.
    fn shown(&self, value: &Value) -> String {
        fmt::printed(value, 200).unwrap_or_else(|| format!("a long {}", value.type_name()))
    }
}

fn count(at: usize) -> Value {
    Value::Int(i64::try_from(at).unwrap_or(i64::MAX))
}
