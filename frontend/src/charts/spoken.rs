//! A chart in words, for readers that do not see it.

use fleetglass_shared::health::UnixMillis;
use leptos::prelude::*;

use super::board::Board;
use super::marks::near;
use super::shown::{ChartData, ChartOf, Shown};
use super::times::moment_label;

/// The values at a time and what happened then, as they are spoken.
pub fn reading(of: ChartOf, data: &ChartData, at: UnixMillis, board: Board) -> String {
    let mut words = moment_label(at, data.grid.length(), board.zone);
    for series in data.series.iter().filter(|series| of.is_drawn(data, &series.name)) {
        let value = data.grid.index(at).map(|index| series.values[index]).filter(|value| !value.is_nan());
        let value = value.map_or_else(|| "no value".to_owned(), |value| of.words(Some(data), Some(value)));
        words.push_str(&format!(", {} {value}", series.name));
    }
    board.marks.with(|marks| {
        for mark in near(marks, at, data.grid.step / 2) {
            words.push_str(&format!(". {}", mark.words));
        }
    });
    words
}

/// The chart in words: title, last value and range of each line, at most four of them.
pub fn description(of: ChartOf, board: Board) -> String {
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
            words.push_str(". Left and right arrow keys read values");
            words.push_str(if board.zooms() { ", with Shift they select." } else { "." });
        }
    }
    words
}
