//! A chart in words, for readers that do not see it.

use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;

use super::scale::clock_label;
use super::shown::{ChartData, ChartOf, Shown};

/// The values at a time, as they are spoken.
pub fn reading(of: ChartOf, data: &ChartData, at: UnixMillis, offset: i64) -> String {
    let mut words = clock_label(at, offset, true);
    for series in data.series.iter().filter(|series| of.is_drawn(data, &series.name)) {
        let value = data.grid.index(at).map(|index| series.values[index]).filter(|value| !value.is_nan());
        let value = value.map_or_else(|| "no value".to_owned(), |value| of.words(Some(data), Some(value)));
        words.push_str(&format!(", {} {value}", series.name));
    }
    words
}

/// The chart in words: title, last value and range of each line, at most four of them.
pub fn description(of: ChartOf) -> String {
    let mut words = of.title.get_value();
    match of.shown.get() {
        Shown::Loading => words.push_str(": loading"),
        Shown::Failed(why) => words.push_str(&format!(": failed. {why}")),
        Shown::Ready(data) if data.series.is_empty() => words.push_str(": no data in this range"),
        Shown::Ready(data) => {
            for series in data.series.iter().take(4) {
                let range = series.range();
                words.push_str(&format!(
                    "; {} last {}, from {} to {}",
                    series.name,
                    of.words(Some(&data), series.last()),
                    of.words(Some(&data), range.map(|range| range.0)),
                    of.words(Some(&data), range.map(|range| range.1)),
                ));
            }
            if data.series.len() > 4 {
                words.push_str(&format!("; and {} more", data.series.len() - 4));
            }
            words.push_str(". Left and right arrow keys read values.");
        }
    }
    words
}
