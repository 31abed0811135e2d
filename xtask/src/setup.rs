//! Finds or installs the tools of a chore. Whatever it installs goes to the user's cache folder,
//! shared by all checkouts, or is a package of the system; never into the checkout.
//!
//! Each piece can tell cheaply whether it is there and right, so a second run only looks. Missing
//! pieces are installed side by side: one is usually downloading while another compiles. A piece is
//! made in a temporary folder and renamed when it works, so an interrupted run leaves nothing half
//! done, and a file lock keeps two runs apart.

mod apt;
mod cargo_tool;
mod npm;
mod wasm;

pub(crate) use npm::modules as node_modules;
pub(crate) use wasm::{TRIPLE, Wasm};

use crate::args::{Need, Suite};
use crate::clock::Stopwatch;
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Something a chore needs on the machine.
trait Piece: Sync {
    /// What it is, with its version.
    fn name(&self) -> String;
    /// Where it is or will be.
    fn place(&self) -> String;
    /// What installing it means, and how long it takes.
    fn cost(&self) -> &'static str;
    /// Whether it is there and of the right version; cheap.
    fn present(&self) -> bool;
    /// Puts it there.
    fn install(&self, cache: &Path) -> Result<()>;
}

/// The tools that build the app, once [`ensure`] has found them.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    /// How to compile for the browser.
    pub(crate) wasm: Wasm,
    /// Folders to put in front of PATH: trunk's, wasm-bindgen's, wasm-opt's.
    pub(crate) folders: Vec<PathBuf>,
}

/// `cargo xtask setup`: everything is said, present or not.
pub(crate) fn command(need: Need) -> Result<ExitCode> {
    let watch = Stopwatch::start();
    let cache = paths::cache()?;
    println!("setup: tools live in {}", cache.display());
    settle(&cache, need, true)?;
    println!("setup: done in {watch}");
    Ok(ExitCode::SUCCESS)
}

/// Makes sure that the tools of a chore are there; says only what it installs.
pub(crate) fn ensure(need: Need) -> Result<Tools> {
    settle(&paths::cache()?, need, false)
}

/// The folder of Lighthouse's packages, installed if need be.
pub(crate) fn lighthouse() -> Result<PathBuf> {
    let cache = paths::cache()?;
    let modules = npm::Modules::lighthouse(&cache)?;
    let place = modules.modules();
    settle_pieces(&cache, &[Box::new(modules) as Box<dyn Piece>], false)?;
    Ok(place)
}

/// How to compile for the browser, installed if need be; `None` when trunk is there, so that nothing is to
/// be gained by compiling the app before it.
pub(crate) fn wasm_before_trunk() -> Result<Option<Wasm>> {
    let cache = paths::cache()?;
    if cargo_tool::trunk(&cache).present() {
        return Ok(None);
    }
    let target: Vec<Box<dyn Piece>> = vec![Box::new(wasm::Target::new(&cache))];
    settle_pieces(&cache, &target, false)?;
    Ok(Some(Wasm::find(&cache)))
}

/// The tools of a chore that are there already; installs nothing and says nothing.
pub(crate) fn found(need: Need) -> Result<Tools> {
    let cache = paths::cache()?;
    match missing(&pieces(&cache, need)?, false).first() {
        Some(piece) => {
            Err(Problem::new(format!("{} is not there yet", piece.name())).fix("cargo xtask setup demo"))
        }
        None => tools(&cache),
    }
}

fn settle(cache: &Path, need: Need, say_all: bool) -> Result<Tools> {
    settle_pieces(cache, &pieces(cache, need)?, say_all)?;
    tools(cache)
}

fn settle_pieces(cache: &Path, pieces: &[Box<dyn Piece>], say_all: bool) -> Result<()> {
    let missing = missing(pieces, say_all);
    if !missing.is_empty() {
        let _lock = lock(cache)?;
        // Another run may have installed them while this one waited for the lock.
        let missing: Vec<_> = missing.into_iter().filter(|piece| !piece.present()).collect();
        install(cache, &missing)?;
    }
    Ok(())
}

fn pieces(cache: &Path, need: Need) -> Result<Vec<Box<dyn Piece>>> {
    let lock = paths::root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&lock).at("read", &lock)?;
    let bindgen = crate::lockfile::version_of(&lock, "wasm-bindgen")?;
    let mut pieces: Vec<Box<dyn Piece>> = Vec::new();
    let (mut app, mut node, mut packages) = (false, false, Vec::new());
    match need {
        Need::Demo => app = true,
        Need::Release => (app, node) = (true, true),
        Need::Check => packages.extend(wasm::clippy_package(cache)),
        Need::Test(Some(Suite::Unit)) => {}
        Need::Test(Some(Suite::EndToEnd)) => {
            app = true;
            packages.extend(peers());
        }
        Need::Test(Some(Suite::Browser)) => {
            (app, node) = (true, true);
            packages.push(apt::CHROMIUM);
        }
        Need::Test(None) | Need::All => {
            (app, node) = (true, true);
            packages.push(apt::CHROMIUM);
            packages.extend(peers());
        }
    }
    if app || need == Need::Check {
        pieces.push(Box::new(wasm::Target::new(cache)));
    }
    if app {
        pieces.push(Box::new(cargo_tool::trunk(cache)));
        pieces.push(Box::new(cargo_tool::wasm_bindgen(cache, &bindgen)));
    }
    if node {
        pieces.push(Box::new(npm::Modules::new(cache)?));
    }
    if !packages.is_empty() {
        pieces.push(Box::new(apt::Packages(packages)));
    }
    Ok(pieces)
}

