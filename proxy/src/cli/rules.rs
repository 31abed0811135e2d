//! `fleetglass rules`: rule files checked and tested without a server, with promtool's output and exit codes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Subcommand, ValueEnum};
use fleetglass_shared::rule::{Rule, RuleFile, RuleGroup, unit::TestFile};
use serde_json::json;

use super::whom::Token;
use crate::{clock, discovery};

/// A file is bad, or a test failed.
const FAILED: u8 = 1;
/// The files are good, but lint says that they are not.
const LINT: u8 = 3;

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// Say what is wrong with rule files: exit 0 when nothing is, 1 when something is.
    #[command(after_help = "Example:\n  fleetglass rules check rules/*.yml")]
    Check(CheckArgs),
    /// Run unit tests of rules, in promtool's format: exit 0 when all pass, 1 when one fails.
    #[command(after_help = "Example:\n  fleetglass rules test rules/*_test.yml")]
    Test(TestArgs),
    /// Ask a running proxy when a rule would have fired over its history.
    #[command(after_help = BACKTEST)]
    Backtest(BacktestArgs),
}

const BACKTEST: &str = "Examples:\n  fleetglass rules backtest 'up == 0' --for 1m --range 7d\n  fleetglass rules \
                        backtest --rule NodeUnreachable --threshold 0 --range 24h --json";

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The rule files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What is looked for beside errors.
    #[arg(long, value_enum, default_value = "duplicate-rules")]
    lint: Lint,
    /// What lint finds is an error: exit 3.
    #[arg(long)]
    lint_fatal: bool,
    /// One JSON document with every file's faults.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lint {
    All,
    DuplicateRules,
    None,
}

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// The test files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    /// The expression; or else `--rule`.
    #[arg(required_unless_present = "rule", conflicts_with = "rule")]
    expr: Option<String>,
    /// A rule of the proxy, by its alert's name.
    #[arg(long)]
    rule: Option<String>,
    /// Another bound in place of the expression's.
    #[arg(long, allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// How long before it fires; the rule's own where it has one.
    #[arg(long = "for", value_name = "DURATION")]
    hold: Option<humantime::Duration>,
    /// How far back.
    #[arg(long, default_value = "24h")]
    range: humantime::Duration,
    /// The proxy to ask.
    #[arg(long, default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: String,
    #[command(flatten)]
    token: Token,
    /// The answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Checks files.
pub(super) fn check(args: &CheckArgs) -> ExitCode {
    let (mut failed, mut lint_failed) = (false, false);
    let mut told = Vec::new();
    for path in &args.files {
        let name = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("fleetglass: error: {name}: {error}");
                failed = true;
                continue;
            }
        };
        let file = RuleFile::read(&text);
        let duplicates = if args.lint == Lint::None { Vec::new() } else { duplicates(&file.groups) };
        failed |= !file.faults.is_empty();
        lint_failed |= !duplicates.is_empty();
        if args.json {
            let faults: Vec<_> = file
                .faults
                .iter()
                .map(|fault| {
                    json!({
                        "line": fault.place.line, "column": fault.place.column, "group": fault.group,
                        "rule": fault.rule, "name": fault.name, "message": fault.message,
                    })
                })
                .collect();
            told.push(
                json!({ "file": name, "rules": file.rules(), "faults": faults, "duplicates": duplicates }),
            );
            continue;
        }
        println!("Checking {name}");
        if !file.faults.is_empty() {
            eprintln!("  FAILED:");
            for fault in &file.faults {
                eprintln!("{name}: {fault}");
            }
        } else if duplicates.is_empty() {
            println!("  SUCCESS: {} rules found", file.rules());
        } else {
            eprintln!("  FAILED:\nlint error {} duplicate rule(s) found.", duplicates.len());
            duplicates.iter().for_each(|rule| eprint!("{rule}"));
            eprintln!("Might cause inconsistency while recording expressions");
        }
        println!();
    }
    if args.json {
        println!("{}", json!(told));
    }
    if failed {
        ExitCode::from(FAILED)
    } else if lint_failed && args.lint_fatal {
        ExitCode::from(LINT)
    } else {
        ExitCode::SUCCESS
    }
}

/// Rules that give series of the same name and labels as another.
fn duplicates(groups: &[RuleGroup]) -> Vec<String> {
    let mut seen: BTreeMap<(&str, &BTreeMap<String, String>), usize> = BTreeMap::new();
    let all = groups.iter().flat_map(|group| &group.rules);
    for Rule { name, labels, .. } in all {
        *seen.entry((name, labels)).or_default() += 1;
    }
    let again = seen.into_iter().flat_map(|(key, count)| std::iter::repeat_n(key, count - 1));
    again
        .map(|(name, labels)| {
            let labels: String = labels.iter().map(|(name, value)| format!("\t{name}: {value}\n")).collect();
            format!("Metric: {name}\nLabel(s):\n{labels}")
        })
        .collect()
}

