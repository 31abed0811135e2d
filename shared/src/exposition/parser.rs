//! The pull parser: its cursor, the way past labels that are known, and what becomes of a fault.

use std::borrow::Cow;

use super::entry::{Entry, Sample};
use super::error::{Fault, ParseError, Warning, found_at, or_json};
use super::labels::{Braces, Of, is_name_byte, scan_quoted};
use super::meaning::Meaning;
use super::number::{Stamp, parse_number, plain_number};
use super::{Format, Mode};

/// At most so many warnings are kept; the rest is counted.
const MOST_WARNINGS: usize = 20;

/// Reads `body` entry by entry; nothing is copied that is not escaped.
pub fn parse(body: &[u8], format: Format, mode: Mode) -> Parser<'_> {
    Parser {
        body,
        format,
        mode,
        pos: 0,
        over: false,
        text: valid_prefix(body),
        text_from: 0,
        braces: Braces::default(),
        known: None,
        meaning: Some(Box::new(Meaning::new(format))),
        warnings: Vec::new(),
        warning_count: 0,
        crlf_told: false,
    }
}

/// A pull parser over one body. Ask [`Parser::next_entry`] until it gives `None`.
#[derive(Debug)]
pub struct Parser<'a> {
    pub(super) body: &'a [u8],
    pub(super) format: Format,
    mode: Mode,
    pub(super) pos: usize,
    over: bool,
    /// The body from `text_from` as far as it is UTF-8: checked once, at full speed, for all that is cut from it.
    text: &'a str,
    text_from: usize,
    pub(super) braces: Braces,
    /// The length of the series at the cursor, where a hint told it.
    known: Option<usize>,
    /// Gone once a hint matched: the samples it stood for were not looked at.
    meaning: Option<Box<Meaning>>,
    warnings: Vec<Warning>,
    warning_count: usize,
    crlf_told: bool,
}

/// The name and labels of a sample, as far as the grammar goes.
pub(super) struct Series {
    /// `name{labels}` as written.
    pub(super) span: (usize, usize),
    /// The name, without quotes.
    pub(super) name: (usize, usize),
}

/// The text of the body, by the body's offsets.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    text: &'a str,
    from: usize,
}

impl<'a> Source<'a> {
    /// The text between two offsets that were cut once already.
    pub(super) fn cut(self, (from, to): (usize, usize)) -> Cow<'a, str> {
        let range = from.saturating_sub(self.from)..to.saturating_sub(self.from);
        super::labels::unescape(self.text.get(range).unwrap_or_default())
    }
}

