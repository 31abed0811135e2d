//! Builds the browser app with Trunk into `dist/`, when something it is made of has changed.

mod inline;
mod parts;

pub(crate) use parts::fetched_later;

use crate::clock::Stopwatch;
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use crate::run;
use crate::setup::{self, Tools, Wasm};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// How the app is compiled: quickly, or as small as can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// For `demo` and `test`.
    Quick,
    /// For the shipped binary: LTO, then wasm-opt.
    Small,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Quick => "wasm-dev",
            Self::Small => "wasm-release",
        }
    }
}

/// What the app is made of, from the checkout's root.
const INPUTS: [&str; 10] = [
    "Cargo.lock",
    "Cargo.toml",
    ".cargo/config.toml",
    "Trunk.toml",
    "frontend",
    "shared",
    "static",
    "xtask/src/app",
    "xtask/src/split",
    "xtask/src/split.rs",
];

/// Builds the app unless `dist/` already holds what these sources make. Says which of the two it did.
pub(crate) fn build(tools: &Tools, profile: Profile) -> Result<()> {
    let watch = Stopwatch::start();
    let note = paths::notes()?.join("dist.txt");
    let inputs = fingerprint(&paths::root(), &INPUTS)?;
    // The page is part of the mark: `trunk serve` writes another one there, which reloads itself.
    let mark = || {
        Ok(format!(
            "{} {inputs:016x} {:016x}\n",
            profile.name(),
            fingerprint(&paths::dist(), &["index.html"])?
        ))
    };
    if std::fs::read_to_string(&note).unwrap_or_default() == mark()? {
        println!("app: unchanged, dist/ is up to date ({watch})");
        return Ok(());
    }
    println!("app: trunk build, profile {} …", profile.name());
    // Gone while Trunk works: an interrupted build must not look finished.
    match std::fs::remove_file(&note) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).at("remove", &note),
        _ => {}
    }
    let mut command = trunk(tools, &["build", "--cargo-profile", profile.name()])?;
    if profile == Profile::Small {
        // Trunk runs wasm-opt and minifies only in what it calls a release.
        command.arg("--release");
    }
    let log = run::log_file(&paths::notes()?, "trunk")?;
    run::logged("trunk build", &mut command, &log, None)?;
    parts::cut(tools, profile)?;
    std::fs::write(&note, mark()?).at("write", &note)?;
    println!("app: built in {watch}");
    Ok(())
}

/// Compiles the app as Trunk will, while Trunk itself is still being compiled: then Trunk finds it done. Says
/// nothing of a failure, which Trunk would meet again.
pub(crate) fn compile_ahead(wasm: &Wasm, profile: Profile) {
    let compiled = || {
        let manifest = paths::root().join("frontend").join("Cargo.toml");
        let mut command = run::cargo("build --target=wasm32-unknown-unknown");
        command.arg("--manifest-path").arg(manifest).args(["--profile", profile.name()]);
        command.env_remove("RUSTFLAGS");
        wasm.apply(&mut command, &[])?;
        let log = run::log_file(&paths::notes()?, "app-ahead")?;
        run::logged("app", &mut command, &log, None)
    };
    let watch = Stopwatch::start();
    if compiled().is_ok() {
        println!("app: compiled in {watch}");
    }
}

/// `cargo xtask trunk …`: Trunk as it is, with the tools of the cache on PATH.
pub(crate) fn trunk_command(words: &[String]) -> Result<ExitCode> {
    let tools = setup::ensure(crate::args::Need::Demo)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let status = trunk(&tools, &words)?
        .status()
        .map_err(|error| Problem::new(format!("cannot start trunk: {error}")))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `cargo xtask env`: what Trunk needs, as lines for a shell.
pub(crate) fn env_command() -> Result<ExitCode> {
    // What it prints is run by a shell, so it must not report an installation there.
    let tools = setup::found(crate::args::Need::Demo)?;
    let mut folders = tools.folders;
    if let Wasm::Debian(place) = &tools.wasm {
        folders.insert(0, place.join("bin"));
    }
    let folders: Vec<String> = folders.iter().map(|dir| dir.display().to_string()).collect();
    println!("export PATH='{}':\"$PATH\"", folders.join(":"));
    println!("export TRUNK_SKIP_VERSION_CHECK=true");
    Ok(ExitCode::SUCCESS)
}

fn trunk(tools: &Tools, words: &[&str]) -> Result<Command> {
    let program = tools
        .folders
        .iter()
        .map(|dir| dir.join("trunk"))
        .find(|file| file.is_file())
        .ok_or_else(|| Problem::new("trunk is not there").fix("cargo xtask setup demo"))?;
    let mut command = run::command(program);
    command.args(words).env("TRUNK_SKIP_VERSION_CHECK", "true").env_remove("RUSTFLAGS");
    // Trunk reads NO_COLOR as a boolean and stops at `1`.
    command.env_remove("NO_COLOR");
    tools.wasm.apply(&mut command, &tools.folders)?;
    Ok(command)
}

/// One number for the contents and names of files and folders below `root`; missing ones count as empty.
pub(crate) fn fingerprint(root: &Path, inputs: &[&str]) -> Result<u64> {
    let mut files = Vec::new();
    for input in inputs {
        collect(&root.join(input), &mut files)?;
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(root).unwrap_or(&file).hash(&mut hasher);
        std::fs::read(&file).at("read", &file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
    } else if path.is_dir() {
        for entry in std::fs::read_dir(path).at("read", path)? {
            let entry = entry.at("read", path)?;
            let name = entry.file_name();
            if name != "target" && name != "node_modules" && name != "dist" {
                collect(&entry.path(), files)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_fingerprint_follows_contents_and_names_and_nothing_else() {
        let root = std::env::temp_dir().join(format!("fleetglass-app-{}", std::process::id()));
        std::fs::create_dir_all(root.join("a/target")).unwrap();
        std::fs::write(root.join("a/x.rs"), "one").unwrap();
        let mark = || fingerprint(&root, &["a", "not-there"]).unwrap();

        let first = mark();
        std::fs::write(root.join("a/target/rubbish"), "x").unwrap();
        assert_eq!(mark(), first, "build output is not an input");
        std::fs::write(root.join("a/x.rs"), "two").unwrap();
        let second = mark();
        assert_ne!(second, first);
        std::fs::rename(root.join("a/x.rs"), root.join("a/y.rs")).unwrap();
        assert_ne!(mark(), second);
        std::fs::remove_dir_all(root).unwrap();
    }
}
