//! What a chart shows, and what every part of it is told.

use std::sync::Arc;

use fleetglass_shared::format;
use leptos::prelude::*;

use super::draw::{counts, is_fine};
use super::palette::{Look, looks};
use super::range::Range;
use super::series::{Grid, Series, Tier};

/// What a chart shows. Loading, empty and failed are three different things.
#[derive(Clone, Debug, PartialEq)]
pub enum Shown {
    /// The first answer is on its way.
    Loading,
    /// There is none: why, and what to do.
    Failed(String),
    /// Here it is; no series means that there is no data in this range.
    Ready(Arc<ChartData>),
}

/// The lines of a chart.
#[derive(Debug, PartialEq)]
pub struct ChartData {
    /// The range that was asked for.
    pub range: Range,
    /// What the values stand for.
    pub tier: Tier,
    /// Their times.
    pub grid: Grid,
    /// The lines themselves.
    pub series: Vec<Series>,
    /// How each looks.
    pub looks: Vec<Look>,
}

impl ChartData {
    /// Gives each line its look.
    pub fn new(range: Range, tier: Tier, grid: Grid, series: Vec<Series>) -> Self {
        let names: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
        let looks = looks(&names);
        Self { range, tier, grid, series, looks }
    }
}

/// What every part of a chart is told. Copied into closures.
#[derive(Clone, Copy)]
pub struct ChartOf {
    /// What a person reads.
    pub title: StoredValue<String>,
    /// The unit word of the values.
    pub unit: StoredValue<String>,
    /// What is shown.
    pub shown: RwSignal<Shown>,
    /// The only line to be drawn, by name.
    pub isolated: RwSignal<Option<String>>,
}

impl ChartOf {
    /// The lines, if there are any.
    pub fn data(self) -> Option<Arc<ChartData>> {
        self.shown.with(|shown| match shown {
            Shown::Ready(data) if !data.series.is_empty() => Some(data.clone()),
            _ => None,
        })
    }

    /// What its values stand for, where they are not as they were scraped.
    pub fn note(self) -> String {
        let Some(data) = self.data().filter(|data| data.tier != Tier::Raw) else { return String::new() };
        let shaded = data.series.iter().any(|series| series.band.is_some());
        format!("{}{}", data.tier.in_words(), if shaded { ", low and high shaded" } else { "" })
    }

    /// A value in the chart's unit, with all its digits where the lines differ in the last ones only.
    pub fn words(self, data: Option<&ChartData>, value: Option<f64>) -> String {
        let value = value.unwrap_or(f64::NAN);
        let fine = data.is_some_and(|data| {
            let ranges = data.series.iter().filter_map(Series::range);
            ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).is_some_and(|(low, high)| is_fine(low, high))
        });
        self.unit.with_value(|unit| {
            let exact = (fine && counts(unit)).then(|| format::grouped(&format!("{value:.0}"))).flatten();
            exact.unwrap_or_else(|| format::number(value, unit))
        })
    }

    /// Whether a line is drawn. The isolation ends when its line is gone from the data.
    pub fn is_drawn(self, data: &ChartData, name: &str) -> bool {
        self.isolated.with(|only| match only {
            Some(only) if data.series.iter().any(|series| series.name == *only) => only == name,
            _ => true,
        })
    }
}
