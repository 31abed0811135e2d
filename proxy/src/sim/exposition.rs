//! Writes expositions as the five families' own libraries write them: the same text format, but
//! floats and names each in the manner of a Rust, Go or Python client, or of OpenMetrics.

use std::fmt::Write as _;

/// Whose habits the text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// The Rust `prometheus` crate: text 0.0.4, `5`, `0.25`.
    Rust,
    /// Go's client: text 0.0.4, `1.6777216e+07`.
    Go,
    /// Python's client: text 0.0.4, `5.0`.
    Python,
    /// The Rust `prometheus-client` crate: OpenMetrics 1.0, `# EOF`, names without `_total` in
    /// TYPE and HELP.
    OpenMetrics,
}

impl Style {
    /// The Content-Type that goes with it.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Rust => "text/plain; version=0.0.4",
            Self::Go => "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
            Self::Python => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Label names and values, as written.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

/// An exposition being written.
pub struct Exposition {
    style: Style,
    out: String,
}

impl Exposition {
    /// An empty one.
    pub fn new(style: Style) -> Self {
        Self { style, out: String::with_capacity(4096) }
    }

    /// The finished text.
    pub fn finish(mut self) -> String {
        if self.style == Style::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
        self.out
    }

    /// HELP and TYPE of a metric; `name` is the name of its samples.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        let name = match self.style {
            Style::OpenMetrics if kind == "counter" => name.strip_suffix("_total").unwrap_or(name),
            _ => name,
        };
        // prometheus-client ends every help text with a full stop.
        let stop = if self.style == Style::OpenMetrics { "." } else { "" };
        let _ = writeln!(self.out, "# HELP {name} {help}{stop}\n# TYPE {name} {kind}");
    }

    /// One sample.
    pub fn sample(&mut self, name: &str, labels: Labels<'_>, value: f64) {
        self.out.push_str(name);
        self.labels(labels, None);
        self.out.push(' ');
        self.number(value);
        self.out.push('\n');
    }

    /// A metric with a single sample without labels.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// The samples of a histogram: `cumulative` pairs each upper bound with its count.
    pub fn histogram(
        &mut self,
        name: &str,
        labels: Labels<'_>,
        cumulative: &[(f64, f64)],
        sum: f64,
        count: f64,
    ) {
        let mut bound_text = String::new();
        for &(bound, observed) in cumulative.iter().chain(&[(f64::INFINITY, count)]) {
            bound_text.clear();
            std::mem::swap(&mut self.out, &mut bound_text);
            self.number(bound);
            std::mem::swap(&mut self.out, &mut bound_text);
            self.out.push_str(name);
            self.out.push_str("_bucket");
            self.labels(labels, Some(&bound_text));
            self.out.push(' ');
            self.number(observed);
            self.out.push('\n');
        }
        for (suffix, value) in [("_sum", sum), ("_count", count)] {
            self.out.push_str(name);
            self.out.push_str(suffix);
            self.labels(labels, None);
            self.out.push(' ');
            self.number(value);
            self.out.push('\n');
        }
    }

    fn labels(&mut self, labels: Labels<'_>, bound: Option<&str>) {
        let bound = bound.map(|bound| ("le", bound));
        let mut opened = false;
        for (name, value) in labels.iter().copied().chain(bound) {
            self.out.push(if opened { ',' } else { '{' });
            opened = true;
            let _ = write!(self.out, "{name}=\"");
            for c in value.chars() {
                match c {
                    '\\' => self.out.push_str("\\\\"),
                    '"' => self.out.push_str("\\\""),
                    '\n' => self.out.push_str("\\n"),
                    c => self.out.push(c),
                }
            }
            self.out.push('"');
        }
        if opened {
            self.out.push('}');
        }
    }

    fn number(&mut self, value: f64) {
        if value == f64::INFINITY {
            self.out.push_str("+Inf");
            return;
        }
        let _ = match self.style {
            Style::Rust => write!(self.out, "{value}"),
            Style::Go => write_go(&mut self.out, value),
            Style::Python | Style::OpenMetrics => {
                if value.fract() == 0.0 && value.abs() < 1e15 && self.style == Style::OpenMetrics {
                    write!(self.out, "{}", value as i64)
                } else {
                    write!(self.out, "{value:?}")
                }
            }
        };
    }
}

/// Go's `strconv.FormatFloat(v, 'g', -1, 64)`, which its client uses: the shortest digits, with an
/// exponent below 1e-4 and from 1e6 on.
fn write_go(out: &mut String, value: f64) -> std::fmt::Result {
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return write!(out, "{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(out, "{digits}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(style: Style, value: f64) -> String {
        let mut expo = Exposition::new(style);
        expo.number(value);
        expo.out
    }

    #[test]
    fn each_style_writes_numbers_as_its_library_does() {
        let table = [
            (Style::Rust, 84_221.0, "84221"),
            (Style::Rust, 0.25, "0.25"),
            (Style::Go, 16_777_216.0, "1.6777216e+07"),
            (Style::Go, 524_288.0, "524288"),
            (Style::Go, 0.000_01, "1e-05"),
            (Style::Go, 1.25, "1.25"),
            (Style::Python, 12.0, "12.0"),
            (Style::OpenMetrics, 12.0, "12"),
            (Style::OpenMetrics, 0.025, "0.025"),
            (Style::Rust, f64::INFINITY, "+Inf"),
        ];
        for (style, value, text) in table {
            assert_eq!(written(style, value), text, "{style:?} {value}");
        }
    }

    #[test]
    fn openmetrics_names_a_counter_without_total_and_ends_with_eof() {
        let mut expo = Exposition::new(Style::OpenMetrics);
        expo.single("x_total", "counter", "X", 3.0);
        assert_eq!(expo.finish(), "# HELP x X.\n# TYPE x counter\nx_total 3\n# EOF\n");
    }

    #[test]
    fn label_values_are_escaped() {
        let mut expo = Exposition::new(Style::Rust);
        expo.sample("m", &[("a", "q\"b\\n\n")], 1.0);
        assert_eq!(expo.finish(), "m{a=\"q\\\"b\\\\n\\n\"} 1\n");
    }
}
