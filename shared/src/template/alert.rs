//! Labels and annotations of alerting rules, as Prometheus expands them.

use super::error::TemplateError;
use super::host::Host;
use super::value::Value;
use super::{exec, parse};
use crate::labels::LabelSet;

/// What an alert's templates are about.
#[derive(Clone, Copy, Debug)]
pub struct AlertData<'a> {
    /// The labels of the sample that the rule's expression gave: `.Labels` and `$labels`.
    pub labels: &'a LabelSet,
    /// The labels of this instance: `.ExternalLabels` and `$externalLabels`.
    pub external_labels: &'a LabelSet,
    /// Where the reader finds this instance: `.ExternalURL` and `$externalURL`.
    pub external_url: &'a str,
    /// The sample's value: `.Value` and `$value`.
    pub value: f64,
}

/// The variables that an alert's templates find declared.
const VARIABLES: [&str; 4] = ["$labels", "$externalLabels", "$externalURL", "$value"];

/// Expands a label or an annotation of an alerting rule. `name` stands in errors; Prometheus takes
/// `__alert_` and the rule's name. A text without `{{` is given back as it is.
///
/// # Errors
/// When the text is no template, or fails on this alert, or hits a limit; what to show then is for the
/// caller to say. Prometheus shows `<error expanding template: …>`.
pub fn expand(
    name: &str,
    text: &str,
    data: &AlertData<'_>,
    host: &mut dyn Host,
) -> Result<String, TemplateError> {
    if !text.contains("{{") {
        return Ok(text.to_owned());
    }
    let trees = parse::parse(name, text, &VARIABLES)?;
    let labels = Value::strings(data.labels);
    let external_labels = Value::strings(data.external_labels);
    let external_url: Value = data.external_url.into();
    let value = Value::Float(data.value);
    let variables = vec![labels.clone(), external_labels.clone(), external_url.clone(), value.clone()];
    let dot = Value::record(
        "",
        vec![
            ("Labels", labels),
            ("ExternalLabels", external_labels),
            ("ExternalURL", external_url),
            ("Value", value),
        ],
    );
    exec::run(&trees, name, &dot, variables, host)
}

/// Reads a label or an annotation without expanding it, to check a rule when it is loaded.
///
/// # Errors
/// When the text is no template.
pub fn check(name: &str, text: &str) -> Result<(), TemplateError> {
    if !text.contains("{{") {
        return Ok(());
    }
    parse::parse(name, text, &VARIABLES).map(|_| ())
}
