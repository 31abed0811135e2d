//! The compiler's wasm32 target. rustup's own comes first. Where rustup cannot download, Debian's
//! `rustc-web` brings a compiler with the source of the standard library, which is compiled for wasm
//! once and put into a toolchain folder of our own; see `docs/decisions/0002-wasm-toolchain.md`.

use super::{Piece, apt, commit, remove_dir, staging};
use crate::problem::{AtPath, Problem, Result};
use crate::run;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The target triple of the browser.
pub(crate) const TRIPLE: &str = "wasm32-unknown-unknown";

const PACKAGES: [&str; 5] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LIBS: &str = "/usr/lib/rustlib";

/// How to compile for the browser on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wasm {
    /// The active toolchain has the target.
    Rustup,
    /// Our toolchain folder around Debian's compiler.
    Debian(PathBuf),
    /// Not at all, yet.
    Missing,
}

impl Wasm {
    /// Looks what is there; the active toolchain comes first.
    pub(crate) fn find(cache: &Path) -> Self {
        let sysroot = run::capture(run::command("rustc").args(["--print", "sysroot"])).map(PathBuf::from);
        if sysroot.is_some_and(|sysroot| has_std(&sysroot)) {
            return Self::Rustup;
        }
        match debian_place(cache) {
            Some(place) if has_std(&place) && place.join("bin/rustc").is_file() => Self::Debian(place),
            _ => Self::Missing,
        }
    }

    /// Lets a command compile with this toolchain: `folders` go in front of PATH too.
    pub(crate) fn apply(&self, command: &mut Command, folders: &[PathBuf]) -> Result<()> {
        let own = match self {
            Self::Debian(place) => Some(place.join("bin")),
            Self::Rustup | Self::Missing => None,
        };
        if let Self::Debian(place) = self {
            command.env("SYSROOT", place).env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN");
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = own.into_iter().chain(folders.iter().cloned()).chain(std::env::split_paths(&path));
        let joined = std::env::join_paths(all)
            .map_err(|error| Problem::new(format!("PATH cannot be set: {error}")))?;
        command.env("PATH", joined);
        Ok(())
    }
}

/// The package that [`Wasm::Debian`] needs for clippy.
pub(super) fn clippy_package(cache: &Path) -> Option<apt::Package> {
    matches!(Wasm::find(cache), Wasm::Debian(_)).then_some(apt::WEB_CLIPPY)
}

fn has_std(sysroot: &Path) -> bool {
    let lib = sysroot.join("lib/rustlib").join(TRIPLE).join("lib");
    std::fs::read_dir(lib).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

/// The toolchain folder for the Debian compiler of this moment: after an upgrade it is another one.
fn debian_place(cache: &Path) -> Option<PathBuf> {
    let text = run::capture(run::command(DEBIAN_RUSTC).arg("--version"))?;
    Some(cache.join(format!("wasm32-rustc-{}", text.split_whitespace().nth(1)?)))
}

/// The target as something to install.
pub(super) struct Target {
    cache: PathBuf,
}

impl Target {
    /// For the toolchain folder in `cache`, should there be need of one.
    pub(super) fn new(cache: &Path) -> Self {
        Self { cache: cache.to_path_buf() }
    }
}

impl Piece for Target {
    fn name(&self) -> String {
        format!("Rust for {TRIPLE}")
    }

    fn place(&self) -> String {
        match Wasm::find(&self.cache) {
            Wasm::Rustup => "the active toolchain".to_owned(),
            Wasm::Debian(place) => place.display().to_string(),
            Wasm::Missing => format!("rustup's toolchain, else {}", self.cache.display()),
        }
    }

    fn cost(&self) -> &'static str {
        "rustup target add, 10 s; where that cannot download, Debian packages and a build of std, 2 min"
    }

    fn present(&self) -> bool {
        Wasm::find(&self.cache) != Wasm::Missing
    }

    fn install(&self, cache: &Path) -> Result<()> {
        let by_rustup = rustup(cache);
        if by_rustup.is_ok() && self.present() {
            return Ok(());
        }
        println!("  … rustup could not add {TRIPLE}; taking Debian's compiler instead");
        if !apt::installed(&PACKAGES) {
            apt::install(cache, "rustc-web", &PACKAGES).inspect_err(|_| {
                eprintln!(
                    "\nnote: the ordinary way, `rustup target add {TRIPLE}`, failed here; the other is by packages"
                );
            })?;
        }
        build_std(cache)
    }
}

fn rustup(cache: &Path) -> Result<()> {
    let log = run::log_file(cache, "rustup")?;
    let mut command = run::command("rustup");
    command.args(["target", "add", TRIPLE]).env("RUSTUP_MAX_RETRIES", "1");
    run::logged("rustup target add", &mut command, &log, Some(Duration::from_secs(120)))
}

/// Compiles std from the packages' source and lays the toolchain folder out.
fn build_std(cache: &Path) -> Result<()> {
    let place = debian_place(cache).ok_or_else(|| {
        Problem::new(format!("{DEBIAN_RUSTC} does not run"))
            .fix(format!("apt-get install --reinstall {}", PACKAGES.join(" ")))
    })?;
    let log = run::log_file(cache, "std-for-wasm")?;
    let krate = cache.join("build").join("std-for-wasm");
    write(
        &krate.join("Cargo.toml"),
        "[package]\nname = \"empty\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    write(&krate.join("src/lib.rs"), "")?;

    let mut command = run::command("/usr/bin/cargo");
    command.args(["build", "--release", "--target", TRIPLE, "--target-dir", "target"]);
    command.args(["-Z", "build-std=std,panic_abort,panic_unwind,proc_macro,test"]).current_dir(&krate);
    command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1").env_remove("RUSTFLAGS");
    run::logged("std for wasm", &mut command, &log, None)?;

    let staged = staging(&place)?;
    let libs = staged.join("lib/rustlib").join(TRIPLE).join("lib");
    std::fs::create_dir_all(&libs).at("create", &libs)?;
    let built = krate.join("target").join(TRIPLE).join("release/deps");
    for entry in std::fs::read_dir(&built).at("read", &built)?.flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().ends_with(".rlib") && !name.to_string_lossy().starts_with("libempty-") {
            std::fs::copy(entry.path(), libs.join(&name)).at("copy", &entry.path())?;
        }
    }
    lay_out(&staged, &place)?;
    commit(&staged, &place)?;
    remove_dir(&krate)
}

/// The parts of a toolchain folder beside std; scripts name the folder's final place.
fn lay_out(staged: &Path, place: &Path) -> Result<()> {
    let bin = staged.join("bin");
    std::fs::create_dir_all(&bin).at("create", &bin)?;
    let cargo = bin.join("cargo");
    symlink("/usr/bin/cargo", &cargo).at("link", &cargo)?;
    let rustc = bin.join("rustc");
    write(&rustc, &format!("#!/bin/sh\nexec {DEBIAN_RUSTC} --sysroot '{}' \"$@\"\n", place.display()))?;
    std::fs::set_permissions(&rustc, std::fs::Permissions::from_mode(0o755)).at("make executable", &rustc)?;
    for entry in std::fs::read_dir(DEBIAN_LIBS).at("read", Path::new(DEBIAN_LIBS))?.flatten() {
        // The host's own libraries, by its triple.
        if entry.path().join("lib").is_dir() && entry.file_name() != TRIPLE {
            let link = staged.join("lib/rustlib").join(entry.file_name());
            symlink(entry.path(), &link).at("link", &link)?;
        }
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<()> {
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir).at("create", dir)?;
    }
    std::fs::write(file, text).at("write", file)
}
