//! An expression written again, for people and, as a tree, for programs.
//!
//! Source of the tree's shape: the answers of Prometheus's `/api/v1/parse_query`.

use std::time::{Duration, SystemTime};

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{
    AtModifier, BinaryExpr, Expr, LabelModifier, Offset, VectorMatchCardinality, VectorSelector,
};
use serde_json::{Value, json};

use super::parse::Query;
use crate::labels::METRIC_NAME;

impl Query {
    /// The expression with one way of spacing and breaking lines, as `format_query` answers.
    pub fn formatted(&self) -> String {
        self.tree.prettify()
    }

    /// The expression as a tree, as `parse_query` answers.
    pub fn tree(&self) -> Value {
        tree(&self.tree)
    }
}

fn tree(expr: &Expr) -> Value {
    match expr {
        Expr::Aggregate(aggregate) => {
            let (grouping, without) = match &aggregate.modifier {
                Some(LabelModifier::Include(labels)) => (labels.labels.clone(), false),
                Some(LabelModifier::Exclude(labels)) => (labels.labels.clone(), true),
                None => (Vec::new(), false),
            };
            json!({
                "type": "aggregation",
                "op": aggregate.op.to_string(),
                "expr": tree(&aggregate.expr),
                "param": aggregate.param.as_ref().map(|param| tree(param)),
                "grouping": grouping,
                "without": without,
            })
        }
        Expr::Binary(binary) => json!({
            "type": "binaryExpr",
            "op": binary.op.to_string(),
            "lhs": tree(&binary.lhs),
            "rhs": tree(&binary.rhs),
            "matching": matching(binary),
            "bool": binary.return_bool(),
        }),
        Expr::Call(call) => json!({
            "type": "call",
            "func": {
                "name": call.func.name,
                "argTypes": call.func.arg_types.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "variadic": call.func.variadic,
                "returnType": call.func.return_type.to_string(),
            },
            "args": call.args.args.iter().map(|arg| tree(arg)).collect::<Vec<_>>(),
        }),
        Expr::MatrixSelector(matrix) => {
            let mut out = selector("matrixSelector", &matrix.vs);
            out["range"] = json!(millis(matrix.range));
            out
        }
        Expr::Subquery(subquery) => json!({
            "type": "subquery",
            "expr": tree(&subquery.expr),
            "range": millis(subquery.range),
            "offset": offset(subquery.offset.as_ref()),
            "step": subquery.step.map_or(0, millis),
            "timestamp": timestamp(subquery.at.as_ref()),
            "startOrEnd": start_or_end(subquery.at.as_ref()),
        }),
        Expr::NumberLiteral(number) => {
            json!({ "type": "numberLiteral", "val": crate::sample::go_float(number.val) })
        }
        Expr::Paren(paren) => json!({ "type": "parenExpr", "expr": tree(&paren.expr) }),
        Expr::StringLiteral(string) => json!({ "type": "stringLiteral", "val": string.val }),
        Expr::Unary(unary) => json!({ "type": "unaryExpr", "op": "-", "expr": tree(&unary.expr) }),
        Expr::VectorSelector(vs) => selector("vectorSelector", vs),
        Expr::Extension(_) => Value::Null,
    }
}

fn selector(kind: &str, selector: &VectorSelector) -> Value {
    json!({
        "type": kind,
        "name": selector.name.clone().unwrap_or_default(),
        "offset": offset(selector.offset.as_ref()),
        "matchers": matchers(selector.name.as_deref(), &selector.matchers),
        "timestamp": timestamp(selector.at.as_ref()),
        "startOrEnd": start_or_end(selector.at.as_ref()),
    })
}

fn matchers(name: Option<&str>, matchers: &Matchers) -> Vec<Value> {
    let one = |name: &str, kind: &str, value: &str| json!({ "name": name, "type": kind, "value": value });
    let written = matchers.matchers.iter().map(|matcher| {
        let kind = match matcher.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Re(_) => "=~",
            MatchOp::NotRe(_) => "!~",
        };
        one(&matcher.name, kind, &matcher.value)
    });
    written.chain(name.map(|name| one(METRIC_NAME, "=", name))).collect()
}

fn matching(binary: &BinaryExpr) -> Value {
    use promql_parser::parser::value::ValueType::Vector;
    if binary.lhs.value_type() != Vector || binary.rhs.value_type() != Vector {
        return Value::Null;
    }
    let modifier = binary.modifier.clone().unwrap_or_default();
    let (card, include) = match &modifier.card {
        VectorMatchCardinality::OneToOne => ("one-to-one", Vec::new()),
        VectorMatchCardinality::ManyToOne(labels) => ("many-to-one", labels.labels.clone()),
        VectorMatchCardinality::OneToMany(labels) => ("one-to-many", labels.labels.clone()),
        VectorMatchCardinality::ManyToMany => ("many-to-many", Vec::new()),
    };
    let (labels, on) = match &modifier.matching {
        Some(LabelModifier::Include(labels)) => (labels.labels.clone(), true),
        Some(LabelModifier::Exclude(labels)) => (labels.labels.clone(), false),
        None => (Vec::new(), false),
    };
    json!({ "card": card, "labels": labels, "on": on, "include": include })
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn offset(offset: Option<&Offset>) -> i64 {
    match offset {
        Some(Offset::Pos(duration)) => millis(*duration),
        Some(Offset::Neg(duration)) => -millis(*duration),
        None => 0,
    }
}

fn timestamp(at: Option<&AtModifier>) -> Option<i64> {
    match at {
        Some(AtModifier::At(time)) => Some(match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        }),
        _ => None,
    }
}

fn start_or_end(at: Option<&AtModifier>) -> Option<&'static str> {
    match at {
        Some(AtModifier::Start) => Some("start"),
        Some(AtModifier::End) => Some("end"),
        _ => None,
    }
}
