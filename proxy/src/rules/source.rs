//! Where rules come from: the families' own files, and the config's.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use fleetglass_shared::{
    family,
    rule::{Override, RuleFault, RuleFile, RuleGroup, Tuned},
};

use crate::config::{LoadedConfig, RulesConfig, Span};

/// Every rule file.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// In the order in which they are told.
    pub files: Vec<LoadedFile>,
}

/// A rule file, as far as it was understood.
#[derive(Clone, Debug)]
pub struct LoadedFile {
    /// What it is called: its path, or `built-in/FAMILY`.
    pub name: String,
    /// Its groups.
    pub groups: Vec<LoadedGroup>,
    /// What of it cannot be used.
    pub faults: Vec<RuleFault>,
}

/// A group, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct LoadedGroup {
    /// The name of its file.
    pub file: String,
    /// Its rules.
    pub group: RuleGroup,
    /// The overrides of each of its rules.
    pub tuned: Vec<Tuned>,
    /// What they were made from.
    pub overrides: Vec<Override>,
    /// How often it is evaluated.
    pub interval_ms: i64,
}

/// What a set is read from.
pub struct Sources<'a> {
    /// The config.
    pub loaded: &'a LoadedConfig,
}

/// How often groups are evaluated that do not say.
fn default_interval_ms(config: &RulesConfig, loaded: &LoadedConfig) -> i64 {
    let span = config.evaluation_interval.unwrap_or(loaded.config.scrape.interval);
    span.as_time().max(1)
}

impl Sources<'_> {
    /// Reads everything. What cannot be used is among the faults of its file.
    pub fn read(&self) -> RuleSet {
        let config = &self.loaded.config.rules;
        let mut files: Vec<(String, String)> = Vec::new();
        if config.built_in {
            files.extend(
                family::built_in_rules()
                    .map(|(name, text)| (format!("built-in/{name}/rules.yml"), text.to_owned())),
            );
        }
        let mut set = RuleSet::default();
        for path in self.paths() {
            match std::fs::read_to_string(&path) {
                Ok(text) => files.push((path.display().to_string(), text)),
                Err(error) => set.files.push(LoadedFile::unread(&path, &error.to_string())),
            }
        }
        let (overrides, mut faults) = self.overrides();
        let interval_ms = default_interval_ms(config, self.loaded);
        let mut known = BTreeSet::new();
        for (name, text) in files {
            let mut file = RuleFile::read(&text);
            for group in &mut file.groups {
                group.rules.retain(|rule| !config.disable.contains(&rule.name));
                known.extend(group.rules.iter().map(|rule| rule.name.clone()));
            }
            set.files.push(LoadedFile::of(&name, file, &overrides, interval_ms));
        }
        for own in overrides.iter().filter(|own| !known.contains(&own.alert)) {
            faults.push(fault(format!("[[rules.override]]: there is no alert {}", own.alert)));
        }
        if !faults.is_empty() {
            let name = self.loaded.path.display().to_string();
            set.files.push(LoadedFile { name, groups: Vec::new(), faults });
        }
        for file in &set.files {
            for fault in &file.faults {
                tracing::warn!("{}:{fault}; the other rules work", file.name);
            }
        }
        set
    }

    /// The files that the config's patterns name, and those beside the config's families.
    pub fn paths(&self) -> Vec<PathBuf> {
        let config = &self.loaded.config;
        let mut paths = Vec::new();
        for pattern in &config.rules.files {
            paths.extend(crate::discovery::matching(&self.loaded.resolve(Path::new(pattern))));
        }
        if let Some(folder) = &config.families.dir {
            let entries = std::fs::read_dir(self.loaded.resolve(folder)).into_iter().flatten().flatten();
            let mut own: Vec<PathBuf> =
                entries.map(|entry| entry.path().join("rules.yml")).filter(|path| path.is_file()).collect();
            own.sort();
            paths.append(&mut own);
        }
        let mut seen = BTreeSet::new();
        paths.retain(|path| seen.insert(path.clone()));
        paths
    }

    fn overrides(&self) -> (Vec<Override>, Vec<RuleFault>) {
        let (mut overrides, mut faults) = (Vec::new(), Vec::new());
        for own in &self.loaded.config.rules.overrides {
            let mut matchers = Vec::new();
            let mut equal = |name: &str, value: &Option<String>| {
                matchers.extend(
                    value.as_ref().map(|value| fleetglass_shared::labels::Matcher::equal(name, value)),
                );
            };
            equal("job", &own.family);
            equal("instance", &own.target);
            if let Some(text) = &own.selector {
                match crate::config::matchers(std::slice::from_ref(text)) {
                    Ok(selected) => matchers.extend(selected),
                    Err(error) => {
                        faults.push(fault(format!("[[rules.override]] of {}: {error}", own.alert)));
                        continue;
                    }
                }
            }
            overrides.push(Override {
                alert: own.alert.clone(),
                matchers,
                threshold: own.threshold,
                instead_of: own.instead_of,
                for_ms: own.hold.map(Span::as_time),
                keep_firing_for_ms: own.keep_firing_for.map(Span::as_time),
                severity: own.severity.clone(),
                off: own.off,
            });
        }
        (overrides, faults)
    }
}

fn fault(message: String) -> RuleFault {
    RuleFault {
        place: fleetglass_shared::rule::Place::default(),
        group: None,
        rule: None,
        name: String::new(),
        message,
    }
}

impl LoadedFile {
    /// A file's text, understood.
    pub fn read(name: &str, text: &str, overrides: &[Override], interval_ms: i64) -> Self {
        Self::of(name, RuleFile::read(text), overrides, interval_ms)
    }

    fn of(name: &str, file: RuleFile, overrides: &[Override], interval_ms: i64) -> Self {
        let RuleFile { groups, faults } = file;
        let mut file = Self { name: name.to_owned(), groups: Vec::new(), faults };
        for group in groups {
            let mut loaded = LoadedGroup {
                file: name.to_owned(),
                interval_ms: group.interval_ms.unwrap_or(interval_ms),
                tuned: Vec::new(),
                overrides: Vec::new(),
                group,
            };
            file.faults.extend(loaded.tune(overrides));
            file.groups.push(loaded);
        }
        file
    }

    fn unread(path: &Path, error: &str) -> Self {
        Self {
            name: path.display().to_string(),
            groups: Vec::new(),
            faults: vec![fault(format!("the file cannot be read: {error}"))],
        }
    }
}

impl LoadedGroup {
    /// Lays the overrides over the rules; what of them cannot be used.
    fn tune(&mut self, overrides: &[Override]) -> Vec<RuleFault> {
        let mut faults = Vec::new();
        self.overrides = overrides.to_vec();
        self.tuned = self
            .group
            .rules
            .iter()
            .map(|rule| {
                Tuned::of(rule, overrides).unwrap_or_else(|error| {
                    faults.push(RuleFault { place: rule.place, ..fault(error.to_string()) });
                    Tuned::default()
                })
            })
            .collect();
        faults
    }
}
