//! A template as a tree. Every part that can fail knows its place in the text.

use std::ops::Range;
use std::sync::Arc;

use super::function::Function;
use super::value::Value;

/// What stands between two `{{…}}` of a block, in order.
pub(super) type Block = Vec<Node>;

/// One part of a block.
#[derive(Debug)]
pub(super) enum Node {
    /// Text to copy.
    Text(Range<usize>),
    /// A pipeline whose value is printed, unless it declares or sets a variable.
    Print(Pipe),
    /// `if` with its `else if`s and its `else`.
    If(Choice),
    /// `with`, the same, with the value as the dot.
    With(Choice),
    Range(Box<Loop>),
    /// `{{template "name" pipeline}}`
    Template {
        span: Range<usize>,
        name: Arc<str>,
        argument: Option<Pipe>,
    },
    Break,
    Continue,
}

/// The first arm whose pipeline is true is taken, or else the other one.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) arms: Vec<(Pipe, Block)>,
    pub(super) otherwise: Option<Block>,
}

/// `range`.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) pipe: Pipe,
    pub(super) body: Block,
    pub(super) otherwise: Option<Block>,
}

/// Commands in a row, each given the value of the one before as its last argument.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) span: Range<usize>,
    /// The places of the variables it declares or sets: one, or two in a `range`.
    pub(super) variables: Vec<usize>,
    pub(super) commands: Vec<Command>,
}

/// An operand, or a function with its arguments.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) span: Range<usize>,
    pub(super) first: Operand,
    pub(super) arguments: Vec<Operand>,
}

/// One word of a command.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) span: Range<usize>,
    pub(super) kind: OperandKind,
}

/// What an operand is.
#[derive(Debug)]
pub(super) enum OperandKind {
    Dot,
    /// A literal; `nil` is one.
    Literal(Value),
    /// `.a.b`
    Field(Vec<Arc<str>>),
    /// `$x.a.b`: the variable's place among those of its template, and fields.
    Variable(usize, Vec<Arc<str>>),
    /// `(…).a.b`
    Chain(Box<Operand>, Vec<Arc<str>>),
    Function(&'static Function),
    /// `(…)`
    Pipe(Box<Pipe>),
}

/// One template: the text's own, or one that it defines.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) name: Arc<str>,
    pub(super) source: Arc<Source>,
    pub(super) body: Block,
}

/// What a tree was read from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
}
