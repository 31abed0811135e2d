//! Where things are: the checkout, cargo's target folder, and the cache of tools.

use crate::problem::{AtPath, Problem, Result};
use std::path::{Path, PathBuf};

/// The checkout's root folder.
pub(crate) fn root() -> PathBuf {
    // Set by `cargo run`; the compiled-in value serves a binary that was started by hand.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let own = own.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    own.parent().map_or_else(|| own.clone(), Path::to_path_buf)
}

/// Where cargo writes: `CARGO_TARGET_DIR`, else `target` in the checkout.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR").filter(|dir| !dir.is_empty()) {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The built app, which the proxy embeds (release) or reads from disk (debug).
pub(crate) fn dist() -> PathBuf {
    root().join("dist")
}

/// Notes of this crate about this checkout, such as what `dist` was built from.
pub(crate) fn notes() -> Result<PathBuf> {
    let dir = root().join("target").join("xtask");
    std::fs::create_dir_all(&dir).at("create", &dir)?;
    Ok(dir)
}

/// The proxy that `cargo build` made.
pub(crate) fn proxy(profile: &str) -> PathBuf {
    target().join(profile).join(format!("fleetglass{}", std::env::consts::EXE_SUFFIX))
}

/// The tools' folder, shared by all checkouts of this user: `$FLEETGLASS_CACHE`, else
/// `$XDG_CACHE_HOME/fleetglass`, else `~/.cache/fleetglass`. Created when missing.
pub(crate) fn cache() -> Result<PathBuf> {
    let dir = cache_from(|name| std::env::var(name).ok())?;
    std::fs::create_dir_all(&dir)
        .at("create", &dir)
        .map_err(|problem| problem.fix("set FLEETGLASS_CACHE to a folder you may write to"))?;
    Ok(dir)
}

fn cache_from(env: impl Fn(&str) -> Option<String>) -> Result<PathBuf> {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|dir| dir.is_absolute());
    absolute("FLEETGLASS_CACHE")
        .or_else(|| Some(absolute("XDG_CACHE_HOME")?.join("fleetglass")))
        .or_else(|| Some(absolute("HOME")?.join(".cache").join("fleetglass")))
        .ok_or_else(|| {
            Problem::new("there is no folder for the tools: HOME is not set")
                .fix("set FLEETGLASS_CACHE to an absolute path")
        })
}

/// The first executable called one of `names` on PATH or in the folders where system daemons live.
pub(crate) fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from)).collect();
    names.iter().find_map(|name| folders.iter().map(|dir| dir.join(name)).find(|file| file.is_file()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cache_with(vars: &[(&str, &str)]) -> Result<PathBuf> {
        cache_from(|name| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_cache_folder_is_the_first_that_is_named() {
        let all = [("FLEETGLASS_CACHE", "/a"), ("XDG_CACHE_HOME", "/b"), ("HOME", "/c")];
        assert_eq!(cache_with(&all).unwrap(), Path::new("/a"));
        assert_eq!(cache_with(&all[1..]).unwrap(), Path::new("/b/fleetglass"));
        assert_eq!(cache_with(&all[2..]).unwrap(), Path::new("/c/.cache/fleetglass"));
        assert!(cache_with(&[]).unwrap_err().to_string().contains("FLEETGLASS_CACHE"));
    }

    #[test]
    fn a_relative_cache_folder_does_not_count() {
        let vars = [("FLEETGLASS_CACHE", "here"), ("HOME", "/c")];
        assert_eq!(cache_with(&vars).unwrap(), Path::new("/c/.cache/fleetglass"));
    }
}
