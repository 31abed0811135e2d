//! What the filter box offers while it is typed in: keys, and the values that occur in the fleet.

use fleetglass_shared::natural::natural;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::filter::{FLAGS, KEYS, split_key, term, tokens};
use super::model::Node;
use super::order::sorted;

/// More is no help.
const MOST: usize = 9;

/// Every key, with every value that occurs and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary(BTreeMap<String, HashMap<String, usize>>);

/// One offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What the word under the cursor becomes.
    pub insert: String,
    /// How many nodes have this value; `None` for a key.
    pub count: Option<usize>,
}

/// What the box offers at a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The word under the cursor, as bytes of the text.
    pub word: Range<usize>,
    /// What it may become, the best first.
    pub suggestions: Vec<Suggestion>,
}

impl Vocabulary {
    /// Reads the fleet.
    pub fn of(nodes: &[Node]) -> Self {
        let mut words = BTreeMap::<String, HashMap<String, usize>>::new();
        for key in KEYS {
            words.insert(key.to_owned(), HashMap::new());
        }
        let mut add = |key: &str, value: &str| match words.get_mut(key) {
            Some(values) => *values.entry(value.to_owned()).or_default() += 1,
            None => drop(words.insert(key.to_owned(), HashMap::from([(value.to_owned(), 1)]))),
        };
        for node in nodes {
            add("state", node.status.as_str());
            add("family", &node.family);
            if let Some(version) = &node.version {
                add("version", version);
            }
            for reason in &node.reasons {
                add("reason", &reason.code);
            }
            for (label, value) in &node.labels {
                add(&label.to_lowercase(), value);
            }
        }
        words.entry("is".to_owned()).or_default().extend(FLAGS.map(|flag| (flag.to_owned(), 0)));
        Self(words)
    }

    /// What may stand where the cursor is; `cursor` counts bytes.
    pub fn offer(&self, text: &str, cursor: usize) -> Offer {
        let word = tokens(text)
            .into_iter()
            .find(|token| token.start <= cursor && cursor <= token.end)
            .unwrap_or(cursor..cursor);
        let typed = text.get(word.start..cursor).unwrap_or_default();
        let (minus, typed) = typed.strip_prefix('-').map_or(("", typed), |rest| ("-", rest));
        let suggestions = match split_key(typed) {
            Some((key, values)) => self.values(minus, key, values),
            None => self.keys(minus, typed),
        };
        Offer { word, suggestions }
    }

    fn keys(&self, minus: &str, typed: &str) -> Vec<Suggestion> {
        let typed = typed.to_lowercase();
        // The keys of every fleet first, in their own order; then its labels.
        let labels = self.0.keys().map(String::as_str).filter(|key| !KEYS.contains(key));
        let fits = KEYS.into_iter().chain(labels).filter(|key| key.starts_with(&typed));
        fits.map(|key| Suggestion { insert: format!("{minus}{key}:"), count: None }).take(MOST).collect()
    }

    fn values(&self, minus: &str, key: &str, typed: &str) -> Vec<Suggestion> {
        let Some(values) = self.0.get(&key.to_lowercase()) else { return Vec::new() };
        // After a comma a further value is begun.
        let (before, begun) = typed.rfind(',').map_or(("", typed), |at| typed.split_at(at + 1));
        let begun = begun.trim_start_matches('"').to_lowercase();
        let fits = values.iter().filter(|(value, _)| value.to_lowercase().starts_with(&begun)).collect();
        let fits: Vec<(&String, &usize)> =
            sorted(fits, |(a, a_count), (b, b_count)| b_count.cmp(a_count).then_with(|| natural(a, b)));
        // A word that is whole needs no offer.
        if let [(only, _)] = fits.as_slice()
            && only.to_lowercase() == begun
        {
            return Vec::new();
        }
        fits.into_iter()
            .take(MOST)
            .map(|(value, count)| {
                let quoted = term(key, value);
                let value = quoted.strip_prefix(key).unwrap_or(&quoted).trim_start_matches(':');
                Suggestion {
                    insert: format!("{minus}{key}:{before}{value}"),
                    count: (*count > 0).then_some(*count),
                }
            })
            .collect()
    }
}

/// The text with an offer taken, and where the cursor then stands, both in bytes.
pub fn accept(text: &str, word: &Range<usize>, insert: &str) -> (String, usize) {
    let (before, after) = (text.get(..word.start).unwrap_or(text), text.get(word.end..).unwrap_or_default());
    // A value is finished; a key waits for its value.
    let blank = if insert.ends_with(':') || after.starts_with(' ') { "" } else { " " };
    let head = format!("{before}{insert}{blank}");
    let cursor = head.len();
    (head + after, cursor)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Vocabulary, accept};
    use crate::state::model::tests::node;

    fn offers(text: &str) -> Vec<String> {
        let nodes = [
            node(
                json!({"family": "decdn", "labels": {"region": "eu", "owner": "Ann Lee"}, "version": "0.6.2"}),
            ),
            node(
                json!({"family": "decdn", "labels": {"region": "us"}, "version": "0.6.10", "status": "degraded"}),
            ),
            node(json!({"family": "datamgmt", "labels": {"region": "eu"}})),
        ];
        let cursor = text.find('|').unwrap_or(text.len());
        let offer = Vocabulary::of(&nodes).offer(&text.replace('|', ""), cursor);
        offer.suggestions.into_iter().map(|suggestion| suggestion.insert).collect()
    }

    #[test]
    fn keys_then_their_values_the_most_common_first() {
        assert_eq!(offers("r"), ["reason:", "region:"]);
        assert_eq!(offers("eu -fa"), ["-family:"]);
        assert_eq!(offers("family:"), ["family:decdn", "family:datamgmt"]);
        assert_eq!(offers("family:da"), ["family:datamgmt"]);
        assert_eq!(offers("region:eu,u"), ["region:eu,us"]);
        assert_eq!(offers("owner:a"), ["owner:\"Ann Lee\""]);
        assert_eq!(offers("version:"), ["version:0.6.2", "version:0.6.10"]);
        assert_eq!(offers("is:s"), ["is:skewed"]);
        assert_eq!(offers("st|ate:degraded"), ["state:"]);
        assert_eq!(offers("").len(), 8);
    }

    #[test]
    fn nothing_is_offered_for_a_whole_word_or_an_unknown_key() {
        assert!(offers("region:us").is_empty());
        assert!(offers("planet:").is_empty());
        assert!(offers("zzz").is_empty());
    }

    #[test]
    fn an_offer_taken_stands_in_place_of_the_word() {
        assert_eq!(accept("eu fam rest", &(3..6), "family:"), ("eu family: rest".into(), 10));
        assert_eq!(accept("family:d", &(0..8), "family:decdn"), ("family:decdn ".into(), 13));
    }
}
