//! The legend below a chart: a table of its lines, their last (or pointed at) value and their range.

use leptos::prelude::*;

use super::board::Board;
use super::chart::{ChartData, ChartOf};
use super::paint::css;
use super::palette::Look;
use super::scale::clock_label;

/// One row a line; pressing a name draws that line alone, pressing it again all.
#[component]
pub fn Legend(
    /// The chart.
    of: ChartOf,
) -> impl IntoView {
    let board = Board::expect();
    let names = Memo::new(move |_| {
        let data = of.data();
        data.map(|data| {
            data.series.iter().map(|series| series.name.clone()).zip(data.looks.clone()).collect::<Vec<_>>()
        })
        .unwrap_or_default()
    });
    let index = Memo::new(move |_| of.data().and_then(|data| data.grid.index(board.hovered.get()?)));
    let head = Memo::new(move |_| {
        let at = of.data().and_then(|data| Some(data.grid.time(index.get()?)));
        at.map_or_else(|| "Last".to_owned(), |at| clock_label(at, board.offset, true))
    });
    view! {
        <Show when=move || names.with(|names| !names.is_empty())>
            <div class="line-scroll">
                <table class="lines">
                    <thead>
                        <tr>
                            <th scope="col"><span class="sr-only">"Line"</span></th>
                            <th scope="col" class="num">{head}</th>
                            <th scope="col">"Min"</th>
                            <th scope="col">"Max"</th>
                        </tr>
                    </thead>
                    <tbody>
                        {move || {
                            let names = names.get();
                            let alone = names.len() == 1;
                            let rows = names.into_iter().enumerate();
                            rows.map(|(row, (name, look))| view! { <Row of row name look alone index/> }).collect_view()
                        }}
                    </tbody>
                </table>
            </div>
        </Show>
    }
}

#[component]
fn Row(
    of: ChartOf,
    row: usize,
    name: String,
    look: Look,
    alone: bool,
    index: Memo<Option<usize>>,
) -> impl IntoView {
    let board = Board::expect();
    let colour = move || board.paint.with(|paint| css(paint.series[look.colour]));
    let value = move |read: fn(&ChartData, usize, Option<usize>) -> Option<f64>| {
        Memo::new(move |_| {
            let data = of.data();
            of.words(data.as_deref(), data.as_deref().and_then(|data| read(data, row, index.get())))
        })
    };
    let last = value(|data, row, index| match index {
        Some(index) => data.series.get(row)?.values.get(index).copied(),
        None => data.series.get(row)?.last(),
    });
    let low = value(|data, row, _| Some(data.series.get(row)?.range()?.0));
    let high = value(|data, row, _| Some(data.series.get(row)?.range()?.1));
    let pressed = {
        let name = name.clone();
        Memo::new(move |_| of.isolated.with(|only| only.as_ref() == Some(&name)))
    };
    let drawn = {
        let name = name.clone();
        Memo::new(move |_| of.data().is_none_or(|data| of.is_drawn(&data, &name)))
    };
    // The only line of a chart has the chart's title for a name, and that stands above already.
    let words = if name.is_empty() { of.title.get_value() } else { name.clone() };
    let repeats = name.is_empty();
    let swatch = view! {
        <span class="swatch" class:swatch-dashed=look.dashed style:color=colour aria-hidden="true"></span>
        <span class="line-words" class:sr-only=repeats>{words.clone()}</span>
    };
    let press = move |_| {
        of.isolated
            .update(|only| *only = if only.as_ref() == Some(&name) { None } else { Some(name.clone()) });
    };
    view! {
        <tr class:line-out=move || !drawn.get()>
            <th scope="row">
                {if alone {
                    view! { <span class="line-name" title=words>{swatch}</span> }.into_any()
                } else {
                    let pressed = move || if pressed.get() { "true" } else { "false" };
                    view! {
                        <button type="button" class="line-name" title=words aria-pressed=pressed on:click=press>
                            {swatch}
                        </button>
                    }
                    .into_any()
                }}
            </th>
            <td class="num">{last}</td>
            <td class="num">{low}</td>
            <td class="num">{high}</td>
        </tr>
    }
}
