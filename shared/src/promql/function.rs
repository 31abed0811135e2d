//! PromQL's functions by name.

use super::plan::Kind;

/// A function of a window of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    Rate,
    Increase,
    Delta,
    Irate,
    Idelta,
    Deriv,
    PredictLinear,
    Smoothing,
    Changes,
    Resets,
    Avg,
    Sum,
    Min,
    Max,
    Count,
    Last,
    First,
    Present,
    Absent,
    Stddev,
    Stdvar,
    Mad,
    Quantile,
    TsOfMin,
    TsOfMax,
    TsOfFirst,
    TsOfLast,
}

impl Window {
    /// Whether the answer is still called by the metric's name.
    pub(super) fn keeps_name(self) -> bool {
        matches!(self, Self::Last | Self::First)
    }
}

/// A function of one value, at most two numbers beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Map {
    Abs,
    Acos,
    Acosh,
    Asin,
    Asinh,
    Atan,
    Atanh,
    Ceil,
    Clamp,
    ClampMax,
    ClampMin,
    Cos,
    Cosh,
    Deg,
    Exp,
    Floor,
    Ln,
    Log10,
    Log2,
    Rad,
    Round,
    Sgn,
    Sin,
    Sinh,
    Sqrt,
    Tan,
    Tanh,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    DaysInMonth,
    Hour,
    Minute,
    Month,
    Year,
}

