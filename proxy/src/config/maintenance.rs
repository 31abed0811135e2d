//! `[[maintenance]]`: when which alerts are muted.

use std::collections::BTreeSet;

use fleetglass_shared::maintenance::{IntervalSpec, TimeInterval, Window, moment};
use serde::Deserialize;

use super::{
    Config,
    error::{Fault, Step},
    matchers,
};

/// `[[maintenance]]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceConfig {
    /// Its name, unique.
    pub name: String,
    /// Why.
    #[serde(default)]
    pub comment: String,
    /// What an alert must pass: matchers such as `region="eu"`.
    pub matchers: Vec<String>,
    /// When it recurs, as in Alertmanager's `time_intervals`.
    #[serde(default)]
    pub time_intervals: Vec<IntervalSpec>,
    /// When it is once.
    #[serde(default)]
    pub windows: Vec<WindowConfig>,
    /// Public status pages show it, where it is about nodes of theirs.
    #[serde(default = "shown")]
    pub status_pages: bool,
    /// What their readers are told beside when it is and which nodes.
    #[serde(default)]
    pub status_text: String,
}

fn shown() -> bool {
    true
}

/// Characters of `status_text`.
const MOST_STATUS_TEXT: usize = 1_000;

/// One of `windows`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// From when, e.g. `2026-12-01T02:00:00Z`.
    pub starts_at: String,
    /// Until when.
    pub ends_at: String,
}

impl MaintenanceConfig {
    /// As it is evaluated, or which setting is wrong and why.
    fn window(&self) -> Result<Window, (Vec<Step>, String, &'static str)> {
        let like = "write it like region=\"eu\"";
        let understood =
            matchers(&self.matchers).map_err(|error| (vec![Step::Key("matchers")], error, like))?;
        if understood.is_empty() {
            let message = format!("the maintenance `{}` has no matchers", self.name);
            return Err((vec![Step::Key("matchers")], message, "all alerts are {alertname=~\".+\"}"));
        }
        let mut intervals = Vec::new();
        for (index, spec) in self.time_intervals.iter().enumerate() {
            let at = vec![Step::Key("time_intervals"), Step::Index(index)];
            let hint = "as in Alertmanager's time_intervals; docs/alerts.md has examples";
            intervals.push(TimeInterval::new(spec).map_err(|message| (at, message, hint))?);
        }
        let mut once = Vec::new();
        for (index, window) in self.windows.iter().enumerate() {
            let at = |key| vec![Step::Key("windows"), Step::Index(index), Step::Key(key)];
            let hint = "give both, the end after the begin";
            let from = moment(&window.starts_at).map_err(|message| (at("starts_at"), message, hint))?;
            let until = moment(&window.ends_at).map_err(|message| (at("ends_at"), message, hint))?;
            if from >= until {
                return Err((at("ends_at"), "it ends before it begins".to_owned(), hint));
            }
            once.push((from, until));
        }
        if intervals.is_empty() && once.is_empty() {
            let message = format!("the maintenance `{}` is never", self.name);
            return Err((Vec::new(), message, "give it `time_intervals` or `windows`"));
        }
        let status_text = self.status_text.trim().to_owned();
        let is_odd = |c: char| c.is_control() && c != '\n';
        if status_text.chars().count() > MOST_STATUS_TEXT || status_text.chars().any(is_odd) {
            let message = format!("`status_text` is longer than {MOST_STATUS_TEXT} characters of plain text");
            return Err((vec![Step::Key("status_text")], message, "a sentence or two for your readers"));
        }
        let (name, comment) = (self.name.clone(), self.comment.clone());
        let on_status_pages = self.status_pages;
        Ok(Window { name, comment, matchers: understood, intervals, once, on_status_pages, status_text })
    }
}

impl Config {
    /// Every maintenance window.
    pub fn maintenance_windows(&self) -> Vec<Window> {
        // They were read when the config was validated.
        self.maintenances.iter().filter_map(|own| own.window().ok()).collect()
    }
}

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (index, own) in config.maintenances.iter().enumerate() {
        let at = vec![Step::Key("maintenance"), Step::Index(index)];
        if own.name.is_empty() || !seen.insert(&own.name) {
            return Err(Fault {
                path: [at, vec![Step::Key("name")]].concat(),
                message: format!("`{}` is no name of its own for a maintenance window", own.name),
                hint: Some("alerts say by which one they are muted: name each differently".to_owned()),
            });
        }
        own.window().map_err(|(path, message, hint)| Fault {
            path: [at, path].concat(),
            message,
            hint: Some(hint.to_owned()),
        })?;
    }
    Ok(())
}
