//! Writes Prometheus text 0.0.4, as our own `/metrics` and `/metrics/nodes` serve it.

use std::fmt::Write as _;

use super::MetricKind;
use super::labels::{is_label_byte, is_name_byte, is_name_start};

/// The `Content-Type` of what [`Writer`] writes.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Builds a body of text 0.0.4.
///
/// ```
/// use fleetglass_shared::exposition::{MetricKind, write::Writer};
///
/// let mut writer = Writer::default();
/// writer.family("peers", MetricKind::Gauge, "Peers of a node.");
/// writer.sample("peers", [("node", "eu-1")], 7.0, None);
/// assert_eq!(
///     writer.into_string(),
///     "# HELP peers Peers of a node.\n# TYPE peers gauge\npeers{node=\"eu-1\"} 7\n"
/// );
/// ```
#[derive(Debug, Default, Clone)]
pub struct Writer {
    out: String,
}

impl Writer {
    /// The HELP and TYPE lines of a family, which stand before its samples. Types that text 0.0.4 lacks
    /// become the nearest it has; an empty help gives no HELP line.
    pub fn family(&mut self, name: &str, kind: MetricKind, help: &str) {
        if !help.is_empty() {
            self.out.push_str("# HELP ");
            push_metadata_name(&mut self.out, name);
            self.out.push(' ');
            push_escaped(&mut self.out, help, false);
            self.out.push('\n');
        }
        self.out.push_str("# TYPE ");
        push_metadata_name(&mut self.out, name);
        self.out.push(' ');
        self.out.push_str(match kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge | MetricKind::Info | MetricKind::StateSet => "gauge",
            MetricKind::Histogram => "histogram",
            MetricKind::Summary => "summary",
            MetricKind::GaugeHistogram | MetricKind::Unknown => "untyped",
        });
        self.out.push('\n');
    }

    /// One sample; `timestamp` in Unix milliseconds. Names that are not plain ASCII names are quoted.
    pub fn sample<'l>(
        &mut self,
        name: &str,
        labels: impl IntoIterator<Item = (&'l str, &'l str)>,
        value: f64,
        timestamp: Option<i64>,
    ) {
        push_series(&mut self.out, name, labels);
        self.out.push(' ');
        push_number(&mut self.out, value);
        if let Some(timestamp) = timestamp {
            // Writing to a String cannot fail.
            let _ = write!(self.out, " {timestamp}");
        }
        self.out.push('\n');
    }

    /// The body so far.
    pub fn as_str(&self) -> &str {
        &self.out
    }

    /// The body.
    pub fn into_string(self) -> String {
        self.out
    }
}

/// Appends `name{label="value"}`, or `{"näme",label="value"}` where the name needs quotes.
pub fn push_series<'l>(out: &mut String, name: &str, labels: impl IntoIterator<Item = (&'l str, &'l str)>) {
    let quoted = !is_plain_name(name);
    let mut open = quoted;
    if quoted {
        out.push('{');
        push_quoted(out, name);
    } else {
        out.push_str(name);
    }
    for (label, value) in labels {
        out.push(if open { ',' } else { '{' });
        open = true;
        if is_plain_label(label) {
            out.push_str(label);
        } else {
            push_quoted(out, label);
        }
        out.push('=');
        push_quoted(out, value);
    }
    if open {
        out.push('}');
    }
}

/// Appends a number as Prometheus prints it: the shortest text that reads back as the same double, with an
/// exponent below 10⁻⁴ and from 10²¹ on.
pub fn push_number(out: &mut String, value: f64) {
    let magnitude = value.abs();
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else if magnitude != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent),
        };
        let _ = write!(out, "{mantissa}e{sign}{digits:0>2}");
    } else {
        let _ = write!(out, "{value}");
    }
}

fn push_metadata_name(out: &mut String, name: &str) {
    if is_plain_name(name) {
        out.push_str(name);
    } else {
        push_quoted(out, name);
    }
}

fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    push_escaped(out, text, true);
    out.push('"');
}

fn push_escaped(out: &mut String, text: &str, quotes: bool) {
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            _ => out.push(char),
        }
    }
}

fn is_plain_name(name: &str) -> bool {
    name.bytes().next().is_some_and(is_name_start) && name.bytes().all(is_name_byte)
}

fn is_plain_label(label: &str) -> bool {
    label.bytes().next().is_some_and(|b| is_label_byte(b) && !b.is_ascii_digit())
        && label.bytes().all(is_label_byte)
}
