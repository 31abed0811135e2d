//! The grammar of Prometheus text 0.0.4, as Prometheus's own scanner has it: blanks nearly anywhere,
//! comments, blank lines, no end mark.

use std::borrow::Cow;

use super::entry::{Entry, MetricKind, Sample};
use super::error::{Fault, found_at, quoted};
use super::labels::{is_name_start, skip_blanks, unescape, unescape_with};
use super::meaning::Facts;
use super::number::{parse_number, plain_number};
use super::parser::Parser;

impl<'a> Parser<'a> {
    /// The next line that says something.
    pub(super) fn text_entry(&mut self) -> Result<Option<Entry<'a>>, Fault> {
        loop {
            let line = self.pos;
            self.pos = skip_blanks(self.body, line);
            match self.body.get(self.pos) {
                None => return Ok(None),
                Some(b'\n') => self.pos += 1,
                Some(b'\r') if self.body.get(self.pos + 1) == Some(&b'\n') => {
                    self.forgive_crlf(self.pos)?;
                    self.pos += 2;
                }
                Some(b'#') => return self.text_hash_line().map(Some),
                Some(0) => {
                    // Prometheus's scanner takes a zero byte for the end of the body.
                    self.forgive(Fault::new(self.pos, "no zero byte", "one: the rest is not read"))?;
                    self.pos = self.body.len();
                    return Ok(None);
                }
                // And a name with the blanks before it, which is no name then.
                Some(_) if self.pos > line => {
                    return Err(Fault::new(
                        line,
                        "a metric name at the line's start",
                        found_at(self.body, line),
                    ));
                }
                Some(b'{') => return self.text_sample().map(Some),
                Some(byte) if is_name_start(*byte) => return self.text_sample().map(Some),
                Some(_) => {
                    let expected = "a metric name, a comment or a blank line";
                    return Err(Fault::new(self.pos, expected, found_at(self.body, self.pos)));
                }
            }
        }
    }

    /// `# HELP`, `# TYPE`, or a comment.
    fn text_hash_line(&mut self) -> Result<Entry<'a>, Fault> {
        let hash = self.pos;
        let word = skip_blanks(self.body, hash + 1);
        let rest = &self.body[word..];
        let blank_follows = matches!(rest.get(4), Some(b' ' | b'\t'));
        let is_help = rest.starts_with(b"HELP");
        if word == hash + 1 || !blank_follows || !(is_help || rest.starts_with(b"TYPE")) {
            return self.text_comment(hash);
        }
        let name_at = skip_blanks(self.body, word + 4);
        let (metric, name_end) = self.scan_metadata_name(name_at)?;
        let (text_from, text_to) = self.text_line_rest(name_end)?;
        // One byte parts name and text, whatever it is: so Prometheus reads it.
        let separator = self.body.get(name_end).copied().filter(|_| text_from > name_end);
        if let Some(byte) = separator
            && !matches!(byte, b' ' | b'\t')
        {
            if byte == 0 {
                return Err(Fault::new(
                    name_end,
                    "a blank after the metric name",
                    found_at(self.body, name_end),
                ));
            }
            self.forgive(Fault::new(
                name_end,
                "a blank after the metric name",
                found_at(self.body, name_end),
            ))?;
        }
        let text = self.cut(text_from, text_to)?;
        if is_help {
            self.refuse_help_escapes(text, text_from)?;
            let named = metric.clone();
            self.with_meaning(|meaning, _| meaning.help(&named, hash))?;
            return Ok(Entry::Help { metric, help: unescape_with(text, false) });
        }
        let kind = text_kind(text).ok_or_else(|| {
            Fault::new(
                text_from,
                "counter, gauge, histogram, summary or untyped",
                quoted(text.as_bytes(), 40),
            )
        })?;
        let named = metric.clone();
        self.with_meaning(|meaning, _| meaning.kind(&named, kind, hash))?;
        Ok(Entry::Type { metric, kind })
    }

    fn text_comment(&mut self, hash: usize) -> Result<Entry<'a>, Fault> {
        let (_, to) = self.text_line_rest(hash)?;
        match self.cut(hash, to) {
            Ok(text) => {
                if ["#HELP ", "#TYPE "].iter().any(|word| text.starts_with(word)) {
                    let found = format!("`{}`, read as a comment", &text[..5]);
                    self.forgive(Fault::new(hash, "a blank after `#` in metadata", found))?;
                }
                Ok(Entry::Comment(Cow::Borrowed(text)))
            }
            Err(fault) => {
                // Nobody reads a comment's bytes: it may be in any encoding.
                self.forgive(fault)?;
                self.resume_text();
                Ok(Entry::Comment(String::from_utf8_lossy(&self.body[hash..to])))
            }
        }
    }

    /// What is left of the line after the byte at `from`, without its line end; the cursor goes after it.
    fn text_line_rest(&mut self, from: usize) -> Result<(usize, usize), Fault> {
        let rest = &self.body[from..];
        let mut to = from + memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        if to == self.body.len() {
            self.forgive(Fault::new(to, "a line end", "the end of the body"))?;
        }
        self.pos = to + 1;
        if to > from && self.body[to - 1] == b'\r' {
            to -= 1;
            self.forgive_crlf(to)?;
        }
        Ok(((from + 1).min(to), to))
    }

    fn refuse_help_escapes(&mut self, text: &str, from: usize) -> Result<(), Fault> {
        self.refuse_escapes(text, from, "`\\\\` or `\\n`", b"\\n")
    }

    /// A backslash before anything else than `allowed` is kept as it is, and is a fault.
    fn refuse_escapes(
        &mut self,
        text: &str,
        from: usize,
        expected: &str,
        allowed: &[u8],
    ) -> Result<(), Fault> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'\\', &bytes[at..]) {
            at += found;
            if !bytes.get(at + 1).is_some_and(|byte| allowed.contains(byte)) {
                let found = text[at..].chars().take(2).collect::<String>();
                self.forgive(Fault::new(from + at, expected, format!("`{found}`")))?;
            }
            at = (at + 2).min(bytes.len());
        }
        Ok(())
    }

    fn text_sample(&mut self) -> Result<Entry<'a>, Fault> {
        let series = self.scan_series()?;
        let text = self.cut(series.span.0, series.span.1)?;
        if memchr::memchr(b'\\', text.as_bytes()).is_some() {
            self.refuse_escapes(text, series.span.0, "`\\\\`, `\\\"` or `\\n`", b"\\\"n")?;
        }
        let value_at = skip_blanks(self.body, self.pos);
        if value_at == self.pos && self.body.get(self.pos.wrapping_sub(1)) != Some(&b'}') {
            self.refuse_glued_value(value_at)?;
        }
        self.pos = value_at;
        let (value, value_text) = self.text_number()?;
        let timestamp = self.text_timestamp()?;
        let name = unescape(self.cut(series.name.0, series.name.1)?);
        let source = self.source();
        self.with_meaning(|meaning, braces| {
            let labels = braces.labels.iter().map(|label| (source.cut(label.name), source.cut(label.value)));
            let facts = Facts { name, value, stamp: None, has_exemplar: false, at: series.span.0, value_at };
            meaning.sample(&facts, labels)
        })?;
        Ok(Entry::Sample(Sample { series: text, value, value_text, timestamp, exemplar: None }))
    }

    /// `name+1`: Prometheus takes it for a name and a value.
    fn refuse_glued_value(&mut self, at: usize) -> Result<(), Fault> {
        match self.body.get(at) {
            None | Some(b'\n' | b'\r') => Ok(()),
            Some(b'+' | b'-' | b'.') => {
                self.forgive(Fault::new(at, "a blank before the value", found_at(self.body, at)))
            }
            Some(_) => Err(Fault::new(at, "a metric name, then a blank or `{`", found_at(self.body, at))),
        }
    }

    fn text_number(&mut self) -> Result<(f64, &'a str), Fault> {
        let from = self.pos;
        if let Some((number, end)) = plain_number(self.body, from) {
            self.pos = end;
            return Ok((number, self.cut(from, end)?));
        }
        let rest = &self.body[from..];
        let length = rest.iter().position(|b| matches!(b, b' ' | b'\t' | b'\n' | b'{')).unwrap_or(rest.len());
        let mut end = from + length;
        if end > from && self.body[end - 1] == b'\r' && self.body.get(end) == Some(&b'\n') {
            end -= 1;
        }
        let token = self.cut(from, end)?;
        let number =
            parse_number(token).ok_or_else(|| Fault::new(from, "a value", found_at(self.body, from)))?;
        self.pos = end;
        Ok((number, token))
    }

    /// The time stamp, if there is one, and the end of the line.
    fn text_timestamp(&mut self) -> Result<Option<i64>, Fault> {
        let from = skip_blanks(self.body, self.pos);
        self.pos = from;
        let mut timestamp = None;
        if self.text_line_end()? {
            return Ok(timestamp);
        }
        let rest = &self.body[from..];
        let length = rest.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(rest.len());
        if length > 0 {
            timestamp = self.parse_timestamp(self.cut(from, from + length)?);
        }
        if timestamp.is_none() {
            let expected = "a time stamp in whole milliseconds or the end of the line";
            return Err(Fault::new(from, expected, found_at(self.body, from)));
        }
        self.pos = skip_blanks(self.body, from + length);
        if self.text_line_end()? {
            return Ok(timestamp);
        }
        Err(Fault::new(self.pos, "the end of the line after the time stamp", found_at(self.body, self.pos)))
    }

    /// Whether the line ends at the cursor, which then goes after it.
    fn text_line_end(&mut self) -> Result<bool, Fault> {
        match self.body.get(self.pos) {
            Some(b'\n') => self.pos += 1,
            Some(b'\r') if self.body.get(self.pos + 1) == Some(&b'\n') => {
                self.forgive_crlf(self.pos)?;
                self.pos += 2;
            }
            None => self.forgive(Fault::new(self.pos, "a line end", "the end of the body"))?,
            Some(_) => return Ok(false),
        }
        Ok(true)
    }
}

fn text_kind(text: &str) -> Option<MetricKind> {
    match text {
        "counter" => Some(MetricKind::Counter),
        "gauge" => Some(MetricKind::Gauge),
        "histogram" => Some(MetricKind::Histogram),
        "summary" => Some(MetricKind::Summary),
        "untyped" => Some(MetricKind::Unknown),
        _ => None,
    }
}
