//! What is to be done for a query: the parser's tree, checked, resolved, and with places.

use super::function::Func;
use crate::labels::Matcher;

/// An expression, and the byte of the query where it begins.
#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) at: usize,
    pub(super) node: Node,
}

/// What an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Vector,
    Matrix,
    Text,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Number(f64),
    Text(String),
    Instant(Selector),
    Range(Selector, i64),
    Subquery(Box<Subquery>),
    Negate(Box<Expr>),
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Func, Vec<Expr>),
    /// The same at every step: evaluated once.
    Invariant(Box<Expr>),
}

/// A time that `@` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Start,
    End,
    Ms(i64),
}

/// Where in time a selector or a subquery looks, seen from a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) offset_ms: i64,
    pub(super) at: Option<At>,
}

#[derive(Clone, Debug)]
pub(super) struct Selector {
    pub(super) matchers: Vec<Matcher>,
    pub(super) shift: Shift,
}

#[derive(Clone, Debug)]
pub(super) struct Subquery {
    pub(super) of: Expr,
    pub(super) range_ms: i64,
    pub(super) step_ms: Option<i64>,
    pub(super) shift: Shift,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessEqual,
    GreaterEqual,
    And,
    Or,
    Unless,
}

impl Op {
    pub(super) fn compares(self) -> bool {
        use Op::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        matches!(self, Equal | NotEqual | Less | Greater | LessEqual | GreaterEqual)
    }

    pub(super) fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}

/// How many of one side go with how many of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Card {
    OneToOne,
    /// `group_left`, and the labels to take from the right.
    ManyToOne(Vec<String>),
    /// `group_right`, and the labels to take from the left.
    OneToMany(Vec<String>),
}

#[derive(Clone, Debug)]
pub(super) struct Binary {
    pub(super) op: Op,
    pub(super) bool_result: bool,
    /// Sorted.
    pub(super) labels: Vec<String>,
    /// `on` rather than `ignoring`.
    pub(super) on: bool,
    pub(super) card: Card,
    pub(super) left: Expr,
    pub(super) right: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
    Quantile,
    TopK,
    BottomK,
    LimitK,
    LimitRatio,
    CountValues,
}

#[derive(Clone, Debug)]
pub(super) struct Aggregate {
    pub(super) fold: Fold,
    /// Sorted.
    pub(super) labels: Vec<String>,
    pub(super) without: bool,
    pub(super) param: Option<Expr>,
    pub(super) of: Expr,
}

impl Expr {
    pub(super) fn kind(&self) -> Kind {
        match &self.node {
            Node::Number(_) => Kind::Scalar,
            Node::Text(_) => Kind::Text,
            Node::Instant(_) | Node::Aggregate(_) => Kind::Vector,
            Node::Range(..) | Node::Subquery(_) => Kind::Matrix,
            Node::Negate(of) | Node::Invariant(of) => of.kind(),
            Node::Binary(b) if b.left.kind() == Kind::Scalar && b.right.kind() == Kind::Scalar => {
                Kind::Scalar
            }
            Node::Binary(_) => Kind::Vector,
            Node::Call(func, _) => func.kind(),
        }
    }

    /// Itself, without the mark that it is the same at every step.
    pub(super) fn plain(&self) -> &Self {
        match &self.node {
            Node::Invariant(of) => of.plain(),
            _ => self,
        }
    }
}
