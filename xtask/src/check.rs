//! `cargo xtask check`: formatting, lints for both targets, licences and sources of the dependencies.

use crate::args::Need;
use crate::clock::Stopwatch;
use crate::paths;
use crate::problem::{Problem, Result};
use crate::run;
use crate::setup::{self, Tools, Wasm};
use std::process::{Command, ExitCode};

/// Runs every check, then fails if one did.
pub(crate) fn command() -> Result<ExitCode> {
    let watch = Stopwatch::start();
    let tools = setup::ensure(Need::Check)?;
    let mut failed = Vec::new();
    let mut stage = |name: &'static str, command: &mut Command| {
        let watch = Stopwatch::start();
        println!("── {name}: {}", run::line(command));
        match run::show(command) {
            Ok(()) => println!("   ok, {watch}"),
            Err(problem) => {
                println!("   {problem}");
                failed.push(name);
            }
        }
    };
    stage("format", &mut run::cargo("fmt --all --check"));
    // The app is linted as native code too: its tests are native.
    stage("clippy", &mut run::cargo("clippy --quiet --workspace --all-targets -- -D warnings"));
    stage("clippy for the browser", &mut browser_clippy(&tools)?);
    if paths::find_program(&["cargo-deny"]).is_some() {
        stage("licences", &mut run::cargo("deny --offline check bans licenses sources"));
    } else {
        println!("── licences: skipped, cargo-deny is not installed (cargo install --locked cargo-deny)");
    }
    if failed.is_empty() {
        println!("check: all well, {watch}");
        return Ok(ExitCode::SUCCESS);
    }
    Err(Problem::new(format!("check: {} failed", failed.join(", ")))
        .fix("`cargo fmt --all` mends formatting; the lints say above what they want"))
}

/// Clippy for wasm, with the compiler that builds the app.
fn browser_clippy(tools: &Tools) -> Result<Command> {
    let words = "clippy --quiet --target wasm32-unknown-unknown -p fleetglass-frontend -p fleetglass-shared -- -D warnings";
    let mut command = match tools.wasm {
        // Debian's; the rustup one on PATH would bring its own compiler.
        Wasm::Debian(_) => run::command("/usr/bin/cargo-clippy"),
        Wasm::Rustup | Wasm::Missing => run::command("cargo"),
    };
    command.args(words.split_whitespace());
    tools.wasm.apply(&mut command, &[])?;
    Ok(command)
}
