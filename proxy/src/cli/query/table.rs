//! An answer of Prometheus's API as a table, and as CSV.

use std::fmt::Write as _;

use fleetglass_shared::labels::{LabelSet, METRIC_NAME};
use serde_json::Value;

/// One series of an answer: its labels, and times with values as they were written.
pub(super) fn series(data: &Value) -> Vec<(LabelSet, Vec<(f64, String)>)> {
    let point = |pair: &Value| {
        // Numbers keep their digits, so they are read from their text.
        let time = pair[0].to_string().parse().unwrap_or(0.0);
        (time, pair[1].as_str().unwrap_or_default().to_owned())
    };
    if matches!(data["resultType"].as_str(), Some("scalar" | "string")) {
        return vec![(LabelSet::default(), vec![point(&data["result"])])];
    }
    let one = |one: &Value| {
        let labels = one["metric"].as_object().into_iter().flatten();
        let labels =
            LabelSet::from_pairs(labels.map(|(name, value)| (name, value.as_str().unwrap_or_default())));
        let points = match one["values"].as_array() {
            Some(values) => values.iter().map(point).collect(),
            None => vec![point(&one["value"])],
        };
        (labels, points)
    };
    data["result"].as_array().into_iter().flatten().map(one).collect()
}

/// A line a series: its labels and its last value; of a range also how many values there are, the least
/// and the greatest.
pub(super) fn text(data: &Value) -> String {
    let series = series(data);
    if series.is_empty() {
        return "No series.\n".to_owned();
    }
    let ranged = data["resultType"] == "matrix";
    let mut rows = vec![if ranged {
        ["series", "points", "min", "max", "last"].map(str::to_owned).to_vec()
    } else {
        ["series", "value"].map(str::to_owned).to_vec()
    }];
    for (labels, points) in &series {
        let name = if labels.is_empty() { "{}".to_owned() } else { labels.to_string() };
        let last = points.last().map_or("", |(_, value)| value).to_owned();
        rows.push(if ranged {
            let values: Vec<f64> = points.iter().filter_map(|(_, value)| value.parse().ok()).collect();
            let extreme = |pick: fn(f64, f64) -> f64| {
                values.iter().copied().reduce(pick).map_or_else(String::new, |value| value.to_string())
            };
            vec![name, points.len().to_string(), extreme(f64::min), extreme(f64::max), last]
        } else {
            vec![name, last]
        });
    }
    aligned(&rows)
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            // Numbers end below each other.
            let padded = if column == 0 { format!("{cell}{pad}") } else { format!("  {pad}{cell}") };
            out.push_str(&padded);
        }
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
    out
}

/// A line a sample: a column for each label that occurs, the time, the value.
pub(super) fn csv(data: &Value) -> String {
    let series = series(data);
    let mut names: Vec<String> =
        series.iter().flat_map(|(labels, _)| labels.iter().map(|(name, _)| name.to_owned())).collect();
    names.sort_by_key(|name| (name != METRIC_NAME, name.clone()));
    names.dedup();
    let mut out = String::new();
    let head = names.iter().map(String::as_str).chain(["timestamp", "value"]);
    out.push_str(&head.map(cell).collect::<Vec<_>>().join(","));
    out.push('\n');
    for (labels, points) in &series {
        for (time, value) in points {
            for name in &names {
                out.push_str(&cell(labels.get(name).unwrap_or("")));
                out.push(',');
            }
            // Writing to a String never fails.
            let _ = writeln!(out, "{time},{}", cell(value));
        }
    }
    out
}

fn cell(text: &str) -> String {
    // A spreadsheet would run what begins like a formula.
    let formula =
        text.starts_with(['=', '@']) || (text.starts_with(['+', '-']) && text.parse::<f64>().is_err());
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn data() -> Value {
        json!({"resultType": "matrix", "result": [
            {"metric": {"__name__": "up", "node": "a,b"}, "values": [[1, "1"], [2.5, "0"]]},
            {"metric": {"job": "=x"}, "values": [[1, "NaN"]]},
        ]})
    }

    #[test]
    fn a_table_has_a_line_a_series() {
        assert_eq!(
            text(&data()),
            "series          points  min  max  last\n\
             up{node=\"a,b\"}       2    0    1     0\n\
             {job=\"=x\"}           1  NaN  NaN   NaN\n"
        );
        assert_eq!(text(&json!({"resultType": "vector", "result": []})), "No series.\n");
        assert_eq!(
            text(&json!({"resultType": "scalar", "result": [1, "7"]})),
            "series  value\n{}          7\n"
        );
    }

    #[test]
    fn csv_has_a_line_a_sample() {
        assert_eq!(
            csv(&data()),
            "__name__,job,node,timestamp,value\nup,,\"a,b\",1,1\nup,,\"a,b\",2.5,0\n,'=x,,1,NaN\n"
        );
    }
}
