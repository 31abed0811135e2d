//! Tools compiled from crates.io: trunk and wasm-bindgen.

use super::{Piece, commit, remove_dir, staging};
use crate::paths;
use crate::problem::Result;
use crate::run;
use std::path::{Path, PathBuf};

/// 0.22 needs a newer compiler than the one this workspace asks for.
const TRUNK: &str = "0.21.14";

/// One program of one version.
pub(super) struct CargoTool {
    program: &'static str,
    package: &'static str,
    version: String,
    /// Options of `cargo install` that leave out what we do not use.
    trim: &'static str,
    /// Tried in turn: with the author's lock file, then without where the registry lacks one of its crates.
    locks: &'static [&'static str],
    cost: &'static str,
    place: PathBuf,
}

/// The builder of the app. Without TLS: it never downloads anything here.
pub(super) fn trunk(cache: &Path) -> CargoTool {
    CargoTool {
        program: "trunk",
        package: "trunk",
        version: TRUNK.to_owned(),
        trim: "--no-default-features",
        locks: &["--locked"],
        cost: "compile from crates.io, 3 to 5 min on 2 cores",
        place: cache.join(format!("trunk-{TRUNK}")),
    }
}

/// The generator of the glue between wasm and JavaScript: it must be of the version of the library.
pub(super) fn wasm_bindgen(cache: &Path, version: &str) -> CargoTool {
    CargoTool {
        program: "wasm-bindgen",
        package: "wasm-bindgen-cli",
        version: version.to_owned(),
        trim: "--no-default-features --bin wasm-bindgen",
        locks: &["--locked", ""],
        cost: "compile from crates.io, 1 to 3 min on 2 cores",
        place: cache.join(format!("wasm-bindgen-{version}")),
    }
}

impl CargoTool {
    fn own(&self) -> PathBuf {
        self.place.join("bin").join(format!("{}{}", self.program, std::env::consts::EXE_SUFFIX))
    }

    fn answers(&self, program: &Path) -> bool {
        program.is_file()
            && run::capture(run::command(program).arg("--version"))
                .is_some_and(|text| is_version(&text, &self.version))
    }

    /// Where the right one is: the user's own on PATH, or ours. Ours needs no question once it is there.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        let own = self.own();
        if own.is_file() {
            return Some(self.place.join("bin"));
        }
        let found = paths::find_program(&[self.program])?;
        self.answers(&found).then(|| found.parent().map(Path::to_path_buf))?
    }
}

impl Piece for CargoTool {
    fn name(&self) -> String {
        format!("{} {}", self.program, self.version)
    }

    fn place(&self) -> String {
        self.folder().unwrap_or_else(|| self.place.clone()).display().to_string()
    }

    fn cost(&self) -> &'static str {
        self.cost
    }

    fn present(&self) -> bool {
        self.answers(&self.own())
            || paths::find_program(&[self.program]).is_some_and(|found| self.answers(&found))
    }

    fn install(&self, cache: &Path) -> Result<()> {
        let log = run::log_file(cache, self.program)?;
        let staged = staging(&self.place)?;
        // Kept when interrupted, so the next run goes on where this one stopped.
        let target = cache.join("build").join(self.place.file_name().unwrap_or_default());
        let mut result = Ok(());
        for lock in self.locks {
            let mut command = run::cargo(&format!(
                "install --debug --no-track {} {lock} {} --version ={}",
                self.trim, self.package, self.version
            ));
            command.arg("--root").arg(&staged).arg("--target-dir").arg(&target);
            // Compiled once and run for seconds: the cheapest build there is.
            command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_DEV_OPT_LEVEL", "0");
            command.env("CARGO_INCREMENTAL", "0").env_remove("RUSTFLAGS");
            result = run::logged(&self.name(), &mut command, &log, None);
            if result.is_ok() {
                break;
            }
        }
        result?;
        commit(&staged, &self.place)?;
        remove_dir(&target)
    }
}

/// Whether `trunk 0.21.14` or `wasm-bindgen 0.2.130 (abc)` is of that version.
fn is_version(text: &str, version: &str) -> bool {
    text.split_whitespace().nth(1) == Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_version_counts() {
        assert!(is_version("trunk 0.21.14", "0.21.14"));
        assert!(is_version("wasm-bindgen 0.2.130 (0123abc)", "0.2.130"));
        assert!(!is_version("wasm-bindgen 0.2.13", "0.2.130"));
        assert!(!is_version("", "0.2.130"));
    }
}