impl Map {
    /// A part of a date, which is that of the step where no vector is given.
    pub(super) fn is_date(self) -> bool {
        use Map::{DayOfMonth, DayOfWeek, DayOfYear, DaysInMonth, Hour, Minute, Month, Year};
        matches!(self, DayOfMonth | DayOfWeek | DayOfYear | DaysInMonth | Hour | Minute | Month | Year)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Func {
    Window(Window),
    Map(Map),
    Absent,
    Scalar,
    Vector,
    Time,
    Pi,
    Timestamp,
    HistogramQuantile,
    HistogramQuantiles,
    HistogramFraction,
    LabelReplace,
    LabelJoin,
    Sort,
    SortDesc,
    SortByLabel,
    SortByLabelDesc,
    /// The query's own start, end, step, and length, in seconds.
    QueryStart,
    QueryEnd,
    QueryStep,
    QueryRange,
    MinOf,
    MaxOf,
}

impl Func {
    /// The function of that name; `Err` with what to say where Prometheus has it and we do not.
    pub(super) fn named(name: &str) -> Option<Result<Self, String>> {
        if let Some(found) = NAMES.iter().find(|(known, _)| *known == name) {
            return Some(Ok(found.1));
        }
        match name {
            "histogram_avg" | "histogram_count" | "histogram_sum" | "histogram_stddev"
            | "histogram_stdvar" => {
                Some(Err(format!("the function {name}(), which reads native histograms, is")))
            }
            "info" | "integral" | "start_timestamp" | "holt_winters" => {
                Some(Err(format!("the experimental function {name}() is")))
            }
            _ => None,
        }
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Scalar
            | Self::Time
            | Self::Pi
            | Self::QueryStart
            | Self::QueryEnd
            | Self::QueryStep
            | Self::QueryRange
            | Self::MinOf
            | Self::MaxOf => Kind::Scalar,
            _ => Kind::Vector,
        }
    }

    /// Whether the answer depends on the step even where its arguments do not.
    pub(super) fn reads_the_step(self) -> bool {
        match self {
            Self::Time | Self::Timestamp | Self::Window(Window::PredictLinear) => true,
            Self::Map(map) => map.is_date(),
            _ => false,
        }
    }
}

const NAMES: [(&str, Func); 83] = [
    ("abs", Func::Map(Map::Abs)),
    ("absent", Func::Absent),
    ("absent_over_time", Func::Window(Window::Absent)),
    ("acos", Func::Map(Map::Acos)),
    ("acosh", Func::Map(Map::Acosh)),
    ("asin", Func::Map(Map::Asin)),
    ("asinh", Func::Map(Map::Asinh)),
    ("atan", Func::Map(Map::Atan)),
    ("atanh", Func::Map(Map::Atanh)),
    ("avg_over_time", Func::Window(Window::Avg)),
    ("ceil", Func::Map(Map::Ceil)),
    ("changes", Func::Window(Window::Changes)),
    ("clamp", Func::Map(Map::Clamp)),
    ("clamp_max", Func::Map(Map::ClampMax)),
    ("clamp_min", Func::Map(Map::ClampMin)),
    ("cos", Func::Map(Map::Cos)),
    ("cosh", Func::Map(Map::Cosh)),
    ("count_over_time", Func::Window(Window::Count)),
    ("day_of_month", Func::Map(Map::DayOfMonth)),
    ("day_of_week", Func::Map(Map::DayOfWeek)),
    ("day_of_year", Func::Map(Map::DayOfYear)),
    ("days_in_month", Func::Map(Map::DaysInMonth)),
    ("deg", Func::Map(Map::Deg)),
    ("delta", Func::Window(Window::Delta)),
    ("deriv", Func::Window(Window::Deriv)),
    ("double_exponential_smoothing", Func::Window(Window::Smoothing)),
    ("end", Func::QueryEnd),
    ("exp", Func::Map(Map::Exp)),
    ("first_over_time", Func::Window(Window::First)),
    ("floor", Func::Map(Map::Floor)),
    ("histogram_fraction", Func::HistogramFraction),
    ("histogram_quantile", Func::HistogramQuantile),
    ("histogram_quantiles", Func::HistogramQuantiles),
    ("hour", Func::Map(Map::Hour)),
    ("idelta", Func::Window(Window::Idelta)),
    ("increase", Func::Window(Window::Increase)),
    ("irate", Func::Window(Window::Irate)),
    ("label_join", Func::LabelJoin),
    ("label_replace", Func::LabelReplace),
    ("last_over_time", Func::Window(Window::Last)),
    ("ln", Func::Map(Map::Ln)),
    ("log10", Func::Map(Map::Log10)),
    ("log2", Func::Map(Map::Log2)),
    ("mad_over_time", Func::Window(Window::Mad)),
    ("max_of", Func::MaxOf),
    ("max_over_time", Func::Window(Window::Max)),
    ("min_of", Func::MinOf),
    ("min_over_time", Func::Window(Window::Min)),
    ("minute", Func::Map(Map::Minute)),
    ("month", Func::Map(Map::Month)),
    ("pi", Func::Pi),
    ("predict_linear", Func::Window(Window::PredictLinear)),
    ("present_over_time", Func::Window(Window::Present)),
    ("quantile_over_time", Func::Window(Window::Quantile)),
    ("rad", Func::Map(Map::Rad)),
    ("range", Func::QueryRange),
    ("rate", Func::Window(Window::Rate)),
    ("resets", Func::Window(Window::Resets)),
    ("round", Func::Map(Map::Round)),
    ("scalar", Func::Scalar),
    ("sgn", Func::Map(Map::Sgn)),
    ("sin", Func::Map(Map::Sin)),
    ("sinh", Func::Map(Map::Sinh)),
    ("sort", Func::Sort),
    ("sort_by_label", Func::SortByLabel),
    ("sort_by_label_desc", Func::SortByLabelDesc),
    ("sort_desc", Func::SortDesc),
    ("sqrt", Func::Map(Map::Sqrt)),
    ("start", Func::QueryStart),
    ("stddev_over_time", Func::Window(Window::Stddev)),
    ("stdvar_over_time", Func::Window(Window::Stdvar)),
    ("step", Func::QueryStep),
    ("sum_over_time", Func::Window(Window::Sum)),
    ("tan", Func::Map(Map::Tan)),
    ("tanh", Func::Map(Map::Tanh)),
    ("time", Func::Time),
    ("timestamp", Func::Timestamp),
    ("ts_of_first_over_time", Func::Window(Window::TsOfFirst)),
    ("ts_of_last_over_time", Func::Window(Window::TsOfLast)),
    ("ts_of_max_over_time", Func::Window(Window::TsOfMax)),
    ("ts_of_min_over_time", Func::Window(Window::TsOfMin)),
    ("vector", Func::Vector),
    ("year", Func::Map(Map::Year)),
];
