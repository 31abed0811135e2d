//! The Node packages: wasm-opt for the release, Playwright and axe for the browser tests. Their exact
//! versions are in `tests/browser/package-lock.json`; they are installed once per lock file.

use super::{Piece, commit, staging};
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use crate::run;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The packages of the lock file of this checkout.
pub(super) struct Modules {
    place: PathBuf,
}

impl Modules {
    /// Reads the lock file to know where its packages go.
    pub(super) fn new(cache: &Path) -> Result<Self> {
        let lock = manifest_dir().join("package-lock.json");
        let text = std::fs::read(&lock).at("read", &lock)?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Ok(Self { place: cache.join(format!("node-{:016x}", hasher.finish())) })
    }
}

/// The `node_modules` folder that fits this checkout, installed or not.
pub(crate) fn modules(cache: &Path) -> Result<PathBuf> {
    Ok(Modules::new(cache)?.place.join("node_modules"))
}

fn manifest_dir() -> PathBuf {
    paths::root().join("tests").join("browser")
}

impl Piece for Modules {
    fn name(&self) -> String {
        "wasm-opt, Playwright and axe (npm)".to_owned()
    }

    fn place(&self) -> String {
        self.place.display().to_string()
    }

    fn cost(&self) -> &'static str {
        "download 40 MB, 10 s"
    }

    fn present(&self) -> bool {
        ["binaryen/bin/wasm-opt", "playwright-core/package.json", "@axe-core/playwright/package.json"]
            .iter()
            .all(|file| self.place.join("node_modules").join(file).is_file())
    }

    fn install(&self, cache: &Path) -> Result<()> {
        if paths::find_program(&["npm"]).is_none() {
            return Err(Problem::new("npm is not on PATH, and wasm-opt and Playwright come from it")
                .fix("install Node.js 20 or later with npm, from nodejs.org or your distribution"));
        }
        let log = run::log_file(cache, "npm")?;
        let staged = staging(&self.place)?;
        for file in ["package.json", "package-lock.json"] {
            let from = manifest_dir().join(file);
            std::fs::copy(&from, staged.join(file)).at("copy", &from)?;
        }
        let mut command = run::command("npm");
        command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&staged);
        run::logged(&self.name(), &mut command, &log, None)?;
        commit(&staged, &self.place)
    }
}
