//! A series as Prometheus's test files write it: `metric{label="value"} 1 2+3x4 _ stale {{…}}`.

use crate::labels::quote::unquote;
use crate::labels::{LabelSet, METRIC_NAME};

/// A sample, of whatever kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sample {
    /// A number, or a stale marker.
    Float(f64),
    /// A native histogram; what is in it is not read.
    Histogram,
}

/// Labels, and a sample or none for each step.
#[derive(Clone, Debug)]
pub struct Series {
    /// All its labels.
    pub labels: LabelSet,
    /// One for each step, `None` where there is none.
    pub samples: Vec<Option<Sample>>,
}

/// Reads a line.
///
/// # Errors
/// What is not understood, in words.
pub fn series(line: &str) -> Result<Series, String> {
    let (labels, rest) = metric(line)?;
    Ok(Series { labels, samples: samples(rest)? })
}

/// The labels a line begins with, and the rest.
///
/// # Errors
/// What is not understood, in words.
pub fn metric(line: &str) -> Result<(LabelSet, &str), String> {
    let end = line.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(line.len());
    let (name, mut rest) = line.split_at(end);
    let mut pairs: Vec<(String, String)> = Vec::new();
    if !name.is_empty() {
        pairs.push((METRIC_NAME.to_owned(), name.to_owned()));
    }
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside.trim_start();
        while !rest.starts_with('}') {
            let (label, after) = word(rest)?;
            rest = after.trim_start();
            if let Some(value) = rest.strip_prefix('=') {
                let value = value.trim_start();
                let (text, length) = unquote(value).map_err(|e| format!("{line}: {e}"))?;
                pairs.push((label, text));
                rest = value[length..].trim_start();
            } else {
                pairs.push((METRIC_NAME.to_owned(), label));
            }
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
            if rest.is_empty() {
                return Err(format!("{line}: the labels do not end"));
            }
        }
        rest = &rest[1..];
    } else if name.is_empty() {
        return Err(format!("{line}: no metric"));
    }
    Ok((LabelSet::from_pairs(pairs), rest))
}

fn word(text: &str) -> Result<(String, &str), String> {
    if text.starts_with(['"', '\'', '`']) {
        let (word, length) = unquote(text).map_err(|e| format!("{text}: {e}"))?;
        return Ok((word, &text[length..]));
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    if end == 0 { Err(format!("{text}: no label")) } else { Ok((text[..end].to_owned(), &text[end..])) }
}

/// Values one after the other.
///
/// # Errors
/// What is not understood, in words.
pub fn samples(text: &str) -> Result<Vec<Option<Sample>>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let before = rest.len();
        rest = if rest.starts_with("{{") { histograms(rest, &mut found)? } else { floats(rest, &mut found)? };
        if rest.len() == before || found.len() > 1_000_000 {
            return Err(format!("{rest}: not understood"));
        }
        rest = rest.trim_start();
    }
    Ok(found)
}

/// `{{…}}`, `{{…}}xN`, `{{…}}+{{…}}xN`.
fn histograms<'a>(text: &'a str, found: &mut Vec<Option<Sample>>) -> Result<&'a str, String> {
    let close = |text: &str| text.find("}}").map(|at| at + 2).ok_or_else(|| format!("{text}: no }}}}"));
    let mut rest = &text[close(text)?..];
    if rest.starts_with(['+', '-']) && rest[1..].starts_with("{{") {
        rest = &rest[1 + close(&rest[1..])?..];
    }
    let (times, rest) = times(rest)?;
    found.extend((0..=times).map(|_| Some(Sample::Histogram)));
    Ok(rest)
}

/// `_`, `_xN`, `stale`, `1`, `1xN`, `1+2xN`, `1-2xN`.
fn floats<'a>(text: &'a str, found: &mut Vec<Option<Sample>>) -> Result<&'a str, String> {
    if let Some(rest) = text.strip_prefix('_') {
        let (count, rest) = times(rest)?;
        found.extend((0..count.max(1)).map(|_| None));
        return Ok(rest);
    }
    if let Some(rest) = text.strip_prefix("stale") {
        let (count, rest) = times(rest)?;
        let stale = super::stale_marker();
        found.extend((0..=count).map(|_| Some(Sample::Float(stale))));
        return Ok(rest);
    }
    let (first, rest) = number(text)?;
    let (step, rest) = if rest.starts_with(['+', '-']) { number(rest)? } else { (0.0, rest) };
    let (count, rest) = times(rest)?;
    if !rest.is_empty() && !rest.starts_with(char::is_whitespace) {
        return Err(format!("{rest}: not understood"));
    }
    let mut value = first;
    for at in 0..=count {
        if at > 0 {
            value += step;
        }
        found.push(Some(Sample::Float(value)));
    }
    Ok(rest)
}

fn times(text: &str) -> Result<(usize, &str), String> {
    let Some(rest) = text.strip_prefix('x') else { return Ok((0, text)) };
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Ok((rest[..end].parse().map_err(|_| format!("{text}: no count"))?, &rest[end..]))
}

/// A number at the beginning of a text.
///
/// # Errors
/// What is not understood, in words.
pub fn number(text: &str) -> Result<(f64, &str), String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = text.len() - unsigned.len();
    let lower = unsigned.to_ascii_lowercase();
    let word =
        ["infinity", "inf", "nan"].iter().find(|word| lower.starts_with(**word)).map(|word| word.len());
    let length = word.unwrap_or_else(|| {
        let bytes = unsigned.as_bytes();
        let digit = |at: usize| bytes.get(at).is_some_and(|b| b.is_ascii_digit() || *b == b'.');
        let mut at = 0;
        while digit(at) {
            at += 1;
        }
        if at > 0 && matches!(bytes.get(at), Some(b'e' | b'E')) {
            let signed = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            if digit(at + 1 + signed) {
                at += 1 + signed;
                while digit(at) {
                    at += 1;
                }
            }
        }
        at
    });
    let end = sign + length;
    let value = text[..end].parse().map_err(|_| format!("{text}: not a number"))?;
    Ok((value, &text[end..]))
}
