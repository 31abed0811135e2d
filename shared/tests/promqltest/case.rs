//! One evaluation and what should come of it.

use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::promql::{Answer, EvalError, Options, Query, Steps};
use regex::Regex;

use crate::load::Loaded;
use crate::verify;
use fleetglass_shared::promql::notation::Sample;

/// What became of a case.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Passed,
    NotSupported(String),
    Failed(String),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Instant(i64),
    /// Start, end, step.
    Range(i64, i64, i64),
}

/// What a message should be.
#[derive(Clone, Debug)]
pub(crate) enum Text {
    Any,
    Exact(String),
    Pattern(Regex),
}

impl Text {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if let Some(message) = text.strip_prefix("msg:") {
            Ok(Self::Exact(message.trim().to_owned()))
        } else if let Some(pattern) = text.strip_prefix("regex:") {
            Self::pattern(pattern.trim())
        } else if text.is_empty() {
            Ok(Self::Any)
        } else {
            Err(format!("{text}: neither msg: nor regex:"))
        }
    }

    pub(crate) fn pattern(text: &str) -> Result<Self, String> {
        Regex::new(text).map(Self::Pattern).map_err(|e| e.to_string())
    }

    fn fits(&self, message: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(text) => text == message,
            Self::Pattern(pattern) => pattern.is_match(message),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Note {
    Warning(Text),
    Info(Text),
}

/// A series that should come out; without labels a number.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) labels: Option<LabelSet>,
    pub(crate) samples: Vec<Option<Sample>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) mode: Mode,
    query: String,
    pub(crate) expected: Vec<Expected>,
    pub(crate) string: Option<String>,
    pub(crate) range_vector: Option<(i64, i64, i64)>,
    pub(crate) ordered: bool,
    pub(crate) fail: Option<Text>,
    pub(crate) notes: Vec<Note>,
    pub(crate) no_warnings: bool,
    pub(crate) no_infos: bool,
}

impl Case {
    pub(crate) fn new(mode: Mode, query: &str) -> Self {
        Self {
            mode,
            query: query.to_owned(),
            expected: Vec::new(),
            string: None,
            range_vector: None,
            ordered: false,
            fail: None,
            notes: Vec::new(),
            no_warnings: false,
            no_infos: false,
        }
    }

    /// Evaluates and compares.
    pub(crate) fn run(&self, loaded: &Loaded) -> Outcome {
        let native = self.expected.iter().any(|e| e.samples.contains(&Some(Sample::Histogram)));
        if native {
            return Outcome::NotSupported("native histograms are not supported".to_owned());
        }
        match self.evaluate(loaded, self.mode) {
            Err(problem) if problem.contains("not supported") => Outcome::NotSupported(problem),
            Err(problem) => match &self.fail {
                Some(text) if text.fits(&problem) => Outcome::Passed,
                Some(text) => {
                    Outcome::Failed(format!("{}: should fail with {text:?}, not {problem}", self.query))
                }
                None => Outcome::Failed(format!("{}: {problem}", self.query)),
            },
            Ok(answer) if self.fail.is_some() => {
                Outcome::Failed(format!("{}: should fail, gave {:?}", self.query, answer.value))
            }
            Ok(answer) => {
                let checked = self.check(&answer).and_then(|()| self.check_as_range(loaded));
                checked.map_or_else(|p| Outcome::Failed(format!("{}: {p}", self.query)), |()| Outcome::Passed)
            }
        }
    }

    fn evaluate(&self, loaded: &Loaded, mode: Mode) -> Result<Answer, String> {
        let query = Query::parse(&self.query).map_err(|e| e.to_string())?;
        let options = Options { delayed_name_removal: true, ..Options::default() };
        let answer: Result<Answer, EvalError> = match mode {
            Mode::Instant(at) => query.instant(loaded, at, &options),
            Mode::Range(start, end, step) => query.range(loaded, Steps { start, end, step }, &options),
        };
        answer.map_err(|e| e.to_string())
    }

    fn check(&self, answer: &Answer) -> Result<(), String> {
        self.check_notes(answer)?;
        verify::value(self, &answer.value)
    }

    fn check_notes(&self, answer: &Answer) -> Result<(), String> {
        if self.no_warnings && !answer.warnings.is_empty() {
            return Err(format!("unexpected warnings {:?}", answer.warnings));
        }
        if self.no_infos && !answer.infos.is_empty() {
            return Err(format!("unexpected infos {:?}", answer.infos));
        }
        for note in &self.notes {
            let (text, given) = match note {
                Note::Warning(text) => (text, &answer.warnings),
                Note::Info(text) => (text, &answer.infos),
            };
            if !given.iter().any(|message| text.fits(message)) {
                return Err(format!("expected {note:?}, got {given:?}"));
            }
        }
        Ok(())
    }

    /// An instant query means the same as the middle step of a range query around it.
    fn check_as_range(&self, loaded: &Loaded) -> Result<(), String> {
        let Mode::Instant(at) = self.mode else { return Ok(()) };
        let own_bounds =
            ["start()", "end()", "step()", "range()"].iter().any(|word| self.query.contains(word));
        if self.ordered || own_bounds || self.string.is_some() || self.range_vector.is_some() {
            return Ok(());
        }
        let around = Mode::Range(at - 60_000, at + 60_000, 60_000);
        match self.evaluate(loaded, around) {
            // At the steps around it there may be what is refused.
            Err(problem) if problem.contains("not supported") || problem.contains("same labelset") => Ok(()),
            Err(problem) if problem.contains("match") => Ok(()),
            Err(problem) => Err(format!("as a range: {problem}")),
            Ok(answer) => {
                verify::middle(self, &answer.value).map_err(|problem| format!("as a range: {problem}"))
            }
        }
    }
}
