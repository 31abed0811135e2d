//! Debian packages: Chromium, the real peers of the end-to-end tests, and the compiler for the browser
//! where rustup cannot download. Installed only by root; anyone else gets the exact command.

use super::Piece;
use crate::paths::find_program;
use crate::problem::{Problem, Result};
use crate::run;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A package and the programs by which one knows that it is there, whoever installed them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Package {
    name: &'static str,
    /// Each group needs one of its names on PATH.
    programs: &'static [&'static [&'static str]],
}

/// The browser of the browser tests.
pub(super) const CHROMIUM: Package =
    Package { name: "chromium", programs: &[&["chromium", "chromium-browser", "google-chrome"]] };

/// What Fleetglass is tested against: the real ones.
pub(super) const PEERS: [Package; 5] = [
    Package { name: "prometheus", programs: &[&["prometheus"], &["promtool"]] },
    Package { name: "prometheus-alertmanager", programs: &[&["prometheus-alertmanager", "alertmanager"]] },
    Package { name: "victoria-metrics", programs: &[&["victoria-metrics", "victoria-metrics-prod"]] },
    Package { name: "nginx-light", programs: &[&["nginx"]] },
    // Makes the certificates of the browser stories.
    Package { name: "openssl", programs: &[&["openssl"]] },
];

/// Clippy for the compiler of [`super::wasm`].
pub(super) const WEB_CLIPPY: Package =
    Package { name: "rust-web-clippy", programs: &[&["/usr/bin/clippy-driver"]] };

impl Package {
    fn present(&self) -> bool {
        self.programs.iter().all(|names| find_program(names).is_some())
    }
}

/// Several packages, installed in one go.
pub(super) struct Packages(pub(super) Vec<Package>);

impl Packages {
    fn missing(&self) -> Vec<&'static str> {
        self.0.iter().filter(|package| !package.present()).map(|package| package.name).collect()
    }
}

impl Piece for Packages {
    fn name(&self) -> String {
        let missing = self.missing();
        let names =
            if missing.is_empty() { self.0.iter().map(|package| package.name).collect() } else { missing };
        names.join(", ")
    }

    fn place(&self) -> String {
        "the system (Debian packages)".to_owned()
    }

    fn cost(&self) -> &'static str {
        "download and unpack, up to 1 min"
    }

    fn present(&self) -> bool {
        self.missing().is_empty()
    }

    fn install(&self, cache: &Path) -> Result<()> {
        install(cache, "packages", &self.missing())
    }
}

/// Installs Debian packages by name.
///
/// # Errors
/// When there is no apt, or the user is not root: the error says what to type.
pub(super) fn install(cache: &Path, log: &str, names: &[&str]) -> Result<()> {
    /// apt refuses to run twice at once.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);

    if find_program(&["apt-get"]).is_none() {
        return Err(Problem::new(format!("missing on this machine: {}", names.join(", "))).fix(
            "there is no apt-get here: install them with your own package manager, so that they are on PATH",
        ));
    }
    if !is_root() {
        let line = format!(
            "sudo apt-get update && sudo apt-get install -y --no-install-recommends {}",
            names.join(" ")
        );
        return Err(Problem::new(format!("only root may install {}", names.join(", "))).fix(line));
    }
    let log = run::log_file(cache, log)?;
    if !lists_are_fresh() {
        update(&log)?;
    }
    apt_install(&log, names).or_else(|_| {
        // The lists may be older than the archive, or dpkg was stopped half-way last time.
        let _ = run::logged("dpkg", run::command("dpkg").args(["--configure", "-a"]), &log, None);
        update(&log)?;
        apt_install(&log, names)
    })
}

/// Whether dpkg has all of these, fully installed.
pub(super) fn installed(names: &[&str]) -> bool {
    let mut command = run::command("dpkg-query");
    run::capture(command.args(["-W", "-f", "${db:Status-Abbrev}\n"]).args(names))
        .is_some_and(|text| text.lines().filter(|line| line.starts_with("ii")).count() == names.len())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Whether `apt-get update` ran within the last day.
fn lists_are_fresh() -> bool {
    let day = Duration::from_secs(24 * 60 * 60);
    let Ok(entries) = std::fs::read_dir("/var/lib/apt/lists") else { return false };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
        .filter_map(|entry| entry.metadata().ok()?.modified().ok()?.elapsed().ok())
        .any(|age| age < day)
}

fn update(log: &Path) -> Result<()> {
    run::logged("apt-get update", &mut apt_get(&["update"]), log, Some(Duration::from_secs(300)))
}

fn apt_install(log: &Path, names: &[&str]) -> Result<()> {
    let mut command = apt_get(&["install", "-y", "--no-install-recommends"]);
    run::logged("apt-get install", command.args(names), log, Some(Duration::from_secs(1200)))
}

fn apt_get(words: &[&str]) -> std::process::Command {
    let mut command = run::command("apt-get");
    command.args(["-o", "DPkg::Lock::Timeout=300"]).args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}
