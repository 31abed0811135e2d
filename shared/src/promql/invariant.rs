//! Marks what does not depend on the step, because `@` fixes its time: it is evaluated once.

use super::function::Func;
use super::plan::{Expr, Node};

/// The expression with the largest parts marked that are the same at every step.
pub(super) fn marked(expr: Expr) -> Expr {
    if invariant(&expr) { wrapped(expr) } else { mark(expr) }
}

/// Whether an expression is the same at every step, and not a mere number.
fn invariant(expr: &Expr) -> bool {
    match &expr.node {
        Node::Number(_) | Node::Text(_) => true,
        Node::Instant(selector) | Node::Range(selector, _) => selector.shift.at.is_some(),
        Node::Subquery(subquery) => subquery.shift.at.is_some(),
        Node::Negate(of) => invariant(of),
        Node::Binary(binary) => invariant(&binary.left) && invariant(&binary.right),
        Node::Aggregate(aggregate) => {
            invariant(&aggregate.of) && aggregate.param.as_ref().is_none_or(invariant)
        }
        Node::Call(func, args) => {
            let dated = matches!(func, Func::Map(map) if map.is_date());
            (!func.reads_the_step() || (dated && !args.is_empty())) && args.iter().all(invariant)
        }
        Node::Invariant(_) => true,
    }
}

fn wrapped(expr: Expr) -> Expr {
    let plain = matches!(expr.node, Node::Number(_) | Node::Text(_) | Node::Range(..) | Node::Subquery(_));
    let at = expr.at;
    let expr = mark(expr);
    if plain { expr } else { Expr { at, node: Node::Invariant(Box::new(expr)) } }
}

/// Wraps the largest parts that do not depend on the step.
fn mark(mut expr: Expr) -> Expr {
    let part = |part: &mut Expr, whole: bool| {
        let taken = std::mem::replace(part, Expr { at: 0, node: Node::Number(0.0) });
        *part = if !whole && invariant(&taken) { wrapped(taken) } else { mark(taken) };
    };
    // Where the whole is wrapped its parts need not be.
    let whole = invariant(&expr);
    match &mut expr.node {
        Node::Negate(of) => part(of, whole),
        Node::Binary(binary) => {
            part(&mut binary.left, whole);
            part(&mut binary.right, whole);
        }
        Node::Aggregate(aggregate) => {
            part(&mut aggregate.of, whole);
            if let Some(param) = &mut aggregate.param {
                part(param, whole);
            }
        }
        Node::Call(_, args) => args.iter_mut().for_each(|arg| part(arg, whole)),
        // The steps of a subquery are not those of the query around it.
        Node::Subquery(subquery) => part(&mut subquery.of, false),
        _ => {}
    }
    expr
}
