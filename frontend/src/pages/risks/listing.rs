//! The risks as a view asks for them: filtered, counted, and those of many nodes put together. Pure.

use std::sync::Arc;

use fleetglass_shared::wire::NodeRisk;

use super::standing::Standing;
use super::view::{Show, View};

/// One risk of one node, shared between the answer and the lists.
pub type RiskRef = Arc<NodeRisk>;

/// So many nodes with the same risk, standing the same, are one line.
const MANY: usize = 6;

/// The risks to show, in the order of the answer: the worst first.
#[derive(Debug, Default, PartialEq)]
pub struct Listing {
    /// Over their bounds, on their way there, or near them.
    pub urgent: Vec<Line>,
    /// Not exposed by their nodes.
    pub blind: Vec<Line>,
    /// Those that need nobody.
    pub quiet: Vec<Line>,
    /// How many each choice has, whatever the choice; in the order of `Show::ALL`.
    pub counts: [usize; 6],
}

/// A line of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// One risk of one node.
    One(RiskRef),
    /// The same risk of many nodes, the worst first.
    Many(Arc<Vec<RiskRef>>),
}

impl Line {
    /// What tells it from the other lines.
    pub fn key(&self) -> String {
        match self {
            Self::One(risk) => key(risk),
            Self::Many(risks) => risks.first().map_or_else(String::new, |first| {
                let (family, name, standing) = kind(first);
                format!("{family}\n{name}\n{}", standing.word())
            }),
        }
    }
}

/// What tells a risk of a node from all others.
pub fn key(risk: &NodeRisk) -> String {
    format!("{}\n{}", risk.node, risk.risk.name)
}

/// What risks of one line share.
fn kind(risk: &NodeRisk) -> (&str, &str, Standing) {
    (&risk.family, &risk.risk.name, Standing::of(&risk.risk))
}

impl Listing {
    /// Filters, counts and puts together. `title` gives a family's.
    pub fn of(risks: &[RiskRef], view: &View, title: impl Fn(&str) -> String) -> Self {
        let words: Vec<String> = view.filter.split_whitespace().map(str::to_lowercase).collect();
        let mut counts = [0; 6];
        let (mut urgent, mut blind, mut quiet) = (Vec::new(), Vec::new(), Vec::new());
        for risk in risks {
            let wanted = (view.risk.is_empty() || view.risk == risk.risk.name) && holds(risk, &words, &title);
            if !wanted {
                continue;
            }
            let standing = Standing::of(&risk.risk);
            let show = Show::of(standing);
            counts[Show::All as usize] += 1;
            counts[show as usize] += 1;
            if view.show == Show::All || view.show == show {
                match show {
                    Show::All | Show::Over | Show::Approaching | Show::Near => urgent.push(risk.clone()),
                    Show::Blind => blind.push(risk.clone()),
                    Show::Quiet => quiet.push(risk.clone()),
                }
            }
        }
        let lines = |risks| if view.node.is_empty() { together(risks) } else { apart(risks) };
        Self { urgent: lines(urgent), blind: lines(blind), quiet: lines(quiet), counts }
    }

    /// How many a choice has.
    pub fn count(&self, show: Show) -> usize {
        self.counts.get(show as usize).copied().unwrap_or_default()
    }

    /// The nodes of a line that stands for many.
    pub fn many(&self, key: &str) -> Option<Arc<Vec<RiskRef>>> {
        let mut lines = [&self.urgent, &self.blind, &self.quiet].into_iter().flatten();
        lines.find_map(|line| match line {
            Line::Many(risks) if line.key() == key => Some(risks.clone()),
            _ => None,
        })
    }

    /// The keys of its lines, in order.
    pub fn keys(&self) -> Vec<String> {
        [&self.urgent, &self.blind, &self.quiet].into_iter().flatten().map(Line::key).collect()
    }

    /// Nothing is shown.
    pub fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.blind.is_empty() && self.quiet.is_empty()
    }
}

/// Every word is found in what a person reads of it.
fn holds(risk: &NodeRisk, words: &[String], title: impl Fn(&str) -> String) -> bool {
    if words.is_empty() {
        return true;
    }
    let own = [&risk.node, &risk.family, &risk.risk.name, &risk.risk.title, &risk.risk.severity];
    let mut text = own.map(|part| part.to_lowercase()).join("\n");
    text.push_str(&title(&risk.family).to_lowercase());
    text.push('\n');
    text.push_str(Standing::of(&risk.risk).word());
    words.iter().all(|word| text.contains(word))
}

fn apart(risks: Vec<RiskRef>) -> Vec<Line> {
    risks.into_iter().map(Line::One).collect()
}

