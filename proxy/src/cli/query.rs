//! `fleetglass query`: asks a proxy, or anything that speaks Prometheus's API, and prints the answer.

mod chart;
mod table;

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use fleetglass_shared::promql::duration_ms;
use serde_json::Value;

use super::whom::{Token, heard};
use crate::clock;

pub(super) const EXAMPLE: &str = "Examples:\n  \
    fleetglass query 'sum by (job) (up)'\n  \
    fleetglass query 'rate(served_total[5m])' --start -1h --step 1m\n  \
    fleetglass query up --csv --url https://fleet.example.org --token-file token";

/// How wide a chart and its steps are where no step is given.
const STEPS: i64 = 60;

#[derive(Debug, Args)]
pub(super) struct QueryArgs {
    /// The PromQL expression.
    expr: String,
    /// The proxy to ask.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    #[command(flatten)]
    token: Token,
    /// When an instant query looks: Unix seconds, RFC 3339, or a time before now as -5m.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, conflicts_with_all = ["start", "end", "step"])]
    time: Option<String>,
    /// The first step of a range query.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    start: Option<String>,
    /// The end of it; now where it is not given.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, requires = "start")]
    end: Option<String>,
    /// From step to step: a duration, or seconds.
    #[arg(long, value_name = "DURATION", requires = "start")]
    step: Option<String>,
    /// Print the answer's data as JSON.
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV: a line a sample.
    #[arg(long)]
    csv: bool,
}

/// Asks and prints.
pub(super) async fn run(args: QueryArgs) -> anyhow::Result<()> {
    let now = clock::now();
    let time = |text: &str| {
        moment(text, now)
            .with_context(|| format!("`{text}` is no time: write Unix seconds, RFC 3339, or e.g. -5m"))
    };
    let mut form = vec![("query", args.expr.clone())];
    let path = match &args.start {
        Some(start) => {
            let (start, end) = (time(start)?, args.end.as_deref().map_or(Ok(now), time)?);
            let step = match &args.step {
                Some(step) => step.clone(),
                None => seconds(((end - start) / STEPS).max(1000)),
            };
            form.extend([("start", seconds(start)), ("end", seconds(end)), ("step", step)]);
            "api/v1/query_range"
        }
        None => {
            form.push(("time", seconds(args.time.as_deref().map_or(Ok(now), time)?)));
            "api/v1/query"
        }
    };
    let token = args.token.read()?;
    let body = ask(&args.url, path, &form, token.as_deref()).await?;
    for kind in ["warnings", "infos"] {
        for note in body[kind].as_array().into_iter().flatten() {
            eprintln!("{}", note.as_str().unwrap_or_default());
        }
    }
    let data = &body["data"];
    if args.json {
        println!("{data}");
    } else if args.csv {
        print!("{}", table::csv(data));
    } else {
        print!("{}", table::text(data));
        if args.start.is_some() {
            print!("{}", chart::draw(data));
        }
    }
    Ok(())
}

async fn ask(url: &str, path: &str, form: &[(&str, String)], token: Option<&str>) -> anyhow::Result<Value> {
    let url = format!("{}/{path}", url.trim_end_matches('/'));
    let body =
        form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&");
    let client = reqwest::Client::builder().timeout(Duration::from_secs(150)).build()?;
    let request = client.post(&url).header("content-type", "application/x-www-form-urlencoded").body(body);
    let (status, text) = heard(request, token, &url).await?;
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    match body["error"].as_str() {
        Some(error) => bail!("{error}"),
        None if status.is_success() && body["data"].is_object() => Ok(body),
        None => bail!("{url} answered {status}, and not as Prometheus's API does"),
    }
}

/// All but plain letters and digits as `%XX`.
fn encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms.div_euclid(1000), ms.rem_euclid(1000))
}

/// A time in milliseconds.
pub(super) fn moment(text: &str, now: i64) -> Option<i64> {
    if text == "now" {
        return Some(now);
    }
    if let Some(before) = text.strip_prefix('-').and_then(duration_ms) {
        return Some(now - before);
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds.abs() < 1e12).then_some((seconds * 1000.0).round() as i64);
    }
    let since = humantime::parse_rfc3339(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(moment("-5m", 1_000_000), Some(700_000));
        assert_eq!(moment("12.5", 0), Some(12_500));
        assert_eq!(moment("2015-07-01T20:10:30.781Z", 0), Some(1_435_781_430_781));
        assert_eq!((moment("soon", 0), moment("-", 0)), (None, None));
        assert_eq!(seconds(1_234), "1.234");
        assert_eq!(encoded("a{b=\"c d\"}"), "a%7Bb%3D%22c%20d%22%7D");
    }
}