impl<'a> Parser<'a> {
    /// The next entry, or `None` after the last.
    ///
    /// # Errors
    /// The body is not in this format, or in strict mode not sound. The parse is then over.
    pub fn next_entry(&mut self) -> Option<Result<Entry<'a>, ParseError>> {
        self.next_entry_with(None)
    }

    /// As [`Parser::next_entry`], but where the text at the cursor begins with `hint`, the raw
    /// `name{labels}` that stood at this place in the last scrape, its labels are not read again: one
    /// comparison, and [`Sample::series`] is the hint's bytes.
    ///
    /// From the first hint that matches, groups, buckets and names are no longer checked in this body, nor
    /// warned of: they were when the hint was first read. Strict mode takes no hints.
    ///
    /// # Errors
    /// As [`Parser::next_entry`].
    pub fn next_entry_with(&mut self, hint: Option<&[u8]>) -> Option<Result<Entry<'a>, ParseError>> {
        if self.over {
            return None;
        }
        if let Some(length) = hint.and_then(|hint| self.known_length(hint)) {
            self.meaning = None;
            if let Some(sample) = self.plain_sample(length) {
                return Some(Ok(Entry::Sample(sample)));
            }
            self.known = Some(length);
        }
        let entry = match self.format {
            Format::PrometheusText => self.text_entry(),
            Format::OpenMetrics => self.open_entry(),
        };
        let entry = match entry {
            Ok(None) => self.with_meaning(|meaning, _| meaning.finish()).map(|()| None),
            other => other,
        };
        match entry {
            Ok(Some(entry)) => {
                self.over = matches!(entry, Entry::Eof);
                Some(Ok(entry))
            }
            Ok(None) => {
                self.over = true;
                None
            }
            Err(fault) => {
                self.over = true;
                Some(Err(fault.into_error(self.body)))
            }
        }
    }

    /// Whether the checks of meaning still run: no hint has matched so far. A scraper that hears no warning
    /// from a body they did not run over keeps the ones it heard before.
    pub fn checks_meaning(&self) -> bool {
        self.meaning.is_some()
    }

    /// Faults that were read over so far, the first twenty of them.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// How many faults were read over so far, those included that [`Parser::warnings`] no longer keeps.
    pub fn warning_count(&self) -> usize {
        self.warning_count
    }

    /// The length of `hint` where it is the whole series at the cursor.
    #[inline]
    fn known_length(&self, hint: &[u8]) -> Option<usize> {
        let to = self.pos + hint.len();
        let matches = self.body.get(self.pos..to)? == hint && self.body.get(to) == Some(&b' ');
        (matches && !hint.is_empty() && self.mode == Mode::Lenient).then_some(hint.len())
    }

    /// The plainest of lines: a series of known length, a space, a number, a line end.
    #[inline]
    fn plain_sample(&mut self, length: usize) -> Option<Sample<'a>> {
        let series = self.cut(self.pos, self.pos + length).ok()?;
        let value_at = self.pos + length + 1;
        let (value, end) = match plain_number(self.body, value_at) {
            Some(found) => found,
            None => {
                let end = value_at + memchr::memchr2(b' ', b'\n', &self.body[value_at..])?;
                (parse_number(self.cut(value_at, end).ok()?)?, end)
            }
        };
        if self.body.get(end) != Some(&b'\n') {
            return None;
        }
        let value_text = self.cut(value_at, end).ok()?;
        self.pos = end + 1;
        Some(Sample { series, value, value_text, timestamp: None, exemplar: None })
    }

    /// A time stamp of this format as Unix milliseconds.
    pub(super) fn parse_timestamp(&self, token: &str) -> Option<i64> {
        match self.format {
            Format::PrometheusText => {
                // Whole and not negative: Prometheus's scanner knows no sign here.
                token.bytes().all(|byte| byte.is_ascii_digit()).then(|| token.parse().ok()).flatten()
            }
            Format::OpenMetrics => Stamp::parse(token).map(Stamp::millis),
        }
    }

    /// Reads a name with or without braces at the cursor.
    pub(super) fn scan_series(&mut self) -> Result<Series, Fault> {
        let from = self.pos;
        if let Some(length) = self.known.take() {
            self.braces.clear();
            self.pos += length;
            return Ok(Series { span: (from, self.pos), name: (from, from) });
        }
        let name_end = from + self.body[from..].iter().take_while(|b| is_name_byte(**b)).count();
        let open = match self.format {
            Format::PrometheusText => super::labels::skip_blanks(self.body, name_end),
            Format::OpenMetrics => name_end,
        };
        let mut series = Series { span: (from, name_end), name: (from, name_end) };
        self.braces.clear();
        if self.body.get(open) == Some(&b'{') {
            let of = if name_end == from { Of::Nameless } else { Of::Named };
            series.span.1 = match self.braces.scan(self.body, open, self.format, of) {
                Err(fault) if self.body[..from].trim_ascii().is_empty() => {
                    return Err(or_json(self.body, fault));
                }
                scanned => scanned?,
            };
            self.forgive_soft()?;
            if of == Of::Nameless {
                series.name = self.braces.name.ok_or_else(|| {
                    Fault::new(from, "a metric name", "labels without one (`{\"name\", …}` or `name{…}`)")
                })?;
            }
        }
        self.pos = series.span.1;
        Ok(series)
    }

    /// A metric name in a metadata line, in quotes or not: its text and the offset after it.
    pub(super) fn scan_metadata_name(&mut self, at: usize) -> Result<(Cow<'a, str>, usize), Fault> {
        if self.body.get(at) == Some(&b'"') {
            let end = scan_quoted(self.body, at, false, &mut self.braces.soft)?;
            if end == at + 2 {
                return Err(Fault::new(at, "a name between the quotes", "an empty name"));
            }
            return Ok((super::labels::unescape(self.cut(at + 1, end - 1)?), end));
        }
        match self.body.get(at) {
            Some(byte) if super::labels::is_name_start(*byte) => {
                let end = at + self.body[at..].iter().take_while(|b| is_name_byte(**b)).count();
                Ok((Cow::Borrowed(self.cut(at, end)?), end))
            }
            _ => Err(Fault::new(at, "a metric name", found_at(self.body, at))),
        }
    }

    /// Takes the soft faults that reading braces left behind.
    pub(super) fn forgive_soft(&mut self) -> Result<(), Fault> {
        if self.braces.soft.is_empty() {
            return Ok(());
        }
        for fault in std::mem::take(&mut self.braces.soft) {
            self.forgive(fault)?;
        }
        Ok(())
    }

    /// A fault that Prometheus reads over: an error in strict mode, else a warning.
    pub(super) fn forgive(&mut self, fault: Fault) -> Result<(), Fault> {
        if self.mode == Mode::Strict {
            return Err(fault);
        }
        self.warning_count += 1;
        if self.warnings.len() < MOST_WARNINGS {
            self.warnings.push(fault.into_warning(self.body));
        }
        Ok(())
    }

    /// A line end of two bytes, warned of once a body.
    pub(super) fn forgive_crlf(&mut self, at: usize) -> Result<(), Fault> {
        if self.crlf_told {
            return Ok(());
        }
        self.crlf_told = true;
        self.forgive(Fault::new(at, "lines that end in LF", "CRLF"))
    }

    /// Runs a check of meaning, unless hints have put them out of use.
    pub(super) fn with_meaning(
        &mut self,
        check: impl FnOnce(&mut Meaning, &Braces) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let Some(mut meaning) = self.meaning.take() else {
            return Ok(());
        };
        let verdict = check(&mut meaning, &self.braces);
        self.meaning = Some(meaning);
        verdict.or_else(|fault| self.forgive(fault))
    }

    /// The text between two offsets that are token borders.
    #[inline]
    pub(super) fn cut(&self, from: usize, to: usize) -> Result<&'a str, Fault> {
        let known = from.checked_sub(self.text_from).zip(to.checked_sub(self.text_from));
        known.and_then(|(from, to)| self.text.get(from..to)).ok_or_else(|| self.not_text())
    }

    /// What [`Parser::cut`] cuts from, free of the parser.
    pub(super) fn source(&self) -> Source<'a> {
        Source { text: self.text, from: self.text_from }
    }

    fn not_text(&self) -> Fault {
        let at = self.text_from + self.text.len();
        let byte = self.body.get(at).copied().unwrap_or_default();
        Fault::new(at, "UTF-8 text", format!("the byte 0x{byte:02X}"))
    }

    /// Goes on after `pos` where what comes before is not text.
    pub(super) fn resume_text(&mut self) {
        self.text_from = self.pos.min(self.body.len());
        self.text = valid_prefix(&self.body[self.text_from..]);
    }
}

/// As much of `body` as is UTF-8.
fn valid_prefix(body: &[u8]) -> &str {
    match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&body[..error.valid_up_to()]).unwrap_or_default(),
    }
}