/// One line where many nodes have the same risk, in the place of the worst.
fn together(risks: Vec<RiskRef>) -> Vec<Line> {
    let mut kinds: Vec<Vec<RiskRef>> = Vec::new();
    let mut at = std::collections::HashMap::new();
    let mut order = Vec::new();
    for risk in risks {
        let (family, name, standing) = kind(&risk);
        let index = *at.entry((family.to_owned(), name.to_owned(), standing.word())).or_insert_with(|| {
            kinds.push(Vec::new());
            kinds.len() - 1
        });
        order.push((index, kinds[index].len()));
        kinds[index].push(risk);
    }
    let kinds: Vec<Arc<Vec<RiskRef>>> = kinds.into_iter().map(Arc::new).collect();
    let line = |(index, place): (usize, usize)| {
        let kind = &kinds[index];
        match (kind.len() >= MANY, place) {
            (true, 0) => Some(Line::Many(kind.clone())),
            (true, _) => None,
            (false, place) => Some(Line::One(kind[place].clone())),
        }
    };
    order.into_iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn risk(node: &str, name: &str, own: Value) -> RiskRef {
        let mut whole = json!({"node": node, "family": "decdn", "risk": {"name": name, "title": "Poll is late",
            "severity": "warning", "value": 1.0, "bound": 2.0, "meaning": "", "action": "", "firing": false,
            "outlook": {"trend": "steady"}}});
        fleetglass_shared::patch::merge(&mut whole, &json!({"risk": own}));
        Arc::new(serde_json::from_value(whole).unwrap())
    }

    fn fleet() -> Vec<RiskRef> {
        vec![
            risk("a", "lag", json!({"firing": true})),
            risk("b", "lag", json!({"outlook": {"trend": "approaching", "breach_at": 9}})),
            risk("c", "lag", json!({"value": null})),
            risk("d", "lag", json!({})),
            risk("e", "peers", json!({"title": "Few peers", "severity": "critical"})),
        ]
    }

    fn of(risks: &[RiskRef], view: &View) -> Listing {
        Listing::of(risks, view, |_| "deCDN".to_owned())
    }

    fn nodes(lines: &[Line]) -> Vec<String> {
        lines
            .iter()
            .map(|line| match line {
                Line::One(risk) => risk.node.clone(),
                Line::Many(risks) => format!("{} × {}", risks.len(), risks[0].risk.name),
            })
            .collect()
    }

    #[test]
    fn each_stands_in_its_part_in_the_order_of_the_answer() {
        let all = of(&fleet(), &View::default());
        assert_eq!(
            (nodes(&all.urgent), nodes(&all.blind), nodes(&all.quiet)),
            (vec!["a".into(), "b".into()], vec!["c".into()], vec!["d".into(), "e".into()])
        );
        assert_eq!(all.counts, [5, 1, 1, 0, 1, 2]);
        let view = View { show: Show::Approaching, ..View::default() };
        let near = of(&fleet(), &view);
        assert_eq!((nodes(&near.urgent), near.blind.len(), near.quiet.len()), (vec!["b".into()], 0, 0));
        assert_eq!(near.counts, [5, 1, 1, 0, 1, 2], "the other choices keep their counts");
    }

    #[test]
    fn words_are_sought_in_what_a_person_reads() {
        for (filter, found) in [
            ("poll", 4),
            ("POLL approaching", 1),
            ("critical", 1),
            ("decdn not exposed", 1),
            ("peers", 1),
            ("nothing of it", 0),
            ("  ", 5),
        ] {
            let view = View { filter: filter.into(), ..View::default() };
            assert_eq!(of(&fleet(), &view).count(Show::All), found, "{filter}");
        }
        let view = View { risk: "peers".into(), ..View::default() };
        assert_eq!(of(&fleet(), &view).count(Show::All), 1);
    }

    #[test]
    fn the_same_of_many_nodes_is_one_line_where_the_worst_stands() {
        let mut risks = vec![risk("first", "peers", json!({"firing": true}))];
        risks.extend((0..6).map(|index| risk(&format!("n{index}"), "lag", json!({"firing": true}))));
        risks.push(risk("last", "peers", json!({"firing": true})));
        risks.extend((0..5).map(|index| risk(&format!("n{index}"), "lag", json!({"value": null}))));
        let all = of(&risks, &View::default());
        assert_eq!(nodes(&all.urgent), ["first", "6 × lag", "last"]);
        assert_eq!(all.blind.len(), 5, "few are told one by one");
        assert_eq!(all.keys().len(), 8);
        let one = View { node: "n1".into(), ..View::default() };
        assert_eq!(of(&risks, &one).urgent.len(), 8, "of one node nothing is put together");
    }
}
