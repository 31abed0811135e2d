//! Pure: what is filtered in the app as the selector of a link. What a node has only for a while, such as its state,
//! is no part of a selector: it is said.

use std::collections::BTreeSet;

use crate::state::Node;
use crate::state::filter::{Filter, Term, tokens};

/// So many values of a label are named one by one.
const NAMED: usize = 12;
/// So many nodes are named one by one.
pub(super) const MOST_NODES: usize = 100;
/// Every node.
pub(super) const ALL: &str = r#"{instance!=""}"#;

/// What a filter became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// A selector of nodes.
    pub(super) selector: String,
    /// Terms that are no part of it.
    pub(super) left_out: Vec<String>,
    /// The nodes that the whole filter holds for.
    pub(super) nodes: Vec<String>,
}

/// The selector of what a filter shows of these nodes.
pub(super) fn chosen(filter: &str, nodes: &[Node]) -> Chosen {
    let mut chosen = Chosen::default();
    let mut matchers = Vec::new();
    for token in tokens(filter) {
        let text = &filter[token];
        let Some(term) = Term::parse(text) else { continue };
        match matcher(&term, nodes) {
            Some(matcher) => matchers.push(matcher),
            None => chosen.left_out.push(text.to_owned()),
        }
    }
    chosen.selector = match matchers.as_slice() {
        [] => ALL.to_owned(),
        matchers => format!("{{{}}}", matchers.join(", ")),
    };
    let whole = Filter::parse(filter);
    chosen.nodes = nodes.iter().filter(|node| whole.matches(node)).map(|node| node.id.clone()).collect();
    chosen
}

/// The selector of nodes by their names.
pub(super) fn named(nodes: &[String]) -> String {
    match nodes {
        [one] => format!("{{instance={}}}", quoted(one)),
        all => format!(
            "{{instance=~{}}}",
            quoted(&all.iter().map(|id| escaped(id)).collect::<Vec<_>>().join("|"))
        ),
    }
}

fn matcher(term: &Term, nodes: &[Node]) -> Option<String> {
    let (label, known): (String, BTreeSet<&str>) = match term.key.as_str() {
        "" | "state" | "status" | "version" | "reason" | "is" => return None,
        "node" | "id" => ("instance".to_owned(), nodes.iter().map(|node| node.id.as_str()).collect()),
        "family" => ("family".to_owned(), nodes.iter().map(|node| node.family.as_str()).collect()),
        key => {
            let labels = nodes.iter().flat_map(|node| &node.labels);
            let own: Vec<_> = labels.filter(|(name, _)| name.eq_ignore_ascii_case(key)).collect();
            // Names that differ in their case alone are no one label.
            let name = own.first().map(|(name, _)| (*name).clone())?;
            if own.iter().any(|(other, _)| **other != name) {
                return None;
            }
            (name, own.iter().map(|(_, value)| value.as_str()).collect())
        }
    };
    let (holds, name_like) = (term.values.iter(), label == "instance");
    let mut found = BTreeSet::new();
    for value in holds {
        let holds = |known: &&&str| {
            let known = known.to_lowercase();
            match (name_like, value.whole) {
                (true, _) => known.contains(&value.text),
                (false, true) => known == value.text,
                (false, false) => known.starts_with(&value.text),
            }
        };
        found.extend(known.iter().filter(holds).copied());
    }
    let found: Vec<&str> = found.into_iter().collect();
    let (is, like) = if term.negated { ("!=", "!~") } else { ("=", "=~") };
    Some(match found.as_slice() {
        [one] => format!("{label}{is}{}", quoted(one)),
        // A part of names is a rule that later nodes keep to as well; so is the beginning of very many values.
        all if !all.is_empty() && all.len() <= NAMED && !name_like => {
            format!(
                "{label}{like}{}",
                quoted(&all.iter().map(|value| escaped(value)).collect::<Vec<_>>().join("|"))
            )
        }
        _ => {
            let rule = |value: &crate::state::filter::Value| match (name_like, value.whole) {
                (true, _) => format!(".*{}.*", escaped(&value.text)),
                (false, true) => escaped(&value.text),
                (false, false) => format!("{}.*", escaped(&value.text)),
            };
            let rules: Vec<String> = term.values.iter().map(rule).collect();
            format!("{label}{like}{}", quoted(&format!("(?i:{})", rules.join("|"))))
        }
    })
}

/// As a regular expression that matches it alone.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(letter) && letter != '-' {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::state::model::tests::node;

    fn fleet() -> Vec<Node> {
        [
            ("eu-1", "decdn", json!({"region": "eu-west", "Owner": "Ann \"A\" Lee"})),
            ("eu-2", "decdn", json!({"region": "eu-north", "Owner": "Bo"})),
            ("us-1", "paraloom", json!({"region": "us.1"})),
        ]
        .map(|(id, family, labels)| {
            node(json!({"id": id, "family": family, "status": "healthy", "labels": labels}))
        })
        .into()
    }

    #[test]
    fn a_filter_becomes_the_selector_of_the_same_nodes() {
        for (filter, selector, left_out) in [
            ("", ALL, ""),
            ("family:decdn", r#"{family="decdn"}"#, ""),
            ("-family:decdn", r#"{family!="decdn"}"#, ""),
            ("region:eu", r#"{region=~"eu-north|eu-west"}"#, ""),
            ("region:eu-w family:d", r#"{region="eu-west", family="decdn"}"#, ""),
            ("region:us", r#"{region="us.1"}"#, ""),
            ("region:us,eu-w", r#"{region=~"eu-west|us\\.1"}"#, ""),
            ("owner:\"ann a lee\"", r#"{Owner=~"(?i:ann a lee)"}"#, ""),
            ("owner:ann", r#"{Owner="Ann \"A\" Lee"}"#, ""),
            ("node:us", r#"{instance="us-1"}"#, ""),
            ("node:eu", r#"{instance=~"(?i:.*eu.*)"}"#, ""),
            ("region:mars", r#"{region=~"(?i:mars.*)"}"#, ""),
            ("state:healthy family:decdn", r#"{family="decdn"}"#, "state:healthy"),
            ("peers version:1.2", ALL, "peers version:1.2"),
            ("planet:mars", ALL, "planet:mars"),
        ] {
            let chosen = chosen(filter, &fleet());
            assert_eq!(
                (chosen.selector.as_str(), chosen.left_out.join(" ").as_str()),
                (selector, left_out),
                "{filter}"
            );
        }
    }

    #[test]
    fn nodes_on_the_screen_can_be_named() {
        let chosen = chosen("state:healthy eu", &fleet());
        assert_eq!(chosen.nodes, ["eu-1", "eu-2"]);
        assert_eq!(named(&chosen.nodes), r#"{instance=~"eu-1|eu-2"}"#);
        assert_eq!(named(&["a.b".to_owned()]), r#"{instance="a.b"}"#);
        assert_eq!(named(&["a.b".to_owned(), "c".to_owned()]), r#"{instance=~"a\\.b|c"}"#);
    }
}
