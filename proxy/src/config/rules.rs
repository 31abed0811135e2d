//! `[rules]`, `[[rules.override]]` and `[[inhibit]]`.

use std::collections::BTreeMap;

use fleetglass_shared::labels::{METRIC_NAME, Matcher, Selector};
use serde::Deserialize;

use super::{
    Config, Span,
    error::{Fault, Step},
};

/// `[rules]`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RulesConfig {
    /// Prometheus rule files; `*` stands for any part of a file's name.
    pub files: Vec<String>,
    /// Whether the rules that come with the families are used.
    pub built_in: bool,
    /// Alerts that are not used, by name.
    pub disable: Vec<String>,
    /// How often groups are evaluated that do not say; the scrape interval when it is absent.
    pub evaluation_interval: Option<Span>,
    /// Where people reach this server, for links in messages.
    pub external_url: String,
    /// Labels of this server, for templates.
    pub external_labels: BTreeMap<String, String>,
    /// Other thresholds for some.
    #[serde(rename = "override")]
    pub overrides: Vec<OverrideConfig>,
}

impl Default for RulesConfig {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            built_in: true,
            disable: Vec::new(),
            evaluation_interval: None,
            external_url: String::new(),
            external_labels: BTreeMap::new(),
            overrides: Vec::new(),
        }
    }
}

/// `[[rules.override]]`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideConfig {
    /// The alert's name.
    pub alert: String,
    /// Only for nodes of this family.
    #[serde(default)]
    pub family: Option<String>,
    /// Only for this node.
    #[serde(default)]
    pub target: Option<String>,
    /// Only for what this selects, such as `{region="eu"}`.
    #[serde(default)]
    pub selector: Option<String>,
    /// The bound of its expression.
    #[serde(default)]
    pub threshold: Option<f64>,
    /// Which bound, where its expression has several.
    #[serde(default)]
    pub instead_of: Option<f64>,
    /// How long it pends before it fires.
    #[serde(default, rename = "for")]
    pub hold: Option<Span>,
    /// How long it goes on firing when its expression gives nothing any more.
    #[serde(default)]
    pub keep_firing_for: Option<Span>,
    /// How bad it is.
    #[serde(default)]
    pub severity: Option<String>,
    /// It never fires.
    #[serde(default)]
    pub off: bool,
}

/// `[[inhibit]]`: in Alertmanager's form.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InhibitConfig {
    /// What a source must pass: matchers such as `severity="critical"`.
    pub source_matchers: Vec<String>,
    /// What a target must pass.
    pub target_matchers: Vec<String>,
    /// Labels that both must have alike.
    #[serde(default)]
    pub equal: Vec<String>,
}

/// Matchers such as `severity="critical"`, one a text.
pub(crate) fn matchers(texts: &[String]) -> Result<Vec<Matcher>, String> {
    let mut found = Vec::new();
    for text in texts {
        let inside = text.trim().trim_start_matches('{').trim_end_matches('}');
        // A selector must not select everything, which one matcher alone may.
        let selector =
            Selector::parse(&format!("x{{{inside}}}")).map_err(|error| format!("`{text}`: {error}"))?;
        found.extend(selector.matchers.into_iter().filter(|matcher| matcher.name() != METRIC_NAME));
    }
    Ok(found)
}

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    let fault = |path: Vec<Step>, message: String, hint: &str| {
        Err(Fault { path, message, hint: Some(hint.to_owned()) })
    };
    for (index, own) in config.rules.overrides.iter().enumerate() {
        let at = vec![Step::Key("rules"), Step::Key("override"), Step::Index(index)];
        if own.threshold.is_none()
            && own.hold.is_none()
            && own.keep_firing_for.is_none()
            && own.severity.is_none()
            && !own.off
        {
            return fault(
                at,
                format!("the override of {} changes nothing", own.alert),
                "give it `threshold`, `for`, `keep_firing_for`, `severity` or `off = true`",
            );
        }
        if let Some(text) = &own.selector
            && let Err(error) = matchers(std::slice::from_ref(text))
        {
            return fault([at, vec![Step::Key("selector")]].concat(), error, "write it like {region=\"eu\"}");
        }
    }
    for (index, own) in config.inhibits.iter().enumerate() {
        for (key, texts) in
            [("source_matchers", &own.source_matchers), ("target_matchers", &own.target_matchers)]
        {
            if let Err(error) = matchers(texts) {
                return fault(
                    vec![Step::Key("inhibit"), Step::Index(index), Step::Key(key)],
                    error,
                    "write it like severity=\"critical\"",
                );
            }
        }
    }
    Ok(())
}
