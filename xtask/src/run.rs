//! Child processes: a clean environment, output to a log, a time limit, and errors that show why.

use crate::clock::{Stopwatch, words};
use crate::problem::{AtPath, Problem, Result};
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

/// A command that starts in the checkout, without what `cargo run` told this process about itself:
/// build scripts that watch `CARGO_PKG_*` (ring's does) would run again on every second call.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(crate::paths::root()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(belongs_to_outer_cargo) {
            command.env_remove(name);
        }
    }
    command
}

fn belongs_to_outer_cargo(name: &str) -> bool {
    name == "CARGO"
        || ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// `cargo` with words separated by blanks.
pub(crate) fn cargo(line: &str) -> Command {
    let mut command = command("cargo");
    command.args(line.split_whitespace());
    command
}

/// What a command printed, when it ended well; nothing otherwise.
pub(crate) fn capture(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a command with its output on the screen; anything but success is an error.
pub(crate) fn show(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    succeeded(command, status)
}

/// Runs a command with its output in `log`, saying now and then that it still works, and stops it
/// after `limit`. The error carries the log's last lines.
pub(crate) fn logged(name: &str, command: &mut Command, log: &Path, limit: Option<Duration>) -> Result<()> {
    let file = File::options().create(true).append(true).open(log).at("write", log)?;
    let second = file.try_clone().at("write", log)?;
    command.stdout(file).stderr(second);
    let before = std::fs::metadata(log).map_or(0, |meta| meta.len());
    let watch = Stopwatch::start();
    let mut child = command.spawn().map_err(|error| cannot_start(command, &error))?;
    let mut next_word = Duration::from_secs(60);
    loop {
        let ended = child.try_wait().map_err(|error| cannot_start(command, &error))?;
        if let Some(status) = ended {
            return succeeded(command, status).map_err(|problem| {
                let tail = tail_of(log, before);
                Problem::new(format!("{name}: {problem}\n{tail}"))
                    .fix(format!("the whole log is {}", log.display()))
            });
        }
        let elapsed = watch.elapsed();
        if limit.is_some_and(|limit| elapsed > limit) {
            // Either may fail only because the child has just ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            return Err(Problem::new(format!("{name}: gave up after {}", words(elapsed))));
        }
        if elapsed > next_word {
            next_word += Duration::from_secs(60);
            println!("  … {name}: {}{}", words(elapsed), progress(log, before));
        }
        crate::clock::pause(Duration::from_millis(if elapsed.as_secs() < 2 { 10 } else { 100 }));
    }
}

/// A fresh log file of that name in the cache of tools.
pub(crate) fn log_file(cache: &Path, name: &str) -> Result<PathBuf> {
    let dir = cache.join("logs");
    std::fs::create_dir_all(&dir).at("create", &dir)?;
    let file = dir.join(format!("{name}.log"));
    File::create(&file).at("write", &file)?;
    Ok(file)
}

fn cannot_start(command: &Command, error: &std::io::Error) -> Problem {
    let program = command.get_program().to_string_lossy();
    Problem::new(format!("cannot start `{program}`: {error}"))
        .fix(format!("is `{program}` installed and on PATH?"))
}

fn succeeded(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        Ok(())
    } else {
        Err(Problem::new(format!("`{}` ended with {status}", line(command))))
    }
}

/// The command as one would type it.
pub(crate) fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn text_since(log: &Path, before: u64) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let start = usize::try_from(before).map_or(0, |before| before.min(bytes.len()));
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}

fn tail_of(log: &Path, before: u64) -> String {
    let text = text_since(log, before);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(25)..].iter().map(|line| format!("    {line}\n")).collect()
}

fn progress(log: &Path, before: u64) -> String {
    let text = text_since(log, before);
    match text.lines().filter(|line| line.trim_start().starts_with("Compiling ")).count() {
        0 => String::new(),
        crates => format!(", {crates} crates compiled"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_says_of_this_crate_is_not_handed_on() {
        assert!(belongs_to_outer_cargo("CARGO_PKG_NAME"));
        assert!(belongs_to_outer_cargo("CARGO"));
        for kept in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "CARGO_PROFILE_DEV_DEBUG"] {
            assert!(!belongs_to_outer_cargo(kept), "{kept}");
        }
    }
}
