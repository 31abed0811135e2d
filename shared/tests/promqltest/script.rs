//! A file of the format: what is loaded, cleared, and evaluated, one after the other.

use fleetglass_shared::promql::duration_ms;

use crate::case::{Case, Expected, Mode, Note, Outcome, Text};
use crate::load::Loaded;
use fleetglass_shared::promql::notation::{metric, samples, series};

/// Runs a file: the line and outcome of every case.
pub(crate) fn run(text: &str) -> Vec<(usize, Outcome)> {
    let lines: Vec<&str> =
        text.lines().map(|line| Some(line.trim()).filter(|l| !l.starts_with('#')).unwrap_or("")).collect();
    let mut loaded = Loaded::default();
    let mut broken: Option<String> = None;
    let mut outcomes = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let head = lines[at];
        let first = at + 1;
        at += 1;
        if head.is_empty() {
            continue;
        }
        let block = first;
        while at < lines.len() && !lines[at].is_empty() && !head.starts_with("clear") {
            at += 1;
        }
        let body = &lines[block..at];
        let command = head.split_whitespace().next().unwrap_or("");
        match command {
            "clear" => {
                loaded = Loaded::default();
                broken = None;
            }
            "load" | "load_with_nhcb" => {
                if let Err(problem) = load(head, body, &mut loaded) {
                    broken.get_or_insert(problem);
                }
            }
            _ if command.starts_with("eval") => {
                let outcome = match (case(head, body), &broken) {
                    (_, Some(problem)) => Outcome::NotSupported(format!("loading {problem}")),
                    (Ok(case), None) => case.run(&loaded),
                    (Err(problem), None) => Outcome::Failed(format!("{head}: {problem}")),
                };
                outcomes.push((first, outcome));
            }
            _ => outcomes.push((first, Outcome::Failed(format!("unknown command {command}")))),
        }
    }
    outcomes
}

fn load(head: &str, body: &[&str], loaded: &mut Loaded) -> Result<(), String> {
    let step = head.split_whitespace().nth(1).and_then(time).ok_or_else(|| format!("{head}: no step"))?;
    let lines = body.iter().map(|line| series(line)).collect::<Result<_, _>>()?;
    loaded.add(step, lines, head.starts_with("load_with_nhcb"));
    Ok(())
}

/// A duration, or seconds.
fn time(text: &str) -> Option<i64> {
    if let Some(rest) = text.strip_prefix('-') {
        return time(rest).map(|ms| -ms);
    }
    duration_ms(text).or_else(|| Some((text.parse::<f64>().ok()? * 1000.0).round() as i64))
}

fn case(head: &str, body: &[&str]) -> Result<Case, String> {
    let (command, rest) = head.split_once(char::is_whitespace).ok_or("no mode")?;
    let (kind, rest) = rest.trim_start().split_once(char::is_whitespace).ok_or("no query")?;
    let rest = rest.trim_start();
    let (mode, query) = match kind {
        "instant" => match rest.strip_prefix("at ") {
            Some(rest) => {
                let (at, query) = rest.trim_start().split_once(char::is_whitespace).ok_or("no time")?;
                (Mode::Instant(time(at).ok_or("no time")?), query)
            }
            None => (Mode::Instant(0), rest),
        },
        "range" => {
            let words = rest.strip_prefix("from ").ok_or("no from")?;
            let (start, words) = words.trim_start().split_once(" to ").ok_or("no to")?;
            let (end, words) = words.split_once(" step ").ok_or("no step")?;
            let (step, query) = words.trim_start().split_once(char::is_whitespace).ok_or("no query")?;
            let time = |text: &str| time(text.trim()).ok_or_else(|| format!("{text}: no time"));
            (Mode::Range(time(start)?, time(end)?, time(step)?), query)
        }
        _ => return Err(format!("unknown mode {kind}")),
    };
    let mut case = Case::new(mode, query.trim());
    match command {
        "eval" => {}
        "eval_fail" => case.fail = Some(Text::Any),
        "eval_ordered" => case.ordered = true,
        "eval_warn" => case.notes.push(Note::Warning(Text::Any)),
        "eval_info" => case.notes.push(Note::Info(Text::Any)),
        _ => return Err(format!("unknown command {command}")),
    }
    for line in body {
        expectation(&mut case, line)?;
    }
    Ok(case)
}

fn expectation(case: &mut Case, line: &str) -> Result<(), String> {
    if let Some(message) = line.strip_prefix("expected_fail_message") {
        case.fail = Some(Text::Exact(message.trim().to_owned()));
    } else if let Some(pattern) = line.strip_prefix("expected_fail_regexp") {
        case.fail = Some(Text::pattern(pattern.trim())?);
    } else if let Some(what) = line.strip_prefix("expect ") {
        expect(case, what.trim())?;
    } else if let Ok((value, "")) = fleetglass_shared::promql::notation::number(line) {
        case.expected.push(Expected {
            labels: None,
            samples: vec![Some(fleetglass_shared::promql::notation::Sample::Float(value))],
        });
    } else {
        let (labels, rest) = metric(line)?;
        case.expected.push(Expected { labels: Some(labels), samples: samples(rest)? });
    }
    Ok(())
}

fn expect(case: &mut Case, what: &str) -> Result<(), String> {
    let (word, rest) = what.split_once(char::is_whitespace).unwrap_or((what, ""));
    let rest = rest.trim();
    match word {
        "fail" => case.fail = Some(Text::read(rest)?),
        "warn" => case.notes.push(Note::Warning(Text::read(rest)?)),
        "info" => case.notes.push(Note::Info(Text::read(rest)?)),
        "no_warn" => case.no_warnings = true,
        "no_info" => case.no_infos = true,
        "ordered" => case.ordered = true,
        "string" => {
            let text = fleetglass_shared::labels::quote::unquote(rest).map_err(|e| format!("{rest}: {e}"))?;
            case.string = Some(text.0);
        }
        "range" => {
            let words: Vec<&str> = rest.split_whitespace().collect();
            let ["vector", "from", start, "to", end, "step", step] = words[..] else {
                return Err(format!("{rest}: not understood"));
            };
            let time = |text: &str| time(text).ok_or_else(|| format!("{text}: no time"));
            case.range_vector = Some((time(start)?, time(end)?, time(step)?));
        }
        _ => return Err(format!("unknown expectation {word}")),
    }
    Ok(())
}
