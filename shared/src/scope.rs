//! What a share link shows, and what there is for a limited role. Everything that leaves that way is cut here, once.
//!
//! | module | is |
//! |---|---|
//! | this file | [`Scope`]: which nodes and which views |
//! | `redact` | names, labels and texts as the viewer may read them |
//! | `cut` | the wire types, field by field |
//! | `card` | [`Card`]: the picture of a link, before it is drawn |
//! | `fence` | [`Fence`]: whether selectors stay within those of a limited role |
//! | `storage` | [`Scoped`]: the only series that a viewer's query can see |
//!
//! Two rules make it tight. A cut names every field of what it takes apart and of what it makes, so that a new field
//! does not compile before somebody has decided about it. And what is shown follows from the nodes inside alone: two
//! fleets that differ only outside give the same bytes, which the tests check.

mod card;
mod cut;
mod fence;
mod redact;
mod storage;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use crate::{
    health::UnixMillis,
    labels::{LabelSet, METRIC_NAME, Matcher, Selector},
    promql::Query,
    wire::{NodeSummary, ScopeSpec, View},
};

pub use card::{Card, CardNode, CardNodes};
pub use cut::AlertCut;
pub use fence::Fence;
pub use storage::Scoped;

/// What the series of one metric end in.
const SERIES_ENDS: [&str; 6] = ["_bucket", "_count", "_sum", "_total", "_created", "_info"];
/// What Fleetglass works out from the values of whatever metrics a family names.
const DERIVED_OF_VALUES: [&str; 2] = ["fleetglass_risk_", "fleetglass_node_peers"];

/// Names, labels and metrics that are listed in a scope, at most.
const LISTED: usize = 100;

/// What a link shows, understood.
#[derive(Clone)]
pub struct Scope {
    spec: ScopeSpec,
    select: Vec<Vec<Matcher>>,
    key: [u8; 32],
    /// It is of somebody who works here, and not of a link's viewer.
    is_of_role: bool,
}

/// A node inside a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inside {
    /// As the viewer knows it.
    pub shown: String,
    /// As the fleet knows it.
    pub id: String,
    /// Where it is asked, if that is known: a host's name or address.
    pub host: Option<String>,
    /// The names of the labels that the fleet gives it; other labels of its series are their own.
    pub labels: BTreeSet<String>,
    /// What stands in those of them that are not shown, word by word: no text tells it either.
    pub hidden: BTreeSet<String>,
}

/// A scope that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Nothing says which nodes.
    #[error("`select` is empty: which nodes? Such as {{region=\"eu\"}}; {{instance!=\"\"}} is all of them")]
    NoSelector,
    /// Nothing says what of them.
    #[error("`views` is empty: name some of fleet, node, charts, alerts, risks")]
    NoView,
    /// A selector is not one.
    #[error("`{text}` in `select`, column {column}: {problem}")]
    Selector {
        /// As it was written.
        text: String,
        /// Where, from 1.
        column: usize,
        /// What is wrong.
        problem: String,
    },
    /// A selector selects series.
    #[error("`{0}` in `select` names a metric; nodes are selected by labels alone: {{instance=\"eu-1\"}}")]
    Metric(String),
    /// A list is too long, or has an empty entry.
    #[error("`{0}` has more than {LISTED} entries, or an empty one")]
    List(&'static str),
    /// The time is none.
    #[error("`oldest_seconds` is 0: nothing would be shown")]
    NoTime,
}

impl Scope {
    /// A scope; its aliases come from `key`, which nobody else may know.
    ///
    /// # Errors
    /// What is wrong with it, and what to write.
    pub fn new(spec: ScopeSpec, key: [u8; 32]) -> Result<Self, ScopeError> {
        if spec.select.is_empty() {
            return Err(ScopeError::NoSelector);
        }
        if spec.views.is_empty() {
            return Err(ScopeError::NoView);
        }
        if spec.oldest_seconds == Some(0) {
            return Err(ScopeError::NoTime);
        }
        let lists = [
            ("select", &spec.select),
            ("drop_labels", &spec.drop_labels),
            ("hide_metrics", &spec.hide_metrics),
        ];
        for (name, list) in lists {
            if list.len() > LISTED || list.iter().any(|entry| entry.trim().is_empty()) {
                return Err(ScopeError::List(name));
            }
        }
        let select = spec.select.iter().map(|text| node_selector(text)).collect::<Result<_, _>>()?;
        Ok(Self { spec, select, key, is_of_role: false })
    }

