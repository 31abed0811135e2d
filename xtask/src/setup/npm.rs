//! The Node packages: wasm-opt for the release, Playwright and axe for the browser tests, Lighthouse for a bench.
//! Their exact versions are in the `package-lock.json` of a folder; they are installed once per lock file.

use super::{Piece, commit, staging};
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use crate::run;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// The packages of a lock file of this checkout.
pub(super) struct Modules {
    what: &'static str,
    cost: &'static str,
    /// Files that are there when they all are.
    files: &'static [&'static str],
    manifest: PathBuf,
    place: PathBuf,
}

impl Modules {
    /// What the release and the browser tests need.
    pub(super) fn new(cache: &Path) -> Result<Self> {
        let files =
            &["binaryen/bin/wasm-opt", "playwright-core/package.json", "@axe-core/playwright/package.json"];
        Self::of(cache, "", "wasm-opt, Playwright and axe (npm)", "download 40 MB, 10 s", files)
    }

    /// What a bench needs.
    pub(super) fn lighthouse(cache: &Path) -> Result<Self> {
        let files = &["lighthouse/cli/index.js"];
        Self::of(cache, "lighthouse", "Lighthouse (npm)", "download 25 MB, 10 s", files)
    }

    /// Reads the lock file to know where its packages go.
    fn of(
        cache: &Path,
        folder: &str,
        what: &'static str,
        cost: &'static str,
        files: &'static [&'static str],
    ) -> Result<Self> {
        let manifest = paths::root().join("tests").join("browser").join(folder);
        let lock = manifest.join("package-lock.json");
        let text = std::fs::read(&lock).at("read", &lock)?;
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let place = cache.join(format!("node-{:016x}", hasher.finish()));
        Ok(Self { what, cost, files, manifest, place })
    }

    /// Where its packages are, installed or not.
    pub(super) fn modules(&self) -> PathBuf {
        self.place.join("node_modules")
    }
}

/// The `node_modules` folder that fits this checkout, installed or not.
pub(crate) fn modules(cache: &Path) -> Result<PathBuf> {
    Ok(Modules::new(cache)?.modules())
}

impl Piece for Modules {
    fn name(&self) -> String {
        self.what.to_owned()
    }

    fn place(&self) -> String {
        self.place.display().to_string()
    }

    fn cost(&self) -> &'static str {
        self.cost
    }

    fn present(&self) -> bool {
        self.files.iter().all(|file| self.modules().join(file).is_file())
    }

    fn install(&self, cache: &Path) -> Result<()> {
        if paths::find_program(&["npm"]).is_none() {
            return Err(Problem::new(
                "npm is not on PATH, and wasm-opt, Playwright and Lighthouse come from it",
            )
            .fix("install Node.js 20 or later with npm, from nodejs.org or your distribution"));
        }
        let log = run::log_file(cache, "npm")?;
        let staged = staging(&self.place)?;
        for file in ["package.json", "package-lock.json"] {
            let from = self.manifest.join(file);
            std::fs::copy(&from, staged.join(file)).at("copy", &from)?;
        }
        let mut command = run::command("npm");
        command.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&staged);
        run::logged(&self.name(), &mut command, &log, None)?;
        commit(&staged, &self.place)
    }
}
