//! Charts on canvas. A [`chart()`] gets what it shows as a signal and fetches nothing; all charts of a page
//! hang on one [`Board`], which holds the crosshair, the colours and the window of time.
//!
//! | module | is |
//! |---|---|
//! | `series`, `scale`, `geometry`, `palette` | pure: values on a grid, ticks, lines with gaps, colours |
//! | `draw` | one chart on its canvas, by plotters |
//! | `chart`, `legend` | the chart with its title, crosshair and legend |
//! | `shown` | what a chart shows: lines, or why there are none |
//! | `spoken` | a chart in words, for readers that do not see it |
//! | `board` | what the charts of a page share |
//! | `observe`, `paint` | what the browser tells: size, being in view, pixel ratio, theme |

mod board;
mod chart;
mod draw;
mod geometry;
mod legend;
mod observe;
mod paint;
mod palette;
mod scale;
mod series;
mod shown;
mod spoken;

pub use board::{Board, Window};
pub use chart::chart;
pub use observe::{Frame, keep_in_view};
pub use scale::clock_label;
pub use series::{Grid, lay_out, parse_matrix};
pub use shown::{ChartData, Shown};
