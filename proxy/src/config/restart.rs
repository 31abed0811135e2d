//! `[restart]`: how many nodes may be away at one time, and who depends on whom.

use fleetglass_shared::restart::Policy;
use serde::Deserialize;

use super::{
    Config,
    error::{Fault, Step},
    is_label_name,
};

/// `[restart]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RestartConfig {
    /// Nodes alike in these labels stand in for each other; `family` is one of them.
    pub group_by: Vec<String>,
    /// How many of a group may be away at one time; a third of it when it is absent.
    pub max_down: Option<usize>,
    /// Labels in which a node names others that it depends on.
    pub depends_on: Vec<String>,
}

impl Default for RestartConfig {
    fn default() -> Self {
        let Policy { group_by, max_down, depends_on } = Policy::default();
        Self { group_by, max_down, depends_on }
    }
}

impl RestartConfig {
    /// As it is judged by.
    pub fn policy(&self) -> Policy {
        let Self { group_by, max_down, depends_on } = self.clone();
        Policy { group_by, max_down, depends_on }
    }
}

pub(super) fn validate(config: &Config) -> Result<(), Fault> {
    let own = &config.restart;
    for (key, names) in [("group_by", &own.group_by), ("depends_on", &own.depends_on)] {
        if let Some(index) = names.iter().position(|name| !is_label_name(name)) {
            return Err(Fault {
                path: vec![Step::Key("restart"), Step::Key(key), Step::Index(index)],
                message: format!("`{}` is not a label's name", names[index]),
                hint: Some("name labels of your targets, such as region; `family` is the family".to_owned()),
            });
        }
    }
    Ok(())
}
