//! A rule file: what can be used of it, and of the rest what is wrong and where.
//!
//! Prometheus refuses a file for one bad rule. Here each rule stands for itself: a bad one is named with
//! its place, and the others work.

use std::collections::{BTreeMap, BTreeSet};

use super::yaml::{self, Kind, Node, Place, Written};
use super::{Rule, RuleGroup, RuleKind};
use crate::labels::METRIC_NAME;
use crate::promql::{ParseError, Query, duration_ms};
use crate::template;

/// A rule file as far as it was understood.
#[derive(Clone, Debug, Default)]
pub struct RuleFile {
    /// Groups with the rules that can be used.
    pub groups: Vec<RuleGroup>,
    /// What cannot be used, in order of place.
    pub faults: Vec<RuleFault>,
}

/// Something in a rule file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFault {
    /// Where: of an expression or a template the very character.
    pub place: Place,
    /// The group's name, where it has one.
    pub group: Option<String>,
    /// Which rule of the group, from 1.
    pub rule: Option<usize>,
    /// The rule's name, where it has one.
    pub name: String,
    /// Why, in Prometheus's words where it has any.
    pub message: String,
}

impl std::fmt::Display for RuleFault {
    /// As promtool writes it, after the name of the file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let (Some(group), Some(rule)) = (&self.group, self.rule) {
            write!(f, "group {group:?}, rule {rule}, {:?}: ", self.name)?;
        }
        f.write_str(&self.message)
    }
}

impl RuleFile {
    /// Reads a file. There is always an answer: what cannot be used is among its faults.
    pub fn read(text: &str) -> Self {
        let mut reader = Reader { text, file: Self::default() };
        match yaml::read(text) {
            Ok(Some(root)) => reader.root(&root),
            Ok(None) => {}
            Err(error) => reader.fault(error.place, format!("yaml: {}", error.message)),
        }
        reader.file.faults.sort_by_key(|fault| fault.place);
        reader.file
    }

    /// How many rules can be used.
    pub fn rules(&self) -> usize {
        self.groups.iter().map(|group| group.rules.len()).sum()
    }
}

/// A duration as Prometheus's YAML has it: `1h30m`, or `0`.
///
/// # Errors
/// In Prometheus's words.
pub fn duration(text: &str) -> Result<i64, String> {
    match text {
        "0" => Ok(0),
        "" => Err("empty duration string".to_owned()),
        _ => duration_ms(text).ok_or_else(|| format!("not a valid duration string: {text:?}")),
    }
}

/// The name of a metric as rules may record it.
fn is_metric_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'))
}

fn is_label_name(name: &str) -> bool {
    is_metric_name(name) && !name.contains(':')
}

struct Reader<'a> {
    text: &'a str,
    file: RuleFile,
}

/// What is wrong with a part of a rule.
type Problem = (Place, String);

/// The fields of a mapping, each at most once and none that is not known.
struct Fields<'a>(Vec<(&'a str, &'a Node)>);

impl<'a> Fields<'a> {
    fn of(node: &'a Node, known: &[&str], of: &str, problems: &mut Vec<Problem>) -> Self {
        let Kind::Map(pairs) = &node.kind else {
            problems.push((node.place, format!("{of} must be a mapping, not {}", node.word())));
            return Self(Vec::new());
        };
        let mut fields: Vec<(&str, &Node)> = Vec::new();
        for (key, value) in pairs {
            let name = key.text().unwrap_or_default();
            if fields.iter().any(|(own, _)| *own == name) {
                problems.push((key.place, format!("mapping key {name:?} already defined")));
            } else if known.contains(&name) {
                fields.push((name, value));
            } else {
                let known = known.join(", ");
                problems.push((key.place, format!("field {name} not found in {of}; it may have {known}")));
            }
        }
        Self(fields)
    }

