//! The last hour of a node as a line without axes. One path, so that it is sharp on every screen, takes
//! the colour of its row, and costs no canvas.

use std::fmt::Write as _;

use fleetglass_shared::format::number;
use fleetglass_shared::wire::Spark;

use crate::dom::{El, svg};

const WIDTH: f32 = 96.0;
const HEIGHT: f32 = 20.0;

/// The line. The newest value stands at the right; an hour fills the width.
fn path(values: &[Option<f32>]) -> String {
    let known = || values.iter().flatten().copied().filter(|value| value.is_finite());
    let (low, high) =
        known().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    // A change of a hundredth is not to look like a cliff.
    let span = (high - low).max(high.abs() * 0.1).max(f32::MIN_POSITIVE);
    let middle = f32::midpoint(low, high);
    let y = |value: f32| (HEIGHT / 2.0 - (value - middle) / span * (HEIGHT - 4.0)).clamp(1.0, HEIGHT - 1.0);
    let step = WIDTH / (Spark::MINUTES - 1) as f32;
    let x = |index: usize| WIDTH - step * (values.len() - 1 - index) as f32;
    let mut line = String::new();
    for run in runs(values) {
        let mut command = 'M';
        for (index, value) in run.clone().zip(values[run.clone()].iter().flatten()) {
            // Writing into a string cannot fail.
            let _ = write!(line, "{command}{:.1} {:.1}", x(index), y(*value));
            command = 'L';
        }
        if run.len() == 1 {
            // A line of no length is a dot, with round ends.
            line.push_str("h.01");
        }
    }
    line
}

/// The stretches without a gap.
fn runs(values: &[Option<f32>]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (index, _) in values.iter().enumerate().filter(|(_, value)| value.is_some_and(f32::is_finite)) {
        match runs.last_mut() {
            Some(run) if run.end == index => run.end += 1,
            _ => runs.push(index..index + 1),
        }
    }
    runs
}

fn in_words(values: &[Option<f32>], title: &str, unit: &str) -> String {
    let known: Vec<f64> = values.iter().flatten().map(|&value| f64::from(value)).collect();
    let Some(last) = known.last() else { return format!("{title}, last hour: not known") };
    let low = known.iter().copied().fold(f64::INFINITY, f64::min);
    let high = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!(
        "{title}, last hour: now {}, least {}, most {}",
        number(*last, unit),
        number(low, unit),
        number(high, unit)
    )
}

/// The line; gaps are gaps. Words (title and unit) for those who do not see it: the last, least and most.
pub fn spark_line(
    spark: impl Fn() -> Spark + Clone + 'static,
    title: impl Fn() -> (String, String) + 'static,
) -> El {
    let values = spark.clone();
    let words = move || {
        let (title, unit) = title();
        in_words(&values().values, &title, &unit)
    };
    svg("svg")
        .class("spark")
        .attr("viewBox", "0 0 96 20")
        .attr("preserveAspectRatio", "none")
        .attr("role", "img")
        .attr("aria-label", words)
        // While the hour is young it tells where the rest of the line will be.
        .child(svg("path").class("spark-base").attr("d", "M0 19.5H96"))
        .child(svg("path").class("spark-line").attr("d", move || path(&spark().values)))
}

#[cfg(test)]
mod tests {
    use super::{in_words, path, runs};

    #[test]
    fn gaps_are_gaps_and_a_lone_value_is_a_dot() {
        let values = [Some(1.0), Some(2.0), None, Some(3.0), None, None];
        assert_eq!(runs(&values), [0..2, 3..4]);
        let line = path(&values);
        assert_eq!(line.matches('M').count(), 2);
        assert!(line.ends_with("h.01"));
    }

    #[test]
    fn nothing_known_draws_nothing_and_a_flat_line_lies_in_the_middle() {
        assert_eq!(path(&[None, None]), "");
        assert_eq!(path(&[]), "");
        assert!(path(&[Some(0.0), Some(0.0)]).ends_with("L96.0 10.0"));
        assert_eq!(path(&[Some(f32::NAN)]), "");
    }

    #[test]
    fn words_say_what_the_line_shows() {
        assert_eq!(
            in_words(&[Some(4.0), None, Some(2.0)], "Peers", ""),
            "Peers, last hour: now 2, least 2, most 4"
        );
        assert_eq!(in_words(&[], "Peers", ""), "Peers, last hour: not known");
    }
}
