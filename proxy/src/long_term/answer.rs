//! What a Prometheus API answers to a question for a range: a matrix, or why not.

use std::collections::BTreeMap;

use fleetglass_shared::{health::UnixMillis, labels::LabelSet};
use http::StatusCode;
use serde::Deserialize;

use crate::store::Sample;

/// Series with their samples.
pub(super) type Found = Vec<(LabelSet, Vec<Sample>)>;

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Option<Data>,
    #[serde(default)]
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

/// The series of an answer.
pub(super) fn read(status: StatusCode, body: &[u8]) -> Result<Found, String> {
    let begin = || String::from_utf8_lossy(body).chars().take(200).collect::<String>();
    let answer: Answer = serde_json::from_slice(body).map_err(|error| {
        format!("HTTP {status}, and no answer of a Prometheus API ({error}): {}", begin())
    })?;
    let data = match (answer.data, answer.error) {
        (Some(data), None) if status.is_success() && data.result_type == "matrix" => data,
        (_, Some(error)) => return Err(format!("HTTP {status}: {error}")),
        _ => return Err(format!("HTTP {status}, and no series: {}", begin())),
    };
    data.result.into_iter().map(series).collect()
}

fn series(series: Series) -> Result<(LabelSet, Vec<Sample>), String> {
    let samples: Result<Vec<Sample>, String> = series.values.iter().map(sample).collect();
    Ok((LabelSet::from_pairs(series.metric), samples?))
}

fn sample((seconds, value): &(f64, String)) -> Result<Sample, String> {
    let value = match value.as_str() {
        "+Inf" | "Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        other => other.parse().map_err(|_| format!("the value {other:?} is no number"))?,
    };
    Ok(((seconds * 1000.0).round() as UnixMillis, value))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_matrix_is_read_to_the_millisecond_and_the_bit() {
        let body = br#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"a","x":"y"},"values":[[1435781430.781,"0.1"],[1435781431,"+Inf"],[1435781432,"-Inf"]]},
            {"metric":{},"values":[]}]}}"#;
        let found = read(StatusCode::OK, body).unwrap();
        assert_eq!(found[0].0.to_string(), "a{x=\"y\"}");
        let expected = [
            (1_435_781_430_781, 0.1),
            (1_435_781_431_000, f64::INFINITY),
            (1_435_781_432_000, -f64::INFINITY),
        ];
        assert_eq!(found[0].1, expected);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn what_is_no_matrix_is_said() {
        for (status, body, word) in [
            (200, "<html>", "no answer of a Prometheus API"),
            (404, "404 page", "HTTP 404"),
            (200, r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#, "no series"),
            (400, r#"{"status":"error","errorType":"bad_data","error":"what?"}"#, "what?"),
            (
                200,
                r#"{"data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"x"]]}]}}"#,
                "no number",
            ),
        ] {
            let error = read(StatusCode::from_u16(status).unwrap(), body.as_bytes()).unwrap_err();
            assert!(error.contains(word), "{body}: {error}");
        }
    }
}