    fn get(&self, name: &str) -> Option<&'a Node> {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, node)| *node)
    }

    /// A text; the empty one where it is missing.
    fn text(&self, name: &str, problems: &mut Vec<Problem>) -> &'a str {
        let Some(node) = self.get(name) else { return "" };
        node.text().unwrap_or_else(|| {
            problems.push((node.place, format!("{name} must be a text, not {}", node.word())));
            ""
        })
    }

    fn duration(&self, name: &str, problems: &mut Vec<Problem>) -> Option<i64> {
        let node = self.get(name).filter(|node| !node.is_null())?;
        let found = duration(node.text().unwrap_or_default());
        found.map_err(|message| problems.push((node.place, message))).ok()
    }

    /// A mapping of texts.
    fn texts(&self, name: &str, problems: &mut Vec<Problem>) -> Vec<(&'a Node, &'a str, &'a Node)> {
        let Some(node) = self.get(name).filter(|node| !node.is_null()) else { return Vec::new() };
        let Kind::Map(pairs) = &node.kind else {
            problems.push((node.place, format!("{name} must be a mapping, not {}", node.word())));
            return Vec::new();
        };
        let mut found: Vec<(&Node, &str, &Node)> = Vec::new();
        for (key, value) in pairs {
            let name = key.text().unwrap_or_default();
            if found.iter().any(|(_, own, _)| *own == name) {
                problems.push((key.place, format!("mapping key {name:?} already defined")));
            } else if value.text().is_none() {
                problems.push((value.place, format!("{name} must be a text, not {}", value.word())));
            } else {
                found.push((key, name, value));
            }
        }
        found
    }

    fn list(&self, name: &str, problems: &mut Vec<Problem>) -> &'a [Node] {
        let Some(node) = self.get(name).filter(|node| !node.is_null()) else { return &[] };
        if let Kind::List(items) = &node.kind {
            return items;
        }
        problems.push((node.place, format!("{name} must be a list, not {}", node.word())));
        &[]
    }
}