    /// What there is for somebody whose role is limited to nodes: every view of these, under their names and with their
    /// addresses, and what colleagues said of them.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn of_role(select: Vec<String>, key: [u8; 32]) -> Result<Self, ScopeError> {
        let spec = ScopeSpec {
            select,
            views: View::ALL.into(),
            oldest_seconds: None,
            addresses: true,
            drop_labels: Vec::new(),
            aliases: false,
            hide_metrics: Vec::new(),
        };
        Ok(Self { is_of_role: true, ..Self::new(spec, key)? })
    }

    /// As it was written.
    pub fn spec(&self) -> &ScopeSpec {
        &self.spec
    }

    /// Whether a view is shown.
    pub fn shows(&self, view: View) -> bool {
        self.spec.views.contains(&view)
    }

    /// The oldest time that is shown.
    pub fn oldest(&self, now: UnixMillis) -> UnixMillis {
        let back = self.spec.oldest_seconds.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
        back.map_or(UnixMillis::MIN, |seconds| now.saturating_sub(seconds.saturating_mul(1000)))
    }

    /// The node, if it is inside. A node has its own labels, those that its series have, and `family`.
    pub fn inside(&self, node: &NodeSummary, host: Option<&str>) -> Option<Inside> {
        let own = node.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let given = [("instance", node.id.as_str()), ("job", &node.family), ("family", &node.family)];
        self.selects(&LabelSet::from_pairs(given.into_iter().chain(own))).then(|| Inside {
            shown: self.name(&node.id),
            id: node.id.clone(),
            host: host.map(str::to_owned),
            labels: node.labels.keys().cloned().collect(),
            hidden: self.hidden_words(&node.labels),
        })
    }

    /// Whether a series of a node that is inside was inside when it was written: the node may have had other labels.
    fn takes_series(&self, labels: &LabelSet) -> bool {
        let family = labels.get("job").unwrap_or_default().to_owned();
        let own = labels.iter().filter(|(name, _)| *name != "family");
        self.selects(&LabelSet::from_pairs(own.chain([("family", family.as_str())])))
    }

    fn selects(&self, labels: &LabelSet) -> bool {
        self.select.iter().any(|selector| selector.iter().all(|matcher| matcher.matches_set(labels)))
    }

    /// Whether a metric's values are kept back.
    pub fn hides_metric(&self, metric: &str) -> bool {
        // What Fleetglass derives may be the same number under another name.
        self.is_hidden(metric) || (self.hides_values() && metric.starts_with("fleetglass_"))
    }

    fn is_hidden(&self, metric: &str) -> bool {
        // A histogram is named without what its series end in, and so is a counter in some expositions.
        let is_of = |name: &str| SERIES_ENDS.iter().any(|end| metric.strip_suffix(end) == Some(name));
        self.spec.hide_metrics.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(beginning) => metric.starts_with(beginning),
            None => metric == pattern || is_of(pattern),
        })
    }

    /// Whether that an alert of a rule fires tells how a value stands that is kept back.
    pub fn hides_rule(&self, query: &Query) -> bool {
        // How a node is, and that it does not answer, is shown: only what comes from values is not.
        let tells = |name: &&str| {
            self.is_hidden(name) || DERIVED_OF_VALUES.iter().any(|beginning| name.starts_with(beginning))
        };
        self.hides_values() && query.metrics().is_none_or(|names| names.iter().any(tells))
    }

    /// Whether any values are kept back: then nothing is told that may be one of them under another name.
    fn hides_values(&self) -> bool {
        !self.spec.hide_metrics.is_empty()
    }
}

impl std::fmt::Debug for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope").field("spec", &self.spec).field("key", &"***").finish_non_exhaustive()
    }
}

/// A selector over nodes, read.
///
/// # Errors
/// It is no selector, or names a metric.
pub fn node_selector(text: &str) -> Result<Vec<Matcher>, ScopeError> {
    let selector = Selector::parse(text).map_err(|error| ScopeError::Selector {
        text: text.to_owned(),
        column: error.column,
        problem: error.problem.to_string(),
    })?;
    if selector.matchers.iter().any(|matcher| matcher.name() == METRIC_NAME) {
        return Err(ScopeError::Metric(text.to_owned()));
    }
    Ok(selector.matchers)
}
