//! The grammar of OpenMetrics 1.0: one space where there is one, no blank lines, `# EOF` at the end.

use super::entry::{Entry, Exemplar, MetricKind, Sample};
use super::error::{Fault, found_at, quoted};
use super::labels::{Of, is_name_start, unescape};
use super::meaning::Facts;
use super::number::{Stamp, parse_number, plain_number};
use super::parser::Parser;

impl<'a> Parser<'a> {
    /// The next line.
    pub(super) fn open_entry(&mut self) -> Result<Option<Entry<'a>>, Fault> {
        match self.body.get(self.pos) {
            None => Err(Fault::new(self.pos, "`# EOF` as the last line", "the end of the body")),
            Some(b'#') => self.open_hash_line().map(Some),
            Some(b'{') => self.open_sample().map(Some),
            Some(byte) if is_name_start(*byte) => self.open_sample().map(Some),
            Some(b'\n') => Err(Fault::new(self.pos, "a sample, metadata or `# EOF`", "a blank line")),
            Some(_) => {
                Err(Fault::new(self.pos, "a sample, metadata or `# EOF`", found_at(self.body, self.pos)))
            }
        }
    }

    fn open_hash_line(&mut self) -> Result<Entry<'a>, Fault> {
        let at = self.pos;
        let rest = &self.body[at..];
        if rest.starts_with(b"# EOF") {
            return self.open_eof();
        }
        let keyword =
            [&b"# HELP "[..], b"# TYPE ", b"# UNIT "].into_iter().find(|word| rest.starts_with(word));
        let Some(keyword) = keyword else {
            let line_end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            return Err(Fault::new(
                at,
                "`# HELP `, `# TYPE `, `# UNIT ` or `# EOF`",
                quoted(&rest[..line_end], 40),
            ));
        };
        let (metric, name_end) = self.scan_metadata_name(at + keyword.len())?;
        if self.body.get(name_end) != Some(&b' ') {
            return Err(Fault::new(name_end, "a space after the metric name", found_at(self.body, name_end)));
        }
        let text_from = name_end + 1;
        let Some(length) = memchr::memchr(b'\n', &self.body[text_from..]) else {
            return Err(Fault::new(self.body.len(), "a line end and `# EOF`", "the end of the body"));
        };
        let mut text_to = text_from + length;
        self.pos = text_to + 1;
        if text_to > text_from && self.body[text_to - 1] == b'\r' {
            text_to -= 1;
            self.forgive_crlf(text_to)?;
        }
        let text = self.cut(text_from, text_to)?;
        match keyword[2] {
            b'H' => {
                let named = metric.clone();
                self.with_meaning(|meaning, _| meaning.help(&named, at))?;
                Ok(Entry::Help { metric, help: unescape(text) })
            }
            b'T' => {
                let kind = open_kind(text).ok_or_else(|| {
                    let kinds =
                        "counter, gauge, histogram, gaugehistogram, stateset, info, summary or unknown";
                    Fault::new(text_from, kinds, quoted(text.as_bytes(), 40))
                })?;
                let named = metric.clone();
                self.with_meaning(|meaning, _| meaning.kind(&named, kind, at))?;
                Ok(Entry::Type { metric, kind })
            }
            _ => {
                let stem = metric.strip_suffix(text);
                if !text.is_empty() && !stem.is_some_and(|stem| stem.ends_with('_')) {
                    let expected = format!("a unit that ends the name {metric:?} after a `_`");
                    return Err(Fault::new(text_from, expected, quoted(text.as_bytes(), 40)));
                }
                let named = metric.clone();
                self.with_meaning(|meaning, _| meaning.unit(&named, text, text_from))?;
                Ok(Entry::Unit { metric, unit: text.into() })
            }
        }
    }

    fn open_eof(&mut self) -> Result<Entry<'a>, Fault> {
        let at = self.pos;
        let mut end = at + b"# EOF".len();
        if self.body[end..].starts_with(b"\r\n") {
            self.forgive_crlf(end)?;
            end += 1;
        }
        if self.body.get(end) == Some(&b'\n') {
            end += 1;
        }
        if end < self.body.len() {
            return Err(Fault::new(end, "nothing after `# EOF`", found_at(self.body, end)));
        }
        self.pos = end;
        self.with_meaning(|meaning, _| meaning.finish())?;
        Ok(Entry::Eof)
    }

    fn open_sample(&mut self) -> Result<Entry<'a>, Fault> {
        let series = self.scan_series()?;
        let text = self.cut(series.span.0, series.span.1)?;
        self.expect_space("a space and a value")?;
        let value_at = self.pos;
        let (value, value_text) = self.open_number("a value")?;
        let mut stamp = None;
        let mut exemplar = None;
        let mut exemplar_at = 0;
        if self.body.get(self.pos) == Some(&b' ') && !self.body[self.pos..].starts_with(b" # {") {
            self.pos += 1;
            stamp = Some(self.open_stamp()?);
        }
        // Exemplar labels are read with the same braces: the sample's are looked at first.
        let name = unescape(self.cut(series.name.0, series.name.1)?);
        let has_exemplar = self.body[self.pos..].starts_with(b" # {");
        let source = self.source();
        self.with_meaning(|meaning, braces| {
            let labels = braces.labels.iter().map(|label| (source.cut(label.name), source.cut(label.value)));
            let facts = Facts { name: name.clone(), value, stamp, has_exemplar, at: series.span.0, value_at };
            meaning.sample(&facts, labels)
        })?;
        if has_exemplar {
            exemplar_at = self.pos + 3;
            let stem = text.split('{').next().filter(|stem| !stem.is_empty()).unwrap_or(&name);
            if !(stem.ends_with("_total") || stem.ends_with("_bucket")) {
                let expected = "exemplars only on names that end in `_total` or `_bucket`";
                return Err(Fault::new(exemplar_at, expected, format!("one on {stem:?}")));
            }
            exemplar = Some(self.open_exemplar(exemplar_at)?);
        }
        self.expect_line_end(stamp.is_some(), exemplar.is_some())?;
        if let Some(exemplar) = exemplar {
            let length: usize = exemplar
                .label_pairs()
                .iter()
                .map(|(name, value)| name.chars().count() + value.chars().count())
                .sum();
            if length > 128 {
                self.forgive(Fault::new(
                    exemplar_at,
                    "at most 128 characters of exemplar labels",
                    format!("{length}"),
                ))?;
            }
        }
        let timestamp = stamp.map(Stamp::millis);
        Ok(Entry::Sample(Sample { series: text, value, value_text, timestamp, exemplar }))
    }

    /// ` # {labels} value [timestamp]`, from the opening brace.
    fn open_exemplar(&mut self, open: usize) -> Result<Exemplar<'a>, Fault> {
        let end = self.braces.scan(self.body, open, self.format, Of::Exemplar)?;
        self.forgive_soft()?;
        let reserved = self.braces.labels.iter().find(|label| self.body[label.name.0..].starts_with(b"__"));
        if let Some(at) = reserved.map(|label| label.name.0) {
            self.forgive(Fault::new(at, "no label that starts with `__`", found_at(self.body, at)))?;
        }
        let labels = self.cut(open, end)?;
        self.pos = end;
        self.expect_space("a space and the exemplar's value")?;
        let (value, _) = self.open_number("the exemplar's value")?;
        let mut timestamp = None;
        if self.body.get(self.pos) == Some(&b' ') {
            self.pos += 1;
            timestamp = Some(self.open_stamp()?.millis());
        }
        Ok(Exemplar { labels, value, timestamp })
    }

    fn expect_space(&mut self, what: &str) -> Result<(), Fault> {
        if self.body.get(self.pos) != Some(&b' ') {
            return Err(Fault::new(self.pos, what, found_at(self.body, self.pos)));
        }
        self.pos += 1;
        Ok(())
    }

    /// The end of a token of OpenMetrics: a space or a line end.
    fn token_end(&self) -> usize {
        let rest = &self.body[self.pos..];
        let end = self.pos + memchr::memchr2(b' ', b'\n', rest).unwrap_or(rest.len());
        let carriage = end > self.pos && self.body[end - 1] == b'\r' && self.body.get(end) == Some(&b'\n');
        if carriage { end - 1 } else { end }
    }

    fn open_number(&mut self, what: &str) -> Result<(f64, &'a str), Fault> {
        let from = self.pos;
        if let Some((number, end)) = plain_number(self.body, from) {
            self.pos = end;
            return Ok((number, self.cut(from, end)?));
        }
        let end = self.token_end();
        let token = self.cut(from, end)?;
        let number = parse_number(token).ok_or_else(|| Fault::new(from, what, found_at(self.body, from)))?;
        self.pos = end;
        Ok((number, token))
    }

    fn open_stamp(&mut self) -> Result<Stamp, Fault> {
        let end = self.token_end();
        let stamp = Stamp::parse(self.cut(self.pos, end)?).ok_or_else(|| {
            Fault::new(
                self.pos,
                "a time stamp in seconds, or ` # {` and an exemplar",
                found_at(self.body, self.pos),
            )
        })?;
        self.pos = end;
        Ok(stamp)
    }

    fn expect_line_end(&mut self, timed: bool, exemplar: bool) -> Result<(), Fault> {
        if self.body[self.pos..].starts_with(b"\r\n") {
            self.forgive_crlf(self.pos)?;
            self.pos += 1;
        }
        match self.body.get(self.pos) {
            Some(b'\n') => {
                self.pos += 1;
                Ok(())
            }
            None => Err(Fault::new(self.pos, "a line end and `# EOF`", "the end of the body")),
            Some(_) => {
                let expected = match (timed, exemplar) {
                    (_, true) => "the end of the line after the exemplar",
                    (true, false) => "the end of the line or ` # {` and an exemplar",
                    (false, false) => "a time stamp, an exemplar or the end of the line",
                };
                Err(Fault::new(self.pos, expected, found_at(self.body, self.pos)))
            }
        }
    }
}

fn open_kind(text: &str) -> Option<MetricKind> {
    use MetricKind::*;
    [Counter, Gauge, Histogram, GaugeHistogram, Summary, Info, StateSet, Unknown]
        .into_iter()
        .find(|kind| kind.as_str() == text)
}
