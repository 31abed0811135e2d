//! `cargo xtask build`: one binary with the app inside it.

use crate::app::{self, Profile};
use crate::args::Need;
use crate::bench;
use crate::clock::Stopwatch;
use crate::demo;
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use crate::run;
use crate::setup;
use std::process::ExitCode;

/// Builds it; `release` is the one to ship, the other the one `demo` uses.
pub(crate) fn command(release: bool) -> Result<ExitCode> {
    let watch = Stopwatch::start();
    if release {
        self::release()?;
        bench::first_page()?;
    } else {
        demo::prepare(Need::Demo)?;
    }
    let binary = paths::proxy(if release { "release" } else { "debug" });
    let size = std::fs::metadata(&binary).at("read", &binary)?.len();
    println!("build: {} ({:.1} MB) in {watch}", binary.display(), size as f64 / 1e6);
    if !release {
        println!(
            "build: this one reads the app from dist/ at run time; `cargo xtask build --release` puts it inside"
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn release() -> Result<()> {
    let tools = setup::ensure(Need::Release)?;
    app::build(&tools, Profile::Small)?;
    compress()?;
    println!("proxy: cargo build --release …");
    let watch = Stopwatch::start();
    let log = run::log_file(&paths::notes()?, "release")?;
    run::logged("cargo build", &mut run::cargo("build --release --bin fleetglass"), &log, None)?;
    println!("proxy: built in {watch}");
    Ok(())
}

/// Puts a `.br` and a `.gz` beside every file of `dist/` that gets smaller by it. Node's zlib has both,
/// and Node is there for wasm-opt.
fn compress() -> Result<()> {
    let watch = Stopwatch::start();
    let script = paths::root().join("xtask").join("compress.mjs");
    let mut command = run::command("node");
    run::show(command.arg(&script).arg(paths::dist()))
        .map_err(|problem| Problem::new(format!("compressing the app: {problem}")))?;
    println!("app: brotli and gzip made in {watch}");
    Ok(())
}
