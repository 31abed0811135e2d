//! What is known of an expression before it is evaluated.

use super::rows::selects_one_name;
use crate::labels::METRIC_NAME;
use crate::promql::function::{Func, Window};
use crate::promql::plan::{Aggregate, Expr, Fold, Kind, Node};

/// Whether [`Eval::flow`] can do it.
pub(super) fn flows(expr: &Expr) -> bool {
    match &expr.node {
        Node::Instant(_) | Node::Invariant(_) | Node::Negate(_) => true,
        Node::Binary(binary) => binary.left.kind() == Kind::Scalar || binary.right.kind() == Kind::Scalar,
        Node::Aggregate(aggregate) => folds(aggregate),
        Node::Call(Func::Window(Window::Absent), _) => false,
        Node::Call(func, _) => {
            matches!(func, Func::Window(_) | Func::Map(_) | Func::Timestamp | Func::Vector)
        }
        _ => false,
    }
}

/// Whether an aggregation folds each sample into its group and forgets it.
pub(super) fn folds(aggregate: &Aggregate) -> bool {
    use Fold::{Avg, Count, Group, Max, Min, Stddev, Stdvar, Sum};
    matches!(aggregate.fold, Sum | Avg | Min | Max | Count | Group | Stddev | Stdvar)
}

/// Whether all rows surely have the same name, so that dropping it makes no two of them one.
pub(super) fn one_name(expr: &Expr) -> bool {
    match &expr.node {
        Node::Instant(selector) | Node::Range(selector, _) => selects_one_name(selector),
        Node::Subquery(subquery) => one_name(&subquery.of),
        Node::Negate(of) | Node::Invariant(of) => one_name(of),
        Node::Binary(binary) => match (binary.left.kind(), binary.right.kind()) {
            (Kind::Vector, Kind::Scalar) => one_name(&binary.left),
            (Kind::Scalar, Kind::Vector) => one_name(&binary.right),
            _ => false,
        },
        Node::Aggregate(aggregate) if folds(aggregate) => {
            aggregate.without || !aggregate.labels.iter().any(|label| label == METRIC_NAME)
        }
        Node::Call(Func::Window(_) | Func::Map(_) | Func::Timestamp, args) => {
            args.iter().filter(|arg| matches!(arg.kind(), Kind::Vector | Kind::Matrix)).all(one_name)
        }
        Node::Call(Func::Vector, _) => true,
        _ => false,
    }
}

/// Whether the order of an instant query's rows says something.
pub(super) fn ordered(expr: &Expr) -> bool {
    match &expr.plain().node {
        Node::Call(Func::Sort | Func::SortDesc | Func::SortByLabel | Func::SortByLabelDesc, _) => true,
        Node::Aggregate(aggregate) => matches!(aggregate.fold, Fold::TopK | Fold::BottomK),
        _ => false,
    }
}
