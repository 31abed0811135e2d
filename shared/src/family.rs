//! Node families as data: what a family declares in its `family.toml`, and what a round of answers means by it.
//!
//! The language is documented in `docs/family.md`. Nothing here knows any family by name: the built-in ones
//! are folders in `shared/families`, and a user's folder is read the same way.
//!
//! | module | gives |
//! |---|---|
//! | [`model`] | the words of `family.toml` |
//! | [`parse`](Family::from_toml) | a checked [`Family`], or where the fault is |
//! | [`Registry`] | the built-in families and the user's |
//! | [`ResolvedEndpoint`] | the URLs a target is asked |
//! | [`answer`] | a round of answers in, [`Normalised`] out |
//! | [`normalise`] | the mapping engine |
//! | [`recognise`] | which family a node of `family = "auto"` is |
//! | [`FamilyRisk`] | a slash risk: its expressions, and a value against its bound |

pub mod answer;
mod endpoints;
mod expr;
mod memory;
pub mod model;
mod normalise;
mod panels;
mod parse;
mod pointer;
mod recognise;
mod registry;
mod risks;
mod time;
mod words;

pub use answer::{Answer, Body, DerivedSeries, EndpointAnswer, MetricLookup, Normalised, Round, Sample};
pub use endpoints::ResolvedEndpoint;
pub use memory::Memory;
pub use model::{EndpointKind, EndpointRole, FamilySpec};
pub use normalise::normalise;
pub use parse::FamilyError;
pub use recognise::{Probe, Recognised, recognise};
pub use registry::{Registry, built_in_rules};
pub use risks::{FamilyRisk, RiskQueries};
pub use words::Words;

use std::sync::Arc;

/// A checked family.
#[derive(Clone, Debug)]
pub struct Family {
    spec: FamilySpec,
    /// The expressions of its risks, in their order: read once, for all its nodes.
    queries: Arc<[RiskQueries]>,
}

impl Family {
    /// All it declares.
    pub fn spec(&self) -> &FamilySpec {
        &self.spec
    }

    /// Its id.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// What a person reads.
    pub fn title(&self) -> &str {
        if self.spec.title.is_empty() { &self.spec.name } else { &self.spec.title }
    }

    /// What the browser needs to know of it.
    pub fn info(&self) -> crate::wire::FamilyInfo {
        let (spark_title, spark_unit) = match &self.spec.spark {
            Some(spark) => (spark.title.clone(), spark.unit.clone()),
            None => Default::default(),
        };
        crate::wire::FamilyInfo {
            name: self.spec.name.clone(),
            title: self.title().to_owned(),
            spark_title,
            spark_unit,
        }
    }
}
