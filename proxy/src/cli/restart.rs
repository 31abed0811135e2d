//! `fleetglass restart-check`: asks a running proxy whether nodes may be restarted, and tells scripts by the exit code.

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use fleetglass_shared::{
    format::{duration_ms, utc},
    health::UnixMillis,
    labels::Matcher,
    wire::{NodeRestart, RestartAnswer, RestartCheck, RestartReason},
};
use tokio::runtime::Runtime;

use super::whom::{Token, heard};

pub(super) const EXAMPLE: &str = "Examples:\n  \
    fleetglass restart-check eu-1 && systemctl restart node\n  \
    fleetglass restart-check '{family=\"generic\", region=\"eu\"}'\n  \
    fleetglass restart-check '{region=\"eu\"}' --at-once --json\n\n\
    Exit codes:\n  \
    0  yes\n  \
    1  no\n  \
    2  it could not be asked: a wrong selector, no such node, no answer, a token that is missing\n  \
    3  not before the time that is printed\n  \
    4  it cannot be told: what must be known is missing or old";

/// It could not be asked.
const NOT_ASKED: u8 = 2;

#[derive(Debug, Args)]
pub(super) struct RestartArgs {
    /// A node's id, or which nodes: `{region="eu"}`, with labels, `instance` and `family`.
    selector: String,
    /// The proxy to ask.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    #[command(flatten)]
    token: Token,
    /// All of them in the same moment, not one after another.
    #[arg(long)]
    at_once: bool,
    /// Print the whole answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Asks, prints, and ends with the answer's code.
pub(super) fn run(args: &RestartArgs, runtime: anyhow::Result<Runtime>) -> ExitCode {
    match runtime.and_then(|runtime| runtime.block_on(asked(args))) {
        Ok(answer) => ExitCode::from(code(answer)),
        Err(error) => {
            eprintln!("fleetglass: {error:#}");
            ExitCode::from(NOT_ASKED)
        }
    }
}

fn code(answer: RestartAnswer) -> u8 {
    match answer {
        RestartAnswer::Yes => 0,
        RestartAnswer::No => 1,
        RestartAnswer::Wait => 3,
        RestartAnswer::Unknown => 4,
    }
}

async fn asked(args: &RestartArgs) -> anyhow::Result<RestartAnswer> {
    let base = args.url.trim_end_matches('/');
    let mut url = reqwest::Url::parse(&format!("{base}/api/v1/restart-check"))
        .with_context(|| format!("`{base}` is no URL"))?;
    url.query_pairs_mut().append_pair("match[]", &selector(&args.selector));
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(30)).build()?;
    let token = args.token.read()?;
    let (status, text) = heard(client.get(url), token.as_deref(), base).await?;
    if !status.is_success() {
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        bail!("{base} answered {status}: {}", problem["detail"].as_str().unwrap_or("not as Fleetglass does"));
    }
    let check: RestartCheck =
        serde_json::from_str(&text).with_context(|| format!("{base} did not answer as Fleetglass does"))?;
    match args.json {
        true => println!("{text}"),
        false => print!("{}", in_words(&check)),
    }
    Ok(if args.at_once { check.at_once.answer } else { check.one_by_one.answer })
}

/// What names no label is a node's id.
fn selector(text: &str) -> String {
    let text = text.trim();
    let unquoted = text.split('"').next().unwrap_or_default();
    match (unquoted.contains('{'), unquoted.contains('=')) {
        (true, _) => text.to_owned(),
        (false, true) => format!("{{{text}}}"),
        (false, false) => format!("{{{}}}", Matcher::equal("instance", text)),
    }
}

fn in_words(check: &RestartCheck) -> String {
    let answer = |answer: RestartAnswer, until: Option<UnixMillis>| match (answer, until) {
        (RestartAnswer::Wait, Some(until)) => {
            format!("wait until {} ({})", utc(until / 1000), duration_ms(until - check.at))
        }
        _ => answer.as_str().to_owned(),
    };
    let mut out = String::new();
    for node in &check.nodes {
        let NodeRestart { node: id, reasons, same_host, .. } = node;
        out += &format!("{id}: {}\n", answer(node.answer, node.until));
        out.extend(reasons.iter().map(line));
        if !same_host.is_empty() {
            out += &format!("  - On the same host: {}\n", same_host.join(", "));
        }
    }
    if check.nodes.len() > 1 {
        let (one, all) = (&check.one_by_one, &check.at_once);
        out += &format!("one after another, in this order: {}\n", answer(one.answer, one.until));
        out += &format!("all at once: {}\n", answer(all.answer, all.until));
        out.extend(all.reasons.iter().map(line));
    }
    out
}

fn line(reason: &RestartReason) -> String {
    let action = if reason.action.is_empty() { String::new() } else { format!(". {}", reason.action) };
    format!("  - {}{action}\n", reason.text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_is_a_selector() {
        for (text, is) in [
            ("eu-1", "{instance=\"eu-1\"}"),
            (" a\"b ", "{instance=\"a\\\"b\"}"),
            ("region=\"eu\"", "{region=\"eu\"}"),
            ("{region=~\"eu.*\"}", "{region=~\"eu.*\"}"),
            ("rack=\"{7}\"", "{rack=\"{7}\"}"),
            ("up{rack=\"7\"}", "up{rack=\"7\"}"),
        ] {
            assert_eq!(selector(text), is);
        }
    }

    #[test]
    fn a_group_is_told_in_order_with_what_holds_it_up() {
        let check: RestartCheck = serde_json::from_value(serde_json::json!({
            "at": 0, "one_by_one": {"answer": "wait", "until": 90_000},
            "at_once": {"answer": "no", "reasons": [{"code": "group", "text": "Too many", "answer": "no"}]},
            "nodes": [
                {"node": "a", "family": "f", "answer": "yes", "reasons": [], "same_host": ["b"],
                 "group": {"by": {}, "nodes": 2, "may_be_down": 1}},
                {"node": "b", "family": "f", "answer": "wait", "until": 90_000,
                 "reasons": [{"code": "x", "text": "It is due", "answer": "wait", "action": "Look."}],
                 "group": {"by": {}, "nodes": 2, "may_be_down": 1}},
            ],
        }))
        .unwrap();
        let wanted = "a: yes\n  - On the same host: b\nb: wait until 1970-01-01 00:01:30 UTC (1 min)\n  - It is due. Look.\n\
                      one after another, in this order: wait until 1970-01-01 00:01:30 UTC (1 min)\n\
                      all at once: no\n  - Too many\n";
        assert_eq!(in_words(&check), wanted);
        assert_eq!(
            [RestartAnswer::Yes, RestartAnswer::No, RestartAnswer::Wait, RestartAnswer::Unknown].map(code),
            [0, 1, 3, 4]
        );
    }
}
