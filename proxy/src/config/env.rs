//! `FLEETGLASS__SECTION__KEY` lays a setting over the file's.

use std::path::Path;

use serde::Deserialize;
use toml::{Table, Value};

use super::{Config, ConfigError};

const PREFIX: &str = "FLEETGLASS__";

/// The config with the environment's settings laid over the file's; `None` when there are none.
pub(super) fn overlay(
    path: &Path,
    text: &str,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Option<Config>, ConfigError> {
    let mut overrides: Vec<(String, String)> =
        environment.into_iter().filter(|(name, _)| name.starts_with(PREFIX)).collect();
    if overrides.is_empty() {
        return Ok(None);
    }
    overrides.sort();
    let mut table: Table = toml::from_str(text).map_err(|error| ConfigError::toml(path, text, &error))?;
    let mut config = None;
    for (name, value) in overrides {
        set(&mut table, &name, &value)?;
        // Read after each one, so that an error names the variable that made it.
        let read = Config::deserialize(table.clone())
            .map_err(|error| ConfigError::environment(&name, error.message()))?;
        config = Some(read);
    }
    Ok(config)
}

fn set(table: &mut Table, name: &str, value: &str) -> Result<(), ConfigError> {
    let lower = name[PREFIX.len()..].to_ascii_lowercase();
    let mut keys: Vec<&str> = lower.split("__").collect();
    let last = keys.pop().unwrap_or_default();
    if last.is_empty() || keys.iter().any(|key| key.is_empty()) {
        return Err(ConfigError::environment(name, "write it as FLEETGLASS__SECTION__KEY"));
    }
    let mut at = table;
    for key in keys {
        let inner = at.entry(key).or_insert_with(|| Value::Table(Table::new()));
        at = inner
            .as_table_mut()
            .ok_or_else(|| ConfigError::environment(name, &format!("`{key}` is not a section")))?;
    }
    at.insert(last.to_owned(), value_of(value));
    Ok(())
}

/// A TOML value where the text is one (`8`, `true`, `["a"]`), else a string as it stands.
fn value_of(text: &str) -> Value {
    toml::from_str::<Table>(&format!("v = {text}"))
        .ok()
        .and_then(|mut table| table.remove("v"))
        .filter(|value| !matches!(value, Value::Datetime(_)))
        .unwrap_or_else(|| Value::String(text.to_owned()))
}
