//! The families there are: the built-in folders, and the user's.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use toml::{Table, Value};

use super::model::FamilySpec;
use super::parse::toml_error;
use super::{Family, FamilyError};

/// The text of every built-in `family.toml`; the list is made by `build.rs`.
static TEXTS: &[&str] = include!(concat!(env!("OUT_DIR"), "/families.rs"));

/// The rule file of every folder that has one, by the folder's name.
static RULES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The built-in rule files: the name of the folder each is of, and its text.
pub fn built_in_rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().copied()
}

// The text is part of the binary, so it is parsed once; a test parses every one of them.
static BUILT_IN: LazyLock<Vec<Arc<Family>>> = LazyLock::new(|| {
    let mut families: Vec<_> = TEXTS
        .iter()
        .map(|text| Arc::new(Family::from_toml(text).expect("the built-in families are tested")))
        .collect();
    families.sort_by(|a, b| a.name().cmp(b.name()));
    families
});

/// All families a target may name.
#[derive(Clone, Debug)]
pub struct Registry {
    families: BTreeMap<String, Arc<Family>>,
    /// What each was read from, for `extends`.
    tables: BTreeMap<String, Table>,
}

impl Default for Registry {
    fn default() -> Self {
        Self::built_in()
    }
}

impl Registry {
    /// The built-in families only.
    pub fn built_in() -> Self {
        let families = BUILT_IN.iter().map(|family| (family.name().to_owned(), Arc::clone(family))).collect();
        Self { families, tables: BTreeMap::new() }
    }

    /// Adds a user's `family.toml`; one of the same name is replaced, and its name is returned.
    ///
    /// # Errors
    /// As [`Family::from_toml`]; and an `extends` that names no family known so far.
    pub fn add(&mut self, text: &str) -> Result<String, FamilyError> {
        let table: Table = toml::from_str(text).map_err(|error| toml_error(text, &error))?;
        let (family, table) = match table.get("extends").and_then(Value::as_str) {
            None => (Family::from_toml(text)?, table),
            Some(base) => {
                let Some(mut whole) = self.table(base) else {
                    let known: Vec<_> = self.names().collect();
                    return Err(FamilyError::new(format!("`extends` names `{base}`, which is no family"))
                        .hint(format!("the families are: {}", known.join(", "))));
                };
                merge(&mut whole, table);
                whole.remove("extends");
                let spec: FamilySpec = Value::Table(whole.clone())
                    .try_into()
                    .map_err(|error: toml::de::Error| toml_error(text, &error))?;
                (Family::checked(spec, text)?, whole)
            }
        };
        let name = family.name().to_owned();
        self.families.insert(name.clone(), Arc::new(family));
        self.tables.insert(name.clone(), table);
        Ok(name)
    }

    /// The family of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Family>> {
        self.families.get(name)
    }

    /// Every family, by name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Family>> {
        self.families.values()
    }

    /// Every family's name, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.families.keys().map(String::as_str)
    }

    fn table(&self, name: &str) -> Option<Table> {
        if let Some(table) = self.tables.get(name) {
            return Some(table.clone());
        }
        TEXTS
            .iter()
            .filter_map(|text| toml::from_str::<Table>(text).ok())
            .find(|table| table.get("name").and_then(Value::as_str) == Some(name))
    }
}

/// Lays `changes` over `base`: tables member by member, lists of tables by their `name` (or `title`),
/// all else replaced.
fn merge(base: &mut Table, changes: Table) {
    for (key, change) in changes {
        match (base.get_mut(&key), change) {
            (Some(Value::Table(own)), Value::Table(change)) => merge(own, change),
            (Some(Value::Array(own)), Value::Array(change)) if change.iter().all(Value::is_table) => {
                merge_list(own, change);
            }
            (_, change) => {
                base.insert(key, change);
            }
        }
    }
}

fn merge_list(base: &mut Vec<Value>, changes: Vec<Value>) {
    let id = |value: &Value| -> Option<String> {
        let name = value.get("name").or_else(|| value.get("title"))?;
        name.as_str().map(str::to_owned)
    };
    for change in changes {
        let place =
            id(&change).and_then(|wanted| base.iter_mut().find(|own| id(own).as_ref() == Some(&wanted)));
        match (place, change) {
            (Some(Value::Table(own)), Value::Table(change)) => merge(own, change),
            (_, change) => base.push(change),
        }
    }
}

impl Family {
    /// The built-in families, by name.
    pub fn builtin() -> Vec<Arc<Self>> {
        BUILT_IN.clone()
    }
}
