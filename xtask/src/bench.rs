//! `cargo xtask bench`: what the first page weighs, and how fast the hot paths are.

mod peer;
mod promql;

use crate::args::{Bench, Need, Suite};
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use crate::{app, build, run, setup, test};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

/// What the first page may weigh with brotli.
const LIMIT: u64 = 200_000;

/// Programs that measure, one a hot path: package and example.
const EXAMPLES: [(&str, &str); 3] =
    [("fleetglass-shared", "bench_exposition"), ("fleetglass", "bench_store"), ("fleetglass", "bench_rules")];

/// Builds what is shipped and measures it, or only one thing.
pub(crate) fn command(only: Option<Bench>) -> Result<ExitCode> {
    match only {
        Some(Bench::Promql) => return promql::command().map(|()| ExitCode::SUCCESS),
        Some(Bench::History) => return history().map(|()| ExitCode::SUCCESS),
        Some(Bench::Rules) => return example("fleetglass", "bench_rules").map(|()| ExitCode::SUCCESS),
        Some(Bench::Alerts) => {
            build::command(true)?;
            return browser("alerts").map(|()| ExitCode::SUCCESS);
        }
        Some(Bench::Phone) => {
            build::command(true)?;
            return browser("phone").map(|()| ExitCode::SUCCESS);
        }
        None => {}
    }
    // The table of the first page is part of what it prints.
    build::command(true)?;
    for (package, example) in EXAMPLES {
        let folder = package.trim_start_matches("fleetglass-").replace("fleetglass", "proxy");
        if paths::root().join(folder).join("examples").join(format!("{example}.rs")).is_file() {
            self::example(package, example)?;
        }
    }
    peer::command()?;
    promql::command()?;
    history()?;
    browser("alerts")?;
    browser("phone")?;
    Ok(ExitCode::SUCCESS)
}

/// In the browser, with what is shipped: how soon an alert is there, or a slow phone.
fn browser(what: &str) -> Result<()> {
    println!("\n── {what} in the browser");
    setup::ensure(Need::Test(Some(Suite::Browser)))?;
    let mut command = test::with_browser("release")?;
    if what == "phone" {
        command.env("FLEETGLASS_LIGHTHOUSE", setup::lighthouse()?);
    }
    run::show(command.arg(paths::root().join("tests/browser").join(format!("bench-{what}.mjs"))))
}

fn example(package: &str, example: &str) -> Result<()> {
    println!("\n── {example}");
    run::show(&mut run::cargo(&format!("run --quiet --release -p {package} --example {example}")))
}

/// Bytes a sample, memory, and a chart of 90 days; beside Prometheus's blocks where it is installed.
fn history() -> Result<()> {
    println!("\n── history");
    let mut command = run::cargo("run --quiet --release -p fleetglass --example bench_history --");
    let programs = ["promtool", "prometheus"].map(|name| paths::find_program(&[name]));
    command.args(programs.into_iter().flatten());
    run::show(&mut command)
}

/// Prints a line for each file that the first page needs, and their sum.
pub(crate) fn first_page() -> Result<()> {
    let dist = paths::dist();
    let mut sum = 0;
    println!("\nfirst page: file, plain bytes, brotli bytes");
    let page = dist.join("index.html");
    let fetched_later = app::fetched_later(&std::fs::read_to_string(&page).at("read", &page)?);
    let (later, needed): (Vec<String>, Vec<String>) =
        needed(&dist, &fetched_later)?.into_iter().partition(|name| fetched_later.contains(name));
    let line = |name: &str| -> Result<u64> {
        let plain = size(&dist.join(name))?;
        let brotli = size(&dist.join(format!("{name}.br"))).unwrap_or(plain);
        println!("  {name:<48} {plain:>9} {brotli:>9}");
        Ok(brotli)
    };
    for name in needed {
        sum += line(&name)?;
    }
    let verdict = if sum <= LIMIT { "within" } else { "ABOVE" };
    println!("  {:<48} {:>9} {sum:>9}  {verdict} the limit of {LIMIT}", "sum", "");
    println!("fetched when another page is about to be opened:");
    for name in later {
        line(&name)?;
    }
    Ok(())
}

/// `index.html` and every file of `dist` whose name occurs in a needed page, script or style sheet; what those name
/// that are fetched later comes later, too.
fn needed(dist: &Path, later: &[String]) -> Result<BTreeSet<String>> {
    let mut all = Vec::new();
    list(dist, dist, &mut all)?;
    if !all.iter().any(|name| name == "index.html") {
        return Err(Problem::new("dist/ holds no app").fix("cargo xtask build --release"));
    }
    let mut needed = BTreeSet::new();
    let mut open = vec!["index.html".to_owned()];
    while let Some(name) = open.pop() {
        if !needed.insert(name.clone()) || !is_text(&name) || later.contains(&name) {
            continue;
        }
        let file = dist.join(&name);
        let text = String::from_utf8_lossy(&std::fs::read(&file).at("read", &file)?).into_owned();
        open.extend(
            all.iter().filter(|other| text.contains(base(other)) && !needed.contains(*other)).cloned(),
        );
    }
    Ok(needed)
}

fn list(root: &Path, dir: &Path, all: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(dir).at("read", dir)?.flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(root, &path, all)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            if !name.ends_with(".br") && !name.ends_with(".gz") {
                all.push(name);
            }
        }
    }
    Ok(())
}

fn base(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn is_text(name: &str) -> bool {
    [".html", ".js", ".css"].iter().any(|suffix| name.ends_with(suffix))
}

fn size(file: &Path) -> Result<u64> {
    Ok(std::fs::metadata(file).at("read", file)?.len())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_page_is_what_the_html_leads_to() {
        let dist = std::env::temp_dir().join(format!("fleetglass-bench-{}", std::process::id()));
        std::fs::create_dir_all(dist.join("icons")).unwrap();
        let files = [
            ("index.html", "<script src='/app-1.js'></script><link href='/icons/a.svg'>"),
            ("app-1.js", "fetch('app-1_bg.wasm'), import('later.js')"),
            ("app-1_bg.wasm", "other.png"),
            ("icons/a.svg", "<svg/>"),
            ("other.png", ""),
            ("later.js", "'worker.js'"),
            ("worker.js", ""),
            ("index.html.br", ""),
        ];
        for (name, text) in files {
            std::fs::write(dist.join(name), text).unwrap();
        }
        let names: Vec<String> = needed(&dist, &["later.js".to_owned()]).unwrap().into_iter().collect();
        assert_eq!(names, ["app-1.js", "app-1_bg.wasm", "icons/a.svg", "index.html", "later.js"]);
        std::fs::remove_dir_all(dist).unwrap();
    }
}
