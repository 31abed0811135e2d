//! The legend below a chart: a table of its lines, their last (or pointed at) value and their range.

use leptos::prelude::*;

use super::board::Board;
use super::paint::css;
use super::palette::Look;
use super::shown::{ChartData, ChartOf};
use super::times::moment_label;
use crate::dom::{El, button, div, el, head_cell, span, unseen, with_class};

/// One row a line; pressing a name draws that line alone, pressing it again all.
pub fn legend(of: ChartOf) -> El {
    let board = Board::expect();
    let head = move || {
        let at = of.data().and_then(|data| Some((data.grid.time(index(of, board)?), data.grid.length())));
        at.map_or_else(|| "Last".to_owned(), |(at, length)| moment_label(at, length, board.zone))
    };
    let lines = move || {
        let data = of.data();
        let alone = data.as_ref().is_some_and(|data| data.series.len() == 1);
        let lines = data.iter().flat_map(|data| data.series.iter().zip(&data.looks)).enumerate();
        lines
            .map(|(row, (series, look))| Line { row, name: series.name.clone(), look: *look, alone })
            .collect()
    };
    let heads = [
        el("th").attr("scope", "col").child(unseen("Line")),
        head_cell("col", "num").text(head),
        el("th").attr("scope", "col").text("Min"),
        el("th").attr("scope", "col").text("Max"),
    ];
    div("line-scroll").child(
        with_class("table", "lines")
            .child(el("thead").child(el("tr").children(heads)))
            .child(el("tbody").each(lines, Line::key, move |line| row(of, line))),
    )
}

/// The place on the grid that the crosshair points at.
fn index(of: ChartOf, board: Board) -> Option<usize> {
    of.data()?.grid.index(board.hovered.get()?)
}

/// A line of the chart as its row knows it.
struct Line {
    row: usize,
    name: String,
    look: Look,
    /// The only one, so there is nothing to choose.
    alone: bool,
}

impl Line {
    fn key(&self) -> String {
        let Look { colour, dashed } = self.look;
        format!("{} {colour} {dashed} {} {}", self.row, self.alone, self.name)
    }
}

fn row(of: ChartOf, line: Line) -> El {
    let board = Board::expect();
    let Line { row, name, look, alone } = line;
    let colour = move || {
        board.repaint.track();
        board.paint.with_value(|paint| css(paint.series[look.colour]))
    };
    let value = move |read: fn(&ChartData, usize, Board) -> Option<f64>| {
        let words = move || {
            let data = of.data();
            of.words(data.as_deref(), data.as_deref().and_then(|data| read(data, row, board)))
        };
        with_class("td", "num").text(words)
    };
    let last = value(|data, row, board| match board.hovered.get().and_then(|at| data.grid.index(at)) {
        Some(index) => data.series.get(row)?.values.get(index).copied(),
        None => data.series.get(row)?.last(),
    });
    let low = value(|data, row, _| Some(data.series.get(row)?.range()?.0));
    let high = value(|data, row, _| Some(data.series.get(row)?.range()?.1));
    // The only line of a chart has the chart's title for a name, and that stands above already.
    let words = if name.is_empty() { of.title.get_value() } else { name.clone() };
    let words_class = if name.is_empty() { "line-words sr-only" } else { "line-words" };
    let name = StoredValue::new(name);
    let pressed = move || name.with_value(|name| of.isolated.with(|only| only.as_ref() == Some(name)));
    let out = move || {
        let data = of.data();
        let drawn = data.is_none_or(|data| name.with_value(|name| of.is_drawn(&data, name)));
        (!drawn).then_some("line-out")
    };
    let press = move || of.isolated.set(if untrack(pressed) { None } else { Some(name.get_value()) });
    let swatch = span(if look.dashed { "swatch swatch-dashed" } else { "swatch" })
        .style("color", colour)
        .attr("aria-hidden", "true");
    let mark = if alone {
        span("line-name")
    } else {
        button("line-name").aria("aria-pressed", pressed).on_click(press)
    };
    let mark = mark.attr("title", &words).child(swatch).child(span(words_class).text(words));
    el("tr").class(out).child(el("th").attr("scope", "row").child(mark)).child(last).child(low).child(high)
}