/// The real peers of the end-to-end tests, unless their tests are switched off.
fn peers() -> Vec<apt::Package> {
    if std::env::var("FLEETGLASS_SKIP_PEERS").is_ok_and(|value| value == "1") {
        return Vec::new();
    }
    apt::PEERS.to_vec()
}

fn missing(pieces: &[Box<dyn Piece>], say_all: bool) -> Vec<&dyn Piece> {
    let present: Vec<bool> = std::thread::scope(|scope| {
        let looks: Vec<_> = pieces.iter().map(|piece| scope.spawn(|| piece.present())).collect();
        looks.into_iter().map(|look| look.join().unwrap_or(false)).collect()
    });
    let mut missing = Vec::new();
    for (piece, present) in pieces.iter().zip(present) {
        if !present {
            missing.push(piece.as_ref());
        } else if say_all {
            println!("  ✓ {}: {}", piece.name(), piece.place());
        }
    }
    missing
}

fn install(cache: &Path, missing: &[&dyn Piece]) -> Result<()> {
    let results: Vec<Result<()>> = std::thread::scope(|scope| {
        let lanes: Vec<_> = missing.iter().map(|piece| scope.spawn(|| install_one(cache, *piece))).collect();
        lanes
            .into_iter()
            .map(|lane| lane.join().unwrap_or_else(|_| Err(Problem::new("set-up crashed"))))
            .collect()
    });
    // Everything that can be installed is; then the first problem ends the run, and all are shown.
    let mut problems: Vec<Problem> = results.into_iter().filter_map(Result::err).collect();
    if problems.is_empty() {
        return Ok(());
    }
    let last = problems.remove(problems.len() - 1);
    for problem in problems {
        eprintln!("\nerror: {problem}");
    }
    Err(last)
}

fn install_one(cache: &Path, piece: &dyn Piece) -> Result<()> {
    println!("  + {}: {}, into {}", piece.name(), piece.cost(), piece.place());
    let watch = Stopwatch::start();
    piece.install(cache)?;
    if !piece.present() {
        return Err(Problem::new(format!(
            "{} was installed, yet it does not answer as it should",
            piece.name()
        ))
        .fix(format!(
            "look at {} and at the logs in {}",
            piece.place(),
            cache.join("logs").display()
        )));
    }
    println!("  ✓ {}: {watch}", piece.name());
    Ok(())
}

fn tools(cache: &Path) -> Result<Tools> {
    let lock = paths::root().join("Cargo.lock");
    let lock = std::fs::read_to_string(&lock).at("read", &lock)?;
    let bindgen = crate::lockfile::version_of(&lock, "wasm-bindgen")?;
    let mut folders = Vec::new();
    folders.extend(cargo_tool::trunk(cache).folder());
    folders.extend(cargo_tool::wasm_bindgen(cache, &bindgen).folder());
    folders.push(node_modules(cache)?.join(".bin"));
    Ok(Tools { wasm: Wasm::find(cache), folders })
}

/// Held until the value is dropped, or this process ends in whatever way.
fn lock(cache: &Path) -> Result<File> {
    let path = cache.join("setup.lock");
    let file = File::options().create(true).append(true).open(&path).at("write", &path)?;
    if file.try_lock().is_err() {
        println!("  … another set-up is at work in {}; waiting for it", cache.display());
        file.lock().at("lock", &path)?;
    }
    Ok(file)
}

/// A folder beside `final_place` to build in, emptied of what an interrupted run left there.
fn staging(final_place: &Path) -> Result<PathBuf> {
    let mut name = final_place.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    let dir = final_place.with_file_name(name);
    remove_dir(&dir)?;
    std::fs::create_dir_all(&dir).at("create", &dir)?;
    Ok(dir)
}

/// Puts a finished staging folder in its final place, in one step.
fn commit(staged: &Path, final_place: &Path) -> Result<()> {
    remove_dir(final_place)?;
    std::fs::rename(staged, final_place).at("move the finished folder to", final_place)
}

fn remove_dir(dir: &Path) -> Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at("remove", dir),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_half_made_folder_is_thrown_away_and_a_finished_one_replaces_the_old() {
        let base = std::env::temp_dir().join(format!("fleetglass-setup-{}", std::process::id()));
        let place = base.join("tool-1.0");
        std::fs::create_dir_all(base.join("tool-1.0.part/rubbish")).unwrap();
        std::fs::create_dir_all(place.join("old")).unwrap();

        let staged = staging(&place).unwrap();
        assert!(!staged.join("rubbish").exists());
        std::fs::write(staged.join("new"), "").unwrap();
        commit(&staged, &place).unwrap();

        assert!(place.join("new").exists() && !place.join("old").exists() && !staged.exists());
        std::fs::remove_dir_all(base).unwrap();
    }
}
