//! `cargo xtask demo`: from a clone to a live page in one command.

use crate::app::{self, Profile};
use crate::args::Need;
use crate::clock::Stopwatch;
use crate::paths;
use crate::problem::{Problem, Result};
use crate::run;
use crate::setup;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Sets up, builds the app and the proxy, and becomes the simulated fleet.
pub(crate) fn command(nodes: u32, port: Option<u16>) -> Result<ExitCode> {
    let watch = Stopwatch::start();
    let proxy = prepare(Need::Demo)?;
    println!("demo: ready in {watch}; starting {nodes} simulated nodes");
    let mut command = run::command(&proxy);
    command.args(["demo", "--nodes", &nodes.to_string()]);
    if let Some(port) = port {
        command.args(["--listen", &format!("127.0.0.1:{port}")]);
    }
    // In place of this process: signals reach the fleet alone, and its exit code is ours.
    let error = command.exec();
    Err(Problem::new(format!("cannot start {}: {error}", proxy.display())))
}

/// The tools for `need`, the app in `dist/`, and the proxy, whose path it gives. The proxy needs none of
/// the tools, and the app's code only one, so both compile while the tools do.
pub(crate) fn prepare(need: Need) -> Result<PathBuf> {
    let (built, proxy) = std::thread::scope(|scope| {
        let proxy = scope.spawn(proxy);
        let built = setup::wasm_before_trunk().and_then(|wasm| {
            let ahead = wasm.map(|wasm| scope.spawn(move || app::compile_ahead(&wasm, Profile::Quick)));
            let tools = setup::ensure(need)?;
            if let Some(ahead) = ahead {
                let _ = ahead.join();
            }
            app::build(&tools, Profile::Quick)
        });
        (built, proxy.join().unwrap_or_else(|_| Err(Problem::new("building the proxy crashed"))))
    });
    built?;
    proxy
}

/// Builds the proxy as `demo` and `test` use it, and says where it is.
pub(crate) fn proxy() -> Result<PathBuf> {
    let watch = Stopwatch::start();
    println!("proxy: cargo build …");
    // Every default member is named by not naming one: so the tests find the same features built.
    let mut command = run::cargo("build --bin fleetglass");
    let log = run::log_file(&paths::notes()?, "proxy")?;
    run::logged("cargo build", &mut command, &log, None)?;
    let binary = paths::proxy("debug");
    if !binary.is_file() {
        return Err(Problem::new(format!("cargo built no {}", binary.display())));
    }
    println!("proxy: built in {watch}, {}", relative(&binary));
    Ok(binary)
}

fn relative(path: &Path) -> String {
    path.strip_prefix(paths::root()).unwrap_or(path).display().to_string()
}
