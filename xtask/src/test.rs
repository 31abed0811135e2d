//! `cargo xtask test`: every suite, one stage after the other, and one closing line for all of them.

use crate::args::{Need, Suite};
use crate::clock::Stopwatch;
use crate::demo;
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use crate::run;
use crate::setup;
use crate::tally::{self, Tally};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The crate of end-to-end tests: it needs the real binary.
const END_TO_END: &str = "fleetglass-tests";
const FRONTEND: &str = "fleetglass-frontend";

/// Runs the suites; the exit code is non-zero when one test or one stage failed.
pub(crate) fn command(only: Option<Suite>, filter: Option<&str>) -> Result<ExitCode> {
    let watch = Stopwatch::start();
    let wants = |suite| only.is_none_or(|only| only == suite);
    if only == Some(Suite::Unit) {
        setup::ensure(Need::Test(only))?;
    } else {
        demo::prepare(Need::Test(only))?;
    }

    let mut report = Report::default();
    if wants(Suite::Unit) {
        unit(&mut report, filter)?;
    }
    if wants(Suite::EndToEnd) {
        end_to_end(&mut report, filter)?;
    }
    if wants(Suite::Browser) {
        browser(&mut report, filter)?;
    }
    println!("\n{}tests took {watch}", report.lines);
    println!("tests: {}", report.sum);
    Ok(if report.sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What the stages found so far.
#[derive(Default)]
struct Report {
    sum: Tally,
    lines: String,
}

impl Report {
    /// Runs one stage, with its output on the screen. A stage that fails without saying how many
    /// tests failed counts as one failure: it did not compile, or could not start.
    fn stage(&mut self, name: &str, command: &mut Command) -> Result<()> {
        println!("\n── {name}: {}", run::line(command));
        let watch = Stopwatch::start();
        let (output, ok) = tee(command)?;
        let mut tally = tally::read(&output);
        if !ok && tally.failed == 0 {
            tally.failed = 1;
        }
        self.sum += tally;
        self.lines += &format!("{name:<24} {tally}, {watch}\n");
        Ok(())
    }
}

fn unit(report: &mut Report, filter: Option<&str>) -> Result<()> {
    report.stage("unit", rust_tests(&Selection::AllBut(END_TO_END), filter).arg("--no-fail-fast"))?;
    report.stage("unit, app", rust_tests(&Selection::Only(FRONTEND), filter).arg("--no-fail-fast"))?;
    if filter.is_none() {
        report.stage("examples in the docs", &mut run::cargo("test --doc --quiet --no-fail-fast"))?;
    }
    Ok(())
}

fn end_to_end(report: &mut Report, filter: Option<&str>) -> Result<()> {
    let mut command = rust_tests(&Selection::Only(END_TO_END), filter);
    command.arg("--no-fail-fast").env("FLEETGLASS_BIN", paths::proxy("debug"));
    report.stage("end to end", &mut command)
}

fn browser(report: &mut Report, filter: Option<&str>) -> Result<()> {
    let files: Vec<PathBuf> = browser_files()?
        .into_iter()
        .filter(|file| filter.is_none_or(|filter| file.to_string_lossy().contains(filter)))
        .collect();
    if files.is_empty() {
        return Ok(());
    }
    let mut command = with_browser("debug")?;
    command
        .args(["--test", "--test-reporter=spec", "--test-concurrency=1", "--test-timeout=600000"])
        .args(files);
    report.stage("browser", &mut command)
}

/// Node, which finds Chromium and the binary of that profile.
pub(crate) fn with_browser(profile: &str) -> Result<Command> {
    let mut command = run::command("node");
    command.env("FLEETGLASS_BIN", paths::proxy(profile));
    command.env("FLEETGLASS_NODE_MODULES", setup::node_modules(&paths::cache()?)?);
    if let Some(chromium) = paths::find_program(&["chromium", "chromium-browser", "google-chrome"]) {
        command.env("FLEETGLASS_CHROMIUM", chromium);
    }
    Ok(command)
}

fn browser_files() -> Result<Vec<PathBuf>> {
    let dir = paths::root().join("tests").join("browser");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir)
        .at("read", &dir)?
        .flatten()
        .map(|entry| entry.path())
        .filter(|file| file.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    Ok(files)
}

enum Selection {
    /// The default members without this one.
    AllBut(&'static str),
    /// One package.
    Only(&'static str),
}

/// nextest where it is installed, else cargo's own runner. With nextest the default members are built
/// as one, whatever is run of them, so no crate is compiled twice with other features.
fn rust_tests(selection: &Selection, filter: Option<&str>) -> Command {
    let nextest = paths::find_program(&["cargo-nextest"]).is_some();
    let mut command =
        if nextest { run::cargo("nextest run --no-tests=pass") } else { run::cargo("test --quiet") };
    match (selection, nextest) {
        (Selection::Only(FRONTEND), _) => {
            command.args(["-p", FRONTEND]);
        }
        (Selection::AllBut(package), true) => {
            command.args(["-E", &expression(&format!("not package({package})"), filter)]);
        }
        (Selection::Only(package), true) => {
            command.args(["-E", &expression(&format!("package({package})"), filter)]);
        }
        (Selection::AllBut(package), false) => {
            command.args(["--workspace", "--all-targets", "--exclude", package, "--exclude", FRONTEND]);
        }
        (Selection::Only(package), false) => {
            command.args(["-p", package]);
        }
    }
    if let Some(filter) = filter
        && (!nextest || matches!(selection, Selection::Only(FRONTEND)))
    {
        command.arg(filter);
    }
    command
}

fn expression(packages: &str, filter: Option<&str>) -> String {
    match filter {
        Some(filter) => format!("{packages} & test({filter})"),
        None => packages.to_owned(),
    }
}

/// Runs a command, its output both on the screen and in the answer.
fn tee(command: &mut Command) -> Result<(String, bool)> {
    let name = run::line(command);
    let start = |error| Problem::new(format!("cannot start `{name}`: {error}"));
    let (reader, writer) = std::io::pipe().map_err(|error| Problem::new(format!("no pipe: {error}")))?;
    let second = writer.try_clone().map_err(|error| Problem::new(format!("no pipe: {error}")))?;
    let mut child = command.stdout(Stdio::from(writer)).stderr(Stdio::from(second)).spawn().map_err(start)?;
    // The command keeps the pipe's other end open; it is closed here so that reading ends.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut all = String::new();
    let mut lines = BufReader::new(reader);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        all.push_str(&text);
        line.clear();
    }
    let status = child.wait().at("wait for", Path::new("the test runner"))?;
    Ok((all, status.success()))
}
