//! Functions of one value.

use super::date;
use super::math::{go_max, go_min};
use super::{Eval, Sink};
use crate::promql::error::EvalError;
use crate::promql::function::Map;
use crate::promql::plan::{Expr, Kind};
use crate::promql::storage::{is_stale, stale_marker};

impl Eval<'_> {
    pub(super) fn map(&self, map: Map, args: &[Expr], sink: Sink<'_>) -> Result<(), EvalError> {
        let Some(of) = args.iter().find(|arg| arg.kind() == Kind::Vector) else {
            return self.own_time(map, sink);
        };
        let params: Vec<Vec<f64>> = args
            .iter()
            .filter(|arg| arg.kind() == Kind::Scalar)
            .map(|arg| self.scalar(arg))
            .collect::<Result<_, _>>()?;
        let param =
            |at: usize, step: usize, default: f64| params.get(at).map_or(default, |param| param[step]);
        self.each(of, &mut |labels, _, values| {
            let there = values.iter_mut().enumerate().filter(|(_, value)| !is_stale(**value));
            match map {
                Map::Clamp => there.for_each(|(step, value)| {
                    let (low, high) = (param(0, step, f64::NAN), param(1, step, f64::NAN));
                    *value = if low > high { stale_marker() } else { go_max(low, go_min(high, *value)) };
                }),
                Map::ClampMin => {
                    there.for_each(|(step, value)| *value = go_max(*value, param(0, step, f64::NAN)));
                }
                Map::ClampMax => {
                    there.for_each(|(step, value)| *value = go_min(*value, param(0, step, f64::NAN)));
                }
                Map::Round => there.for_each(|(step, value)| {
                    let inverse = 1.0 / param(0, step, 1.0);
                    *value = (*value * inverse + 0.5).floor() / inverse;
                }),
                _ if map.is_date() => there.for_each(|(_, value)| *value = date::part(map, *value)),
                _ => {
                    let of = simple(map);
                    there.for_each(|(_, value)| *value = of(*value));
                }
            }
            sink(labels, true, values)
        })
    }
}

fn simple(map: Map) -> fn(f64) -> f64 {
    match map {
        Map::Abs => f64::abs,
        Map::Acos => f64::acos,
        Map::Acosh => f64::acosh,
        Map::Asin => f64::asin,
        Map::Asinh => f64::asinh,
        Map::Atan => f64::atan,
        Map::Atanh => f64::atanh,
        Map::Ceil => f64::ceil,
        Map::Cos => f64::cos,
        Map::Cosh => f64::cosh,
        Map::Deg => |value| value * 180.0 / std::f64::consts::PI,
        Map::Exp => f64::exp,
        Map::Floor => f64::floor,
        Map::Ln => f64::ln,
        Map::Log10 => f64::log10,
        Map::Log2 => f64::log2,
        Map::Rad => |value| value * std::f64::consts::PI / 180.0,
        Map::Sgn => |value| {
            if value < 0.0 {
                -1.0
            } else if value > 0.0 {
                1.0
            } else {
                value
            }
        },
        Map::Sin => f64::sin,
        Map::Sinh => f64::sinh,
        Map::Sqrt => f64::sqrt,
        Map::Tan => f64::tan,
        Map::Tanh => f64::tanh,
        // Those with parameters, and parts of dates, are done by the caller.
        _ => |_| f64::NAN,
    }
}
