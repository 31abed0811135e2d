//! The filter box: `family:decdn region:eu -state:healthy version:0.6 "two words"`.
//!
//! Terms stand beside each other and must all hold. `key:a,b` holds when one of the values does, `-`
//! turns a term round, quotes keep blanks, commas and colons together and want the whole value. A word
//! without a key is looked for in the node's id, family, version, labels and reasons. A value matches
//! what begins with it (a version up to a dot: `0.6` is `0.6.1`, not `0.60`).

use fleetglass_shared::attention::crash_loops;
use fleetglass_shared::wire::NodeSummary;

/// Keys that are not labels.
pub const KEYS: [&str; 6] = ["state", "family", "version", "node", "reason", "is"];
/// What `is:` knows.
pub const FLAGS: [&str; 5] = ["draining", "restarted", "crash-loop", "skewed", "at-risk"];

/// A filter, ready to be asked about nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// One that must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// It must not.
    pub negated: bool,
    /// Lower case; empty for a plain word.
    pub key: String,
    /// Of which one is enough.
    pub values: Vec<Value>,
}

/// What a node must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Lower case.
    pub text: String,
    /// It was quoted: match the whole.
    pub whole: bool,
}

impl Filter {
    /// Reads what was typed. Every text is a filter: what is not finished yet holds for all nodes.
    pub fn parse(text: &str) -> Self {
        let terms = tokens(text).into_iter().filter_map(|token| Term::parse(&text[token])).collect();
        Self { terms }
    }

    /// Whether it holds for this node.
    pub fn matches(&self, node: &NodeSummary) -> bool {
        self.terms
            .iter()
            .all(|term| term.values.iter().any(|value| value.holds(&term.key, node)) != term.negated)
    }
}

impl Term {
    /// Reads one of [`tokens`]; `None` for what is not finished yet.
    pub fn parse(token: &str) -> Option<Self> {
        let (negated, token) = match token.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, token),
        };
        let (key, values) = split_key(token).unwrap_or(("", token));
        let values: Vec<_> = split_unquoted(values, ',').into_iter().filter_map(Value::parse).collect();
        (!values.is_empty()).then(|| Self { negated, key: key.to_lowercase(), values })
    }
}

impl Value {
    fn parse(text: &str) -> Option<Self> {
        let whole = text.starts_with('"');
        let text = text.replace('"', "").to_lowercase();
        (!text.is_empty()).then_some(Self { text, whole })
    }

    fn holds(&self, key: &str, node: &NodeSummary) -> bool {
        match key {
            "" => self.found_in(node),
            "state" | "status" => {
                self.begins(node.status.as_str())
                    || (node.draining && self.text.len() > 2 && self.begins("draining"))
            }
            "family" => self.begins(&node.family),
            "version" => node.version.as_deref().is_some_and(|version| self.version(version)),
            "node" | "id" => self.within(&node.id),
            "reason" => {
                node.reasons.iter().any(|reason| self.within(&reason.code) || self.within(&reason.text))
            }
            "is" => self.flag(node),
            label => {
                node.labels.iter().any(|(name, value)| name.eq_ignore_ascii_case(label) && self.begins(value))
            }
        }
    }

    fn found_in(&self, node: &NodeSummary) -> bool {
        self.within(&node.id)
            || self.within(&node.family)
            || self.within(node.status.as_str())
            || node.version.as_deref().is_some_and(|version| self.within(version))
            || node.labels.values().any(|value| self.within(value))
            || node.reasons.iter().any(|reason| self.within(&reason.text))
    }

    fn flag(&self, node: &NodeSummary) -> bool {
        match self.text.as_str() {
            "draining" => node.draining,
            "restarted" => node.restarts > 0,
            "crash-loop" => crash_loops(node),
            "skewed" => node.version_majority.is_some(),
            "at-risk" => node.worst_risk.as_ref().is_some_and(|risk| risk.firing),
            _ => false,
        }
    }

    fn begins(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        if self.whole { text == self.text } else { text.starts_with(&self.text) }
    }

    fn within(&self, text: &str) -> bool {
        text.to_lowercase().contains(&self.text)
    }

    fn version(&self, version: &str) -> bool {
        let version = version.to_lowercase();
        let bare = |text: &str| text.strip_prefix('v').map(str::to_owned).unwrap_or(text.to_owned());
        let (version, wanted) = (bare(&version), bare(&self.text));
        version == wanted
            || (!self.whole
                && version
                    .strip_prefix(wanted.trim_end_matches('.'))
                    .is_some_and(|rest| rest.starts_with(['.', '+'])))
    }
}