/// Runs unit tests.
pub(super) fn test(args: &TestArgs) -> ExitCode {
    let mut failed = false;
    for path in &args.files {
        println!("Unit Testing:  {}", path.display());
        let problems = match tested(path) {
            Ok(problems) => problems,
            Err(error) => vec![error],
        };
        if problems.is_empty() {
            println!("  SUCCESS");
        } else {
            failed = true;
            eprintln!("  FAILED:");
            problems.iter().for_each(|problem| eprintln!("{problem}"));
        }
        println!();
    }
    ExitCode::from(if failed { FAILED } else { 0 })
}

/// What fails in a test file.
fn tested(path: &Path) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let file = TestFile::read(&text).map_err(|error| format!("{}:{error}", path.display()))?;
    if file.is_empty() {
        return Ok(Vec::new());
    }
    let mut groups = Vec::new();
    let folder = path.parent().unwrap_or(Path::new(""));
    for pattern in &file.rule_files {
        let found = discovery::matching(&folder.join(pattern));
        if found.is_empty() {
            eprintln!("  WARNING: no file match pattern {}", folder.join(pattern).display());
        }
        for path in found {
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let file = RuleFile::read(&text);
            if !file.faults.is_empty() {
                // As promtool, which tests nothing of a file that has a fault.
                return Ok(file
                    .faults
                    .iter()
                    .map(|fault| format!("    {}: {fault}", path.display()))
                    .collect());
            }
            groups.extend(file.groups);
        }
    }
    Ok(file.run(&groups))
}

/// Asks a running proxy.
pub(super) async fn backtest(args: BacktestArgs) -> anyhow::Result<()> {
    let token = args.token.read()?;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(150)).build()?;
    let with_token = |request: reqwest::RequestBuilder| match &token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let base = args.url.trim_end_matches('/').to_owned();
    let (mut expr, mut hold) =
        (args.expr.unwrap_or_default(), args.hold.map_or(0.0, |hold| hold.as_secs_f64()));
    if let Some(name) = &args.rule {
        let answer: serde_json::Value = asked(with_token(client.get(format!("{base}/api/v1/rules")))).await?;
        let groups = answer["data"]["groups"].as_array().into_iter().flatten();
        let mut rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
        let rule = rules.find(|rule| rule["name"] == json!(name) && rule["type"] == "alerting");
        let rule = rule.ok_or_else(|| anyhow::anyhow!("the proxy has no alerting rule {name}"))?;
        expr = rule["query"].as_str().unwrap_or_default().to_owned();
        if args.hold.is_none() {
            hold = rule["duration"].as_f64().unwrap_or(0.0);
        }
    }
    if let Some(to) = args.threshold {
        let query = fleetglass_shared::promql::Query::parse(&expr)?;
        expr = query.with_threshold(None, to).map_err(|error| anyhow::anyhow!(error))?.text().to_owned();
    }
    let end = clock::now();
    let start = end - i64::try_from(args.range.as_millis()).unwrap_or(i64::MAX / 2);
    let body = json!({ "query": expr, "for_seconds": hold, "start": start, "end": end });
    let request = client.post(format!("{base}/api/v1/rules/backtest"));
    let answer: serde_json::Value = asked(with_token(request.body(body.to_string()))).await?;
    if args.json {
        println!("{answer}");
        return Ok(());
    }
    println!("{expr}");
    println!(
        "over {}: would have fired {} times, on {} series, for {} s in all; true but too short {} times",
        args.range, answer["total"], answer["series"], answer["firing_seconds"], answer["passed_over"]
    );
    for firing in answer["firings"].as_array().into_iter().flatten() {
        let at = |name: &str| firing[name].as_i64().map(|at| fleetglass_shared::format::utc(at / 1000));
        let labels = firing["labels"].as_object().into_iter().flatten();
        let labels: Vec<String> = labels.map(|(name, value)| format!("{name}={value}")).collect();
        println!(
            "  {}  to  {}  {{{}}}  value {}",
            at("fired_at").unwrap_or_default(),
            at("resolved_at").unwrap_or_else(|| "now".to_owned()),
            labels.join(", "),
            firing["value"]
        );
    }
    Ok(())
}

async fn asked(request: reqwest::RequestBuilder) -> anyhow::Result<serde_json::Value> {
    let answer = request.send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let detail = problem["detail"].as_str().or(problem["error"].as_str()).unwrap_or(&text).to_owned();
        anyhow::bail!("the proxy answers {status}: {detail}");
    }
    Ok(serde_json::from_str(&text)?)
}