impl Reader<'_> {
    fn fault(&mut self, place: Place, message: String) {
        self.file.faults.push(RuleFault { place, group: None, rule: None, name: String::new(), message });
    }

    fn faults(&mut self, problems: Vec<Problem>) {
        problems.into_iter().for_each(|(place, message)| self.fault(place, message));
    }

    fn root(&mut self, root: &Node) {
        let mut problems = Vec::new();
        if root.is_null() {
            return;
        }
        let fields = Fields::of(root, &["groups"], "a rule file", &mut problems);
        let groups = fields.list("groups", &mut problems);
        self.faults(problems);
        let mut names = BTreeSet::new();
        for node in groups {
            self.group(node, &mut names);
        }
    }

    fn group<'n>(&mut self, node: &'n Node, names: &mut BTreeSet<&'n str>) {
        const KNOWN: [&str; 6] = ["name", "interval", "query_offset", "limit", "labels", "rules"];
        let mut problems = Vec::new();
        let fields = Fields::of(node, &KNOWN, "a rule group", &mut problems);
        let name = fields.text("name", &mut problems);
        if name.is_empty() {
            problems.push((node.place, "Groupname must not be empty".to_owned()));
        } else if !names.insert(name) {
            let place = fields.get("name").map_or(node.place, |name| name.place);
            problems.push((place, format!("groupname: \"{name}\" is repeated in the same file")));
        }
        let interval_ms = fields.duration("interval", &mut problems).filter(|&ms| ms > 0);
        let query_offset_ms = fields.duration("query_offset", &mut problems);
        let limit = match fields.get("limit").filter(|node| !node.is_null()) {
            None => 0,
            Some(node) => node.text().and_then(|text| text.parse::<i64>().ok()).map_or_else(
                || {
                    problems.push((node.place, "limit must be a whole number".to_owned()));
                    0
                },
                |limit| usize::try_from(limit).unwrap_or(0),
            ),
        };
        let common = labels(&fields, &mut problems);
        let nodes = fields.list("rules", &mut problems);
        self.faults(problems);
        let mut rules = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            match self.rule(node, &common) {
                Ok(rule) => rules.push(rule),
                Err((rule_name, problems)) => {
                    self.file.faults.extend(problems.into_iter().map(|(place, message)| RuleFault {
                        place,
                        group: Some(name.to_owned()),
                        rule: Some(index + 1),
                        name: rule_name.clone(),
                        message,
                    }));
                }
            }
        }
        // A group without a name, or of a name that is taken, still has its rules.
        let mut free = if name.is_empty() { "unnamed".to_owned() } else { name.to_owned() };
        while self.file.groups.iter().any(|group| group.name == free) {
            free.push('\'');
        }
        self.file.groups.push(RuleGroup { name: free, interval_ms, limit, query_offset_ms, rules });
    }

    fn rule(&self, node: &Node, common: &BTreeMap<String, String>) -> Result<Rule, (String, Vec<Problem>)> {
        const KNOWN: [&str; 7] =
            ["record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"];
        let mut problems = Vec::new();
        let fields = Fields::of(node, &KNOWN, "a rule", &mut problems);
        let (record, alert) = (fields.text("record", &mut problems), fields.text("alert", &mut problems));
        let name = if alert.is_empty() { record } else { alert };
        let at = |name: &str| fields.get(name).map_or(node.place, |node| node.place);
        let is_alert = !alert.is_empty();
        match (record.is_empty(), alert.is_empty()) {
            (false, false) => {
                problems.push((at("record"), "only one of 'record' and 'alert' must be set".to_owned()));
            }
            (true, true) => problems.push((node.place, "one of 'record' or 'alert' must be set".to_owned())),
            _ => {}
        }
        let expr = fields.text("expr", &mut problems);
        let mut query = None;
        if expr.is_empty() {
            problems.push((at("expr"), "field 'expr' must be set in rule".to_owned()));
        } else {
            match Query::parse(expr) {
                Ok(understood) => query = Some(understood),
                Err(error) => {
                    let place = fields.get("expr").map_or(node.place, |node| self.inside(node, &error));
                    problems.push((place, format!("could not parse expression: {error}")));
                }
            }
        }
        let for_ms = fields.duration("for", &mut problems);
        let keep_firing_for_ms = fields.duration("keep_firing_for", &mut problems);
        let mut set = common.clone();
        set.extend(labels(&fields, &mut problems));
        let annotations = fields.texts("annotations", &mut problems);
        if is_alert {
            for (key, name, _) in annotations.iter().filter(|(_, name, _)| !is_label_name(name)) {
                problems.push((key.place, format!("invalid annotation name: {name}")));
            }
            for (field, pairs) in
                [("label", fields.texts("labels", &mut Vec::new())), ("annotation", annotations.clone())]
            {
                for (_, name, value) in pairs {
                    if let Err(error) =
                        template::check(&format!("__alert_{alert}"), value.text().unwrap_or_default())
                    {
                        problems.push((value.place, format!("{field} {name:?}: {error}")));
                    }
                }
            }
        } else {
            if !record.is_empty() && !is_metric_name(record) {
                problems.push((at("record"), format!("invalid recording rule name: {record}")));
            }
            for field in ["annotations", "for", "keep_firing_for"] {
                let empty = |node: &Node| {
                    node.is_null()
                        || node.text() == Some("0")
                        || matches!(&node.kind, Kind::Map(pairs) if pairs.is_empty())
                };
                if fields.get(field).is_some_and(|node| !empty(node)) {
                    problems.push((at(field), format!("invalid field '{field}' in recording rule")));
                }
            }
        }
        match query.filter(|_| problems.is_empty()) {
            None => Err((name.to_owned(), problems)),
            Some(query) => Ok(Rule {
                name: name.to_owned(),
                query,
                labels: set,
                place: at(if is_alert { "alert" } else { "record" }),
                kind: if is_alert {
                    RuleKind::Alerting {
                        for_ms: for_ms.unwrap_or(0),
                        keep_firing_for_ms: keep_firing_for_ms.unwrap_or(0),
                        annotations: annotations
                            .iter()
                            .map(|(_, name, value)| {
                                ((*name).to_owned(), value.text().unwrap_or_default().to_owned())
                            })
                            .collect(),
                    }
                } else {
                    RuleKind::Recording
                },
            }),
        }
    }

    /// Where in the file an error of an expression is.
    fn inside(&self, node: &Node, error: &ParseError) -> Place {
        let Kind::Scalar(_, written) = &node.kind else { return node.place };
        match written {
            Written::Plain | Written::Quoted if error.line == 1 => Place {
                line: node.place.line,
                column: node.place.column + error.column - 1 + usize::from(*written == Written::Quoted),
            },
            Written::Block => {
                // The place of a block is its first line of text, or its mark above that.
                let lines: Vec<&str> = self.text.lines().collect();
                let here = lines.get(node.place.line.saturating_sub(1)).copied().unwrap_or_default();
                let below = here
                    .get(node.place.column.saturating_sub(1)..)
                    .is_some_and(|rest| rest.starts_with(['|', '>']));
                let first = node.place.line + usize::from(below);
                let indent = lines.get(first - 1).map_or(0, |line| line.len() - line.trim_start().len());
                Place { line: first + error.line - 1, column: indent + error.column }
            }
            _ => node.place,
        }
    }
}

fn labels(fields: &Fields<'_>, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let mut set = BTreeMap::new();
    for (key, name, value) in fields.texts("labels", problems) {
        if !is_label_name(name) || name == METRIC_NAME {
            problems.push((key.place, format!("invalid label name: {name}")));
        } else {
            set.insert(name.to_owned(), value.text().unwrap_or_default().to_owned());
        }
    }
    set
}
