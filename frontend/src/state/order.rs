//! What nodes can be sorted and grouped by, and how many moves lie between two orders.

use std::cmp::Ordering;
use std::collections::HashMap;

use fleetglass_shared::health::Status;
use fleetglass_shared::natural::natural;
use fleetglass_shared::risk::worst_first;
use fleetglass_shared::wire::{NodeSummary, Risk};

/// A column or a label.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The state, the worst first.
    State,
    /// The node's id.
    Node,
    /// The family's name.
    Family,
    /// The software version.
    Version,
    /// Connected peers.
    Peers,
    /// The slash risk, the worst first.
    Risk,
    /// How old the last answer is.
    Age,
    /// A label of the target.
    Label(String),
}

impl Field {
    /// The fields that are columns, in the order of the table.
    pub const COLUMNS: [Self; 7] =
        [Self::State, Self::Node, Self::Family, Self::Version, Self::Peers, Self::Risk, Self::Age];
    /// The fields that make sensible groups, but for labels.
    pub const GROUPS: [Self; 3] = [Self::Family, Self::State, Self::Version];

    /// The word in the address: a label is `label.NAME`.
    pub fn to_word(&self) -> String {
        match self {
            Self::State => "state".to_owned(),
            Self::Node => "node".to_owned(),
            Self::Family => "family".to_owned(),
            Self::Version => "version".to_owned(),
            Self::Peers => "peers".to_owned(),
            Self::Risk => "risk".to_owned(),
            Self::Age => "age".to_owned(),
            Self::Label(name) => format!("label.{name}"),
        }
    }

    /// The field that a word in the address names.
    pub fn parse(word: &str) -> Option<Self> {
        match word.strip_prefix("label.") {
            Some(name) => (!name.is_empty()).then(|| Self::Label(name.to_owned())),
            None => Self::COLUMNS.into_iter().find(|field| field.to_word() == word),
        }
    }

    /// What a person reads.
    pub fn title(&self) -> String {
        match self {
            Self::State => "State".to_owned(),
            Self::Node => "Node".to_owned(),
            Self::Family => "Family".to_owned(),
            Self::Version => "Version".to_owned(),
            Self::Peers => "Peers".to_owned(),
            Self::Risk => "Worst risk".to_owned(),
            Self::Age => "Age".to_owned(),
            Self::Label(name) => name.clone(),
        }
    }

    /// The text that nodes of one group share; `None` when the node has none.
    pub fn text<'a>(&self, node: &'a NodeSummary) -> Option<&'a str> {
        match self {
            Self::State => Some(node.status.as_str()),
            Self::Node => Some(&node.id),
            Self::Family => Some(&node.family),
            Self::Version => node.version.as_deref(),
            Self::Label(name) => node.labels.get(name).map(String::as_str),
            Self::Peers | Self::Risk | Self::Age => None,
        }
    }

    /// Which of two nodes stands first: what needs a person first, then small before large; what is not
    /// known last. Equal ones stand in order of id.
    pub fn compare(&self, a: &NodeSummary, b: &NodeSummary) -> Ordering {
        let by_field = match self {
            Self::State => badness(b).cmp(&badness(a)),
            Self::Peers => unknown_last(a.peers, b.peers, |a, b| a.cmp(b)),
            Self::Age => unknown_last(a.fact_at, b.fact_at, |a, b| b.cmp(a)),
            Self::Risk => {
                unknown_last(a.worst_risk.as_ref(), b.worst_risk.as_ref(), |a, b| worst_first(a, b))
            }
            Self::Node | Self::Family | Self::Version | Self::Label(_) => {
                unknown_last(self.text(a), self.text(b), |a, b| natural(a, b))
            }
        };
        by_field.then_with(|| natural(&a.id, &b.id))
    }
}

/// States in the order of [`Field::State`], and draining before others of the same state.
fn badness(node: &NodeSummary) -> (Status, bool) {
    (node.status, node.draining)
}

/// How near a risk is to its bound, from 0 to 1; `None` when its value is not known. A bound may lie
/// above (a lag) or below (a number of peers): the side the value is on while all is well tells which.
pub fn pressure(risk: &Risk) -> Option<f64> {
    let value = risk.value?;
    if let Some(headroom) = risk.headroom {
        return Some((1.0 - headroom).clamp(0.0, 1.0));
    }
    Some(match risk.bound {
        _ if risk.firing => 1.0,
        bound if bound <= 0.0 || value <= 0.0 => 0.0,
        bound if value <= bound => value / bound,
        bound => bound / value,
    })
}

/// Whether a value must stay above its bound: it is told by a bound that is not crossed and yet below.
pub fn is_floor(risk: &Risk, value: f64) -> bool {
    if risk.firing { value < risk.bound } else { value > risk.bound }
}

