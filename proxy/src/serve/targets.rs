//! The fleet that a config and its documents name.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
};

use anyhow::Context;
use fleetglass_shared::family::{FamilyError, Registry};

use crate::{config::LoadedConfig, discovery, target::Target};

/// The targets that were found, and what could not be read.
#[derive(Debug, Default)]
pub struct Found {
    /// Each id once.
    pub targets: Vec<Target>,
    /// Documents, targets and families that cannot be used.
    pub errors: Vec<String>,
}

/// The built-in families, and those of the config's folder.
///
/// # Errors
/// A family of the folder cannot be used, or a target of the config names none: where, and why.
pub fn registry(loaded: &LoadedConfig) -> anyhow::Result<Registry> {
    let mut registry = Registry::built_in();
    if let Some(folder) = &loaded.config.families.dir {
        let folder = loaded.resolve(folder);
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("[families] dir: {} cannot be read", folder.display()))?;
        let mut files: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path().join("family.toml")).collect();
        files.sort();
        for file in files.iter().filter(|file| file.is_file()) {
            let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
            registry.add(&text).map_err(|error| anyhow::anyhow!("{}:{error}", file.display()))?;
        }
    }
    for (index, target) in loaded.config.targets.iter().enumerate() {
        if let Err(fault) = fits(&Target::from_config(target, loaded), &registry) {
            return Err(loaded.target_fault(index, fault.key, fault.message, &fault.hint).into());
        }
    }
    Ok(registry)
}

/// Why a target cannot be asked as its family says.
struct Misfit {
    key: &'static str,
    message: String,
    hint: String,
}

fn fits(target: &Target, registry: &Registry) -> Result<(), Misfit> {
    let Some(family) = registry.get(&target.family) else {
        if target.family == "auto" {
            return Ok(());
        }
        let known: Vec<&str> = registry.names().collect();
        return Err(Misfit {
            key: "family",
            message: format!(
                "target `{}` names the family `{}`, which is not known",
                target.id, target.family
            ),
            hint: format!("known are auto, {}; [families] dir adds more", known.join(", ")),
        });
    };
    let misfit = |key: &'static str| {
        move |error: FamilyError| Misfit { key, message: error.message, hint: error.hint }
    };
    family.endpoints_for(&target.url, &target.endpoints).map_err(misfit("endpoints"))?;
    family.with_bounds(&target.bounds).map_err(misfit("bounds"))?;
    Ok(())
}

/// Every target that the config and its documents name, and `further` ones. `documents` remembers what
/// each document named when it could last be read.
pub fn find(
    loaded: &LoadedConfig,
    registry: &Registry,
    documents: &mut HashMap<PathBuf, Vec<Target>>,
    further: &[Target],
) -> Found {
    let mut found = Found::default();
    let mut ids = BTreeSet::new();
    for target in further {
        take(target.clone(), &loaded.path, registry, &mut ids, &mut found);
    }
    for config in &loaded.config.targets {
        take(Target::from_config(config, loaded), &loaded.path, registry, &mut ids, &mut found);
    }
    let known: Vec<String> = registry.names().map(str::to_owned).collect();
    let mut present = BTreeSet::new();
    for discovery in &loaded.config.discovery {
        for path in discovery::files(discovery, loaded) {
            match discovery::read(&path, discovery, &loaded.config.scrape, &known) {
                Ok(targets) => {
                    documents.insert(path.clone(), targets);
                }
                Err(error) => found.errors.push(error.to_string()),
            }
            for target in documents.get(&path).cloned().unwrap_or_default() {
                take(target, &path, registry, &mut ids, &mut found);
            }
            present.insert(path);
        }
    }
    documents.retain(|path, _| present.contains(path));
    found
}

fn take(target: Target, source: &Path, registry: &Registry, ids: &mut BTreeSet<String>, found: &mut Found) {
    if let Err(Misfit { message, hint, .. }) = fits(&target, registry) {
        found.errors.push(format!("{}: target `{}`: {message} ({hint})", source.display(), target.id));
    } else if ids.insert(target.id.clone()) {
        found.targets.push(target);
    } else {
        found.errors.push(format!("{}: the id `{}` is taken already", source.display(), target.id));
    }
}

/// The folders to watch: the config's own, those of its target files and families.
pub(super) fn folders(loaded: &LoadedConfig) -> BTreeSet<PathBuf> {
    let folder_of = |path: &Path| match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let patterns = loaded.config.discovery.iter().flat_map(|discovery| &discovery.file_sd);
    let patterns = patterns.chain(&loaded.config.rules.files);
    let mut folders: BTreeSet<PathBuf> =
        patterns.map(|pattern| folder_of(&loaded.resolve(Path::new(pattern)))).collect();
    folders.insert(folder_of(&loaded.path));
    folders
}
