//! A small chart of a range query for the terminal: a line of bars a series, all on one scale.

use serde_json::Value;

use super::table::series;

/// Columns of a chart.
const WIDTH: usize = 60;
/// Series that are drawn.
const MOST: usize = 12;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The chart, with its scale below; nothing where there is nothing to draw.
pub(super) fn draw(data: &Value) -> String {
    let series = series(data);
    let points =
        |at: usize| series[at].1.iter().filter_map(|(time, value)| Some((*time, value.parse::<f64>().ok()?)));
    let all: Vec<(f64, f64)> =
        (0..series.len()).flat_map(points).filter(|(_, value)| value.is_finite()).collect();
    let bound = |of: fn(&(f64, f64)) -> f64, pick: fn(f64, f64) -> f64| all.iter().map(of).reduce(pick);
    let (Some(first), Some(last)) = (bound(|p| p.0, f64::min), bound(|p| p.0, f64::max)) else {
        return String::new();
    };
    let (Some(low), Some(high)) = (bound(|p| p.1, f64::min), bound(|p| p.1, f64::max)) else {
        return String::new();
    };
    let mut out = String::from("\n");
    for (at, (name, samples)) in series.iter().enumerate().take(MOST) {
        let mut columns: Vec<Option<f64>> = vec![None; WIDTH];
        for (time, value) in points(at).filter(|(_, value)| value.is_finite()) {
            let place = if last > first { (time - first) / (last - first) * (WIDTH - 1) as f64 } else { 0.0 };
            let column = &mut columns[(place.round() as usize).min(WIDTH - 1)];
            // A column shows its greatest value: a short peak must not vanish.
            *column = Some(column.map_or(value, |other: f64| other.max(value)));
        }
        // Between two values the first one goes on, as it does in a query.
        let gap = WIDTH / samples.len().max(1) + 1;
        let mut since = gap;
        let mut held = None;
        let line: String = columns
            .into_iter()
            .map(|column| {
                since = if column.is_some() { 0 } else { since + 1 };
                held = column.or(held.filter(|_| since < gap));
                held.map_or(' ', |value| bar(value, low, high))
            })
            .collect();
        out.push_str(&format!(
            "{}  {}\n",
            line,
            if name.is_empty() { "{}".to_owned() } else { name.to_string() }
        ));
    }
    if series.len() > MOST {
        out.push_str(&format!("and {} series more\n", series.len() - MOST));
    }
    out.push_str(&format!("{} is {low}, {} is {high}\n", BARS[0], BARS[7]));
    out
}

fn bar(value: f64, low: f64, high: f64) -> char {
    let place = if high > low { (value - low) / (high - low) * 7.0 } else { 0.0 };
    BARS[(place.round() as usize).min(7)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bars_rise_from_the_least_to_the_greatest() {
        let values: Vec<_> = (0..60).map(|n| json!([n, n.to_string()])).collect();
        let text =
            draw(&json!({"resultType": "matrix", "result": [{"metric": {"a": "b"}, "values": values}]}));
        let line = text.lines().nth(1).unwrap_or_default();
        assert!(line.starts_with('▁') && line.contains("▇█") && line.ends_with("  {a=\"b\"}"), "{text}");
        assert!(text.ends_with("▁ is 0, █ is 59\n"));
        assert_eq!(draw(&json!({"resultType": "matrix", "result": []})), "");
    }
}
