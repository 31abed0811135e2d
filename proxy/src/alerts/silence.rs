//! Silences, in the words and with the manners of Alertmanager's API.

use fleetglass_shared::{
    health::UnixMillis,
    labels::{LabelSet, MatchOp, Matcher},
};
use serde::{Deserialize, Serialize};

use crate::state::KeptSilence;

/// Mutes alerts for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// Its id; empty for a new one.
    pub id: String,
    /// What an alert must pass, all of it.
    pub matchers: Vec<WireMatcher>,
    /// From when.
    pub starts_at: UnixMillis,
    /// Until when.
    pub ends_at: UnixMillis,
    /// When it was last changed.
    pub updated_at: UnixMillis,
    /// Who made it.
    pub created_by: String,
    /// Why.
    pub comment: String,
    /// Its coming end was told.
    pub(super) warned: bool,
    understood: Vec<Matcher>,
}

/// A matcher as Alertmanager's API has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WireMatcher {
    /// The label.
    pub name: String,
    /// The value, or the regular expression.
    pub value: String,
    /// `value` is a regular expression.
    #[serde(default)]
    pub is_regex: bool,
    /// Whether it must match, and not the contrary.
    #[serde(default = "yes")]
    pub is_equal: bool,
}

fn yes() -> bool {
    true
}

/// Where a silence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilenceState {
    /// It has not begun.
    Pending,
    /// It mutes.
    Active,
    /// It is over.
    Expired,
}

impl SilenceState {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Expired => "expired",
        }
    }
}

/// Why a silence cannot be made or ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SilenceError {
    /// There is none of this id.
    #[error("silence {0} not found")]
    NotFound(String),
    /// It is over already.
    #[error("silence {0} already expired")]
    Ended(String),
    /// It makes no sense.
    #[error("{0}")]
    Invalid(String),
}

impl From<&Matcher> for WireMatcher {
    fn from(matcher: &Matcher) -> Self {
        Self {
            name: matcher.name().to_owned(),
            value: matcher.value().to_owned(),
            is_regex: matches!(matcher.op(), MatchOp::Regex | MatchOp::NotRegex),
            is_equal: matches!(matcher.op(), MatchOp::Equal | MatchOp::Regex),
        }
    }
}

/// A random version 4 UUID.
pub(super) fn new_id() -> String {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).expect("the system gives random numbers");
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

impl WireMatcher {
    /// The matcher that it is.
    ///
    /// # Errors
    /// Its regular expression is none.
    pub fn understood(&self) -> Result<Matcher, String> {
        let op = match (self.is_equal, self.is_regex) {
            (true, false) => MatchOp::Equal,
            (false, false) => MatchOp::NotEqual,
            (true, true) => MatchOp::Regex,
            (false, true) => MatchOp::NotRegex,
        };
        Matcher::new(&self.name, op, &self.value).map_err(|error| error.to_string())
    }
}

impl Silence {
    /// A silence with matchers that are understood.
    ///
    /// # Errors
    /// A matcher is not, or there is none that could not match everything.
    pub fn new(
        id: String,
        matchers: Vec<WireMatcher>,
        (starts_at, ends_at): (UnixMillis, UnixMillis),
        created_by: String,
        comment: String,
    ) -> Result<Self, SilenceError> {
        let invalid = |why: String| SilenceError::Invalid(format!("silence invalid: {why}"));
        let understood = matchers
            .iter()
            .map(|matcher| {
                matcher.understood().map_err(|why| invalid(format!("invalid label matcher: {why}")))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if understood.is_empty() {
            return Err(invalid("at least one matcher required".to_owned()));
        }
        if understood.iter().all(|matcher| matcher.matches("")) {
            return Err(invalid("at least one matcher must not match the empty string".to_owned()));
        }
        if created_by.is_empty() {
            return Err(invalid("creator missing".to_owned()));
        }
        let silence = Self {
            id,
            matchers,
            starts_at,
            ends_at,
            updated_at: starts_at,
            created_by,
            comment,
            warned: false,
            understood,
        };
        Ok(silence)
    }

    /// Whether its times make sense at `now`.
    pub(super) fn check(&self, now: UnixMillis) -> Result<(), SilenceError> {
        let invalid = |why: &str| Err(SilenceError::Invalid(why.to_owned()));
        if self.ends_at < self.starts_at {
            return invalid("Failed to create silence: start time must be before end time");
        }
        if self.ends_at <= now {
            return invalid("Failed to create silence: end time can't be in the past");
        }
        Ok(())
    }

    /// Its matchers.
    pub fn understood(&self) -> &[Matcher] {
        &self.understood
    }

    /// Where it stands.
    pub fn state(&self, now: UnixMillis) -> SilenceState {
        if now >= self.ends_at {
            SilenceState::Expired
        } else if now < self.starts_at {
            SilenceState::Pending
        } else {
            SilenceState::Active
        }
    }

    pub(super) fn is_active(&self, now: UnixMillis) -> bool {
        self.state(now) == SilenceState::Active
    }

    /// Whether an alert of these labels passes.
    pub fn matches(&self, labels: &LabelSet) -> bool {
        self.understood.iter().all(|matcher| matcher.matches_set(labels))
    }

    pub(super) fn from_kept(kept: &KeptSilence) -> Option<Self> {
        let matchers = serde_json::from_str(&kept.matchers).ok()?;
        let times = (kept.starts_at, kept.ends_at);
        let silence =
            Self::new(kept.id.clone(), matchers, times, kept.created_by.clone(), kept.comment.clone())
                .ok()?;
        Some(Self { updated_at: kept.updated_at, ..silence })
    }

    pub(super) fn to_kept(&self) -> KeptSilence {
        KeptSilence {
            id: self.id.clone(),
            matchers: serde_json::to_string(&self.matchers).unwrap_or_else(|_| "[]".to_owned()),
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            created_by: self.created_by.clone(),
            comment: self.comment.clone(),
            updated_at: self.updated_at,
        }
    }
}
