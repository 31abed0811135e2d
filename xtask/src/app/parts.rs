//! After Trunk: cuts the app in two, tells the page where the rest is, and makes both small for a release.

use super::Profile;
use crate::clock::Stopwatch;
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use crate::run;
use crate::setup::Tools;
use crate::split;
use std::path::{Path, PathBuf};

/// What the names of functions hold that the first page does not need.
const REST: [&str; 11] = [
    "::pages::later::",
    "::pages::node::",
    "::pages::alerts::",
    "::pages::alert::",
    "::pages::alarm::",
    "::pages::rules::",
    "::pages::timeline::",
    "::charts::",
    "plotters::",
    "plotters_canvas::",
    "plotters_backend::",
];

/// Where the first part calls the rest.
const DOOR: &str = "::pages::later::later";

/// What `wasm-opt` may use: what rustc's target has switched on.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// The end of the name of the part that is fetched later.
const REST_NAME: &str = "_rest.wasm";

/// Whether a file of `dist/` is the part that is fetched later.
pub(crate) fn is_rest(name: &str) -> bool {
    name.ends_with(REST_NAME)
}

/// Cuts `dist/`'s WebAssembly file in two.
pub(super) fn cut(tools: &Tools, profile: Profile) -> Result<()> {
    let watch = Stopwatch::start();
    let whole = app_file(&paths::dist())?;
    let bytes = std::fs::read(&whole).at("read", &whole)?;
    let Some(parts) = split::split(&bytes, &REST, DOOR)? else {
        return Err(Problem::new("the app's WebAssembly names no function of the later pages")
            .fix("unset CARGO_ENCODED_RUSTFLAGS and RUSTFLAGS: .cargo/config.toml says how names are kept"));
    };
    let name = whole.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let rest_name = name.replace("_bg.wasm", REST_NAME);
    let rest = whole.with_file_name(&rest_name);
    std::fs::write(&whole, &parts.first).at("write", &whole)?;
    std::fs::write(&rest, &parts.rest).at("write", &rest)?;
    if profile == Profile::Small {
        for file in [&whole, &rest] {
            shrink(tools, file)?;
        }
    }
    let page = paths::dist().join("index.html");
    let html = std::fs::read_to_string(&page).at("read", &page)?;
    // The attribute may have lost its quotes where Trunk minifies.
    let Some(at) = html.find("data-js=") else {
        return Err(Problem::new(
            "index.html does not say where the app is: see pattern_script in Trunk.toml",
        ));
    };
    let html = format!("{}data-rest=\"/{rest_name}\" {}", &html[..at], &html[at..]);
    std::fs::write(&page, html).at("write", &page)?;
    println!(
        "app: cut in two, {} functions of {} KB wait for a later page ({watch})",
        parts.functions,
        parts.rest.len() / 1000,
    );
    Ok(())
}

/// The only file that Trunk made of the app's code.
fn app_file(dist: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(dist).at("read", dist)?;
    let files = entries.flatten().map(|entry| entry.path());
    let mut files = files.filter(|file| file.to_string_lossy().ends_with("_bg.wasm"));
    files.next().ok_or_else(|| Problem::new("Trunk left no WebAssembly in dist/"))
}

fn shrink(tools: &Tools, file: &Path) -> Result<()> {
    let program = tools.folders.iter().map(|dir| dir.join("wasm-opt")).find(|file| file.is_file());
    let program =
        program.ok_or_else(|| Problem::new("wasm-opt is not there").fix("cargo xtask setup release"))?;
    let mut command = run::command(program);
    command
        .args(["-Oz", "--converge", "--strip-debug", "--strip-producers"])
        .args(FEATURES)
        .arg(file)
        .arg("-o")
        .arg(file);
    run::show(&mut command).map_err(|problem| Problem::new(format!("wasm-opt: {problem}")))
}
