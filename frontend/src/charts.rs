//! Charts on canvas. A [`chart()`] gets what it shows as a signal and fetches nothing; all charts of a page
//! hang on one [`Board`], which holds the crosshair, the colours and the window of time.
//!
//! | module | is |
//! |---|---|
//! | `range`, `moment`, `times` | pure: how much time is shown, what a person writes for it, times in words |
//! | `series`, `geometry`, `palette` | pure: values on a grid, lines with gaps, colours |
//! | `marks` | pure: events as marks, and which of them fit |
//! | `draw`, `pins`, `cross` | one chart on its canvas, by plotters; its marks; what lies over it |
//! | `chart`, `legend`, `tip` | the chart with its title, crosshair and legend; what happened under the pointer |
//! | `select`, `pinch` | reading and zooming by pointer, finger and keyboard; what two fingers choose |
//! | `shown` | what a chart shows: lines, or why there are none |
//! | `spoken` | a chart in words, for readers that do not see it |
//! | `board` | what the charts of a page share |
//! | `observe`, `paint` | what the browser tells: size, being in view, pixel ratio, theme |

mod board;
mod chart;
mod cross;
mod draw;
mod geometry;
mod legend;
mod marks;
mod moment;
mod observe;
mod paint;
mod palette;
mod pinch;
mod pins;
mod range;
mod select;
mod series;
mod shown;
mod spoken;
mod times;
mod tip;

pub use board::Board;
pub use chart::chart;
pub use marks::{Mark, Pin, Sign, near, pins};
pub use moment::{read_range, write_range};
pub use observe::{Frame, Size, keep_in_view};
pub use palette::Look;
pub use range::{CHOICES, Range, length, word};
pub use select::Surface;
pub use series::{Band, Grid, Series, Tier, lay_out, parse_answer};
pub use shown::{ChartData, Shown};
pub use times::{DAY, clock_label, date_label, moment_label, span_label, time_ticks};
pub use tip::sign_mark;
