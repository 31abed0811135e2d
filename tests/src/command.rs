//! The `fleetglass` program, run to its end, and what it said.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// What a command said and how it ended.
#[derive(Clone, Debug)]
pub struct Said {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The binary under test: `FLEETGLASS_BIN`, else the debug build of this checkout.
///
/// # Panics
/// When there is none, with the way to make it.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("FLEETGLASS_BIN") {
        return path.into();
    }
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/debug/fleetglass");
    assert!(
        built.is_file(),
        "no binary to test at {}: run `cargo xtask test --only e2e`, or set FLEETGLASS_BIN",
        built.display()
    );
    built
}

/// A command of the binary, with nothing of the caller's Fleetglass settings in its environment.
pub fn fleetglass(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(args).env("NO_COLOR", "1").stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FLEETGLASS__")) {
        command.env_remove(name);
    }
    command
}

/// Runs the binary to its end.
///
/// # Panics
/// When it cannot be started.
pub fn run(args: &[&str]) -> Said {
    said(
        &fleetglass(args)
            .output()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", binary().display())),
    )
}

/// Runs the binary to its end in a folder, with further environment.
///
/// # Panics
/// When it cannot be started.
pub fn run_in(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Said {
    let output = fleetglass(args).current_dir(folder).envs(environment.iter().copied()).output();
    said(&output.unwrap_or_else(|error| panic!("{} does not start: {error}", binary().display())))
}

/// What a finished process said.
pub fn said(output: &Output) -> Said {
    Said {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