fn unknown_last<T>(a: Option<T>, b: Option<T>, compare: impl Fn(&T, &T) -> Ordering) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(&a, &b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

/// How many things moved, came or went between two orders: the fewest that explain the difference.
pub fn changes<'a>(old: impl Iterator<Item = &'a str>, new: impl Iterator<Item = &'a str>) -> usize {
    let places: HashMap<&str, usize> = old.enumerate().map(|(place, id)| (id, place)).collect();
    let (mut came, mut kept) = (0, Vec::new());
    for id in new {
        match places.get(id) {
            Some(&place) => kept.push(place),
            None => came += 1,
        }
    }
    // What stays in order is the longest rising run of old places; the rest moved.
    let mut tails: Vec<usize> = Vec::new();
    for &place in &kept {
        let at = tails.partition_point(|&tail| tail < place);
        match tails.get_mut(at) {
            Some(tail) => *tail = place,
            None => tails.push(place),
        }
    }
    came + (places.len() - kept.len()) + (kept.len() - tails.len())
}

/// Sorts; equal items keep their order. One body for all types: the library's own is 4 KB for each.
pub fn sorted<T>(items: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let order = order_of(items.len(), &|a, b| compare(&items[a], &items[b]));
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| items[index].take()).collect()
}

fn order_of(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use serde_json::json;

    use super::{Field, changes, natural, pressure};
    use crate::state::model::tests::node;

    #[test]
    fn names_with_numbers_stand_as_a_person_counts() {
        for (a, b) in [
            ("node-2", "node-10"),
            ("0.9.1", "0.10"),
            ("a", "b"),
            ("a", "a1"),
            ("", "a"),
            ("01", "2"),
            ("é1", "é2"),
        ] {
            assert_eq!(natural(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(natural(b, a), Ordering::Greater, "{b} {a}");
        }
        assert_eq!(natural("a007", "a7"), Ordering::Equal);
    }

    #[test]
    fn the_worst_state_and_the_known_stand_first() {
        let well = node(json!({"id": "b", "peers": 9}));
        let ill = node(json!({"id": "c", "status": "unreachable"}));
        let few = node(json!({"id": "d", "peers": 2}));
        assert_eq!(Field::State.compare(&ill, &well), Ordering::Less);
        assert_eq!(Field::State.compare(&well, &few), Ordering::Less, "by id");
        assert_eq!(Field::Peers.compare(&few, &well), Ordering::Less);
        assert_eq!(Field::Peers.compare(&ill, &well), Ordering::Greater, "not known is last");
        let risk = |id: &str, outlook: serde_json::Value| {
            node(
                json!({"id": id, "worst_risk": {"name": "r", "title": "R", "severity": "warning", "value": 1.0,
                "bound": 2.0, "meaning": "", "action": "", "firing": false, "outlook": outlook}}),
            )
        };
        let soon = risk("z", json!({"trend": "approaching", "breach_at": 9}));
        let calm = risk("a", json!({"trend": "steady"}));
        assert_eq!(Field::Risk.compare(&soon, &calm), Ordering::Less);
        assert_eq!(Field::Risk.compare(&calm, &well), Ordering::Less, "none is last");
    }

    #[test]
    fn pressure_goes_to_one_from_either_side() {
        let risk = |value: Option<f64>, bound: f64, firing: bool| {
            let mut risk = json!({"name": "r", "title": "R", "severity": "critical", "bound": bound, "meaning": "",
                "action": "", "firing": firing});
            if let Some(value) = value {
                risk["value"] = json!(value);
            }
            pressure(&serde_json::from_value(risk).expect("a risk"))
        };
        let half_way = |headroom: f64| {
            let risk = json!({"name": "r", "title": "R", "severity": "critical", "value": 4.0, "bound": 0.0,
                "meaning": "", "action": "", "firing": false, "headroom": headroom});
            pressure(&serde_json::from_value(risk).expect("a risk"))
        };
        assert_eq!(risk(Some(300.0), 600.0, false), Some(0.5));
        assert_eq!(risk(Some(8.0), 2.0, false), Some(0.25));
        assert_eq!(risk(Some(0.0), 0.0, false), Some(0.0));
        assert_eq!(risk(Some(1.0), 0.0, true), Some(1.0));
        assert_eq!(risk(None, 1.0, false), None);
        assert_eq!(half_way(0.5), Some(0.5), "what the proxy says of the way that is left");
        assert_eq!((half_way(-3.0), half_way(9.0)), (Some(1.0), Some(0.0)));
    }

    #[test]
    fn a_field_survives_the_address() {
        for field in Field::COLUMNS.into_iter().chain([Field::Label("region".into())]) {
            assert_eq!(Field::parse(&field.to_word()), Some(field));
        }
        assert_eq!(Field::parse("label."), None);
        assert_eq!(Field::parse("nonsense"), None);
    }

    #[test]
    fn one_move_counts_as_one() {
        let count = |old: &str, new: &str| changes(old.split_whitespace(), new.split_whitespace());
        assert_eq!(count("a b c d", "a b c d"), 0);
        assert_eq!(count("a b c d", "d a b c"), 1);
        assert_eq!(count("a b c d", "a c b d"), 1);
        assert_eq!(count("a b c", "a c x"), 2);
        assert_eq!(count("", "a b"), 2);
    }
}