/// `key:value`, quoted where it must be.
pub fn term(key: &str, value: &str) -> String {
    let plain =
        !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | '"'));
    if plain { format!("{key}:{value}") } else { format!("{key}:\"{}\"", value.replace('"', "")) }
}

/// Whether the text has exactly this term.
pub fn has_term(text: &str, key: &str, value: &str) -> bool {
    let wanted = term(key, value);
    tokens(text).into_iter().any(|token| text[token].eq_ignore_ascii_case(&wanted))
}

/// The text with the term taken out if it was there; else with it in place of every other term of its key.
pub fn toggle_term(text: &str, key: &str, value: &str) -> String {
    let had = has_term(text, key, value);
    let mut kept: Vec<String> = tokens(text)
        .into_iter()
        .map(|token| &text[token])
        .filter(|token| split_key(token).is_none_or(|(name, _)| !name.eq_ignore_ascii_case(key)))
        .map(str::to_owned)
        .collect();
    if !had {
        kept.push(term(key, value));
    }
    kept.join(" ")
}

/// Where the terms lie in the text: split at blanks outside quotes.
pub fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut quoted) = (None, false);
    for (at, char) in text.char_indices() {
        if char == '"' {
            quoted = !quoted;
        }
        match start {
            Some(begin) if char.is_whitespace() && !quoted => {
                found.push(begin..at);
                start = None;
            }
            None if !char.is_whitespace() => start = Some(at),
            _ => {}
        }
    }
    found.extend(start.map(|begin| begin..text.len()));
    found
}

/// The key and the values of a token, if it has a key.
pub fn split_key(token: &str) -> Option<(&str, &str)> {
    let (key, values) = token.split_once(':')?;
    (!key.is_empty() && !key.contains('"')).then_some((key, values))
}

fn split_unquoted(text: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    text.split(move |char| {
        quoted ^= char == '"';
        char == separator && !quoted
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Filter, has_term, term, toggle_term};
    use crate::state::model::tests::node;

    fn holds(filter: &str) -> bool {
        let node = node(json!({
            "id": "eu-1", "family": "decdn", "status": "degraded", "version": "0.6.1", "draining": true,
            "version_majority": "0.6.2", "restarts": 2, "labels": {"region": "eu-west", "owner": "Ann Lee"},
            "reasons": [{"code": "peers-low", "text": "Only 2 peers", "status": "degraded"}],
        }));
        Filter::parse(filter).matches(&node)
    }

    #[test]
    fn each_line_says_whether_the_filter_holds_for_the_node() {
        for (filter, expected) in [
            ("", true),
            ("   ", true),
            ("family:decdn region:eu state:degraded", true),
            ("family:decdn region:us", false),
            ("region:us,eu", true),
            ("-region:us", true),
            ("-region:us,eu", false),
            ("-family:decdn", false),
            ("version:0.6", true),
            ("version:v0.6.1", true),
            ("version:0.6.", true),
            ("version:0", true),
            ("version:0.6.10", false),
            ("version:0.", true),
            ("version:\"0.6\"", false),
            ("state:draining", true),
            ("state:d", true),
            ("state:un", false),
            ("status:healthy", false),
            ("owner:\"ann lee\"", true),
            ("owner:\"ann\"", false),
            ("owner:ann", true),
            ("\"nn le\"", true),
            ("peers", true),
            ("reason:peers-low", true),
            ("is:skewed is:restarted", true),
            ("is:crash-loop", false),
            ("is:at-risk", false),
            ("is:nonsense", false),
            ("EU-1 DeCDN", true),
            ("eu-2", false),
            ("eu-2,eu-1", true),
            ("-eu-2", true),
            ("-", true),
            ("region:", true),
            ("region:,", true),
            ("planet:mars", false),
            ("-planet:mars", true),
            (":x", false),
            ("\"", true),
            ("owner:\"ann", false),
        ] {
            assert_eq!(holds(filter), expected, "{filter:?}");
        }
    }

    #[test]
    fn a_button_puts_its_term_in_and_takes_it_out() {
        let one = toggle_term("eu  state:healthy", "state", "degraded");
        assert_eq!(one, "eu state:degraded");
        assert!(has_term(&one, "state", "degraded"));
        assert_eq!(toggle_term(&one, "state", "degraded"), "eu");
        assert_eq!(toggle_term("", "owner", "Ann Lee"), "owner:\"Ann Lee\"");
        assert_eq!(term("version", "1.0+b"), "version:1.0+b");
        assert!(!has_term("-state:degraded", "state", "degraded"));
    }
}
