//! Tools compiled from crates.io: trunk as its author ships it, and wasm-bindgen as a small program of
//! ours over its author's library; see `docs/decisions/0003-tools-from-source.md`.

use super::{Piece, commit, remove_dir, staging};
use crate::paths;
use crate::problem::{AtPath, Result};
use crate::run;
use std::path::{Path, PathBuf};

/// 0.22 needs a newer compiler than the one this workspace asks for.
const TRUNK: &str = "0.21.14";

/// The program whose library is `wasm-bindgen-cli-support`.
const BINDGEN_SOURCE: &str = include_str!("../../bindgen/main.rs");

/// One program of one version.
pub(super) struct CargoTool {
    program: &'static str,
    version: String,
    source: Source,
    cost: &'static str,
    place: PathBuf,
}

enum Source {
    /// A package of that name; with these options of `cargo install`.
    Published(&'static str),
    /// A crate of one file, over one library of the tool's version.
    Written { library: &'static str, main: &'static str },
}

/// The builder of the app. Without TLS: it never downloads anything here.
pub(super) fn trunk(cache: &Path) -> CargoTool {
    CargoTool {
        program: "trunk",
        version: TRUNK.to_owned(),
        source: Source::Published("--locked --no-default-features"),
        cost: "compile from crates.io, 3 to 5 min on 2 cores",
        place: cache.join(format!("trunk-{TRUNK}")),
    }
}

/// The generator of the glue between wasm and JavaScript: it must be of the version of the library.
pub(super) fn wasm_bindgen(cache: &Path, version: &str) -> CargoTool {
    CargoTool {
        program: "wasm-bindgen",
        version: version.to_owned(),
        source: Source::Written { library: "wasm-bindgen-cli-support", main: BINDGEN_SOURCE },
        cost: "compile from crates.io, 1 min on 2 cores",
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
        let own = self.own();
        if own.exists() {
            // A broken one would be used before a good one on PATH: it must be repaired.
            return self.answers(&own);
        }
        paths::find_program(&[self.program]).is_some_and(|found| self.answers(&found))
    }

    fn install(&self, cache: &Path) -> Result<()> {
        let log = run::log_file(cache, self.program)?;
        let staged = staging(&self.place)?;
        // Kept when interrupted, so the next run goes on where this one stopped.
        let build = cache.join("build").join(self.place.file_name().unwrap_or_default());
        std::fs::create_dir_all(&build).at("create", &build)?;
        let mut command = match &self.source {
            Source::Published(options) => {
                run::cargo(&format!("install {options} {} --version ={}", self.program, self.version))
            }
            Source::Written { library, main } => {
                self.write(&build, library, main)?;
                let mut command = run::cargo("install --path");
                command.arg(&build).current_dir(&build);
                command
            }
        };
        command.args(["--debug", "--no-track", "--root"]).arg(&staged);
        command.arg("--target-dir").arg(build.join("target"));
        // Compiled once and run for seconds: the cheapest build there is.
        command.env("CARGO_PROFILE_DEV_DEBUG", "0").env("CARGO_PROFILE_DEV_OPT_LEVEL", "0");
        for (setting, value) in
            [("CODEGEN_UNITS", "4"), ("DEBUG_ASSERTIONS", "false"), ("OVERFLOW_CHECKS", "false")]
        {
            command.env(format!("CARGO_PROFILE_DEV_{setting}"), value);
        }
        command.env("CARGO_PROFILE_DEV_PANIC", "abort");
        command.env("CARGO_INCREMENTAL", "0").env_remove("RUSTFLAGS");
        run::logged(&self.name(), &mut command, &log, None)?;
        commit(&staged, &self.place)?;
        remove_dir(&build)
    }
}

impl CargoTool {
    fn write(&self, dir: &Path, library: &str, main: &str) -> Result<()> {
        let (name, version) = (self.program, &self.version);
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n\n\
             [[bin]]\nname = \"{name}\"\npath = \"main.rs\"\n\n\
             [dependencies]\n{library} = \"={version}\"\n\n[workspace]\n"
        );
        for (file, text) in [("Cargo.toml", manifest.as_str()), ("main.rs", main)] {
            let file = dir.join(file);
            std::fs::write(&file, text).at("write", &file)?;
        }
        Ok(())
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
