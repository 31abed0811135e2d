//! Holds the rules of ARCHITECTURE.md that a machine can check. Each test collects every offence and
//! lists them as `file:line`, so one run shows all there is to mend.
#![allow(clippy::unwrap_used)]

mod tidy {
    pub(crate) mod licences;
    pub(crate) mod sources;
}

use std::collections::BTreeSet;
use tidy::sources::{Source, root, sources};

/// More is two ideas in one file.
const MOST_LINES: usize = 500;

#[test]
fn every_file_opens_with_what_it_is_for() {
    let opens_well = |source: &Source| match source.extension() {
        "rs" => source.text.starts_with("//! "),
        "css" => source.text.starts_with("/*"),
        _ => source.text.starts_with("//") || source.text.starts_with("/*") || source.text.starts_with("#!"),
    };
    let bad = sources().iter().filter(|source| !opens_well(source)).map(|source| source.name.clone());
    none(bad, "opens with no comment that says what the file is for (`//! …` in Rust)");
}

#[test]
fn no_file_is_two_ideas() {
    let bad = sources()
        .iter()
        .filter(|source| source.text.lines().count() > MOST_LINES)
        .map(|source| format!("{}: {} lines", source.name, source.text.lines().count()))
        .collect::<Vec<_>>();
    none(bad, "has more than 500 lines: split it by ideas");
}

#[test]
fn modules_are_files_beside_their_folder() {
    // In a `tests` folder it is cargo's own way to say "not a test".
    let is_bad = |source: &&Source| source.name.ends_with("/mod.rs") && !source.name.contains("/tests/");
    let bad = sources().iter().filter(is_bad).map(|source| source.name.clone());
    none(bad, "is a mod.rs: `scrape.rs` beside `scrape/` says which module it is");
}

#[test]
fn proxy_and_frontend_know_shared_and_never_each_other() {
    let forbidden = [
        ("shared", vec!["fleetglass_frontend", "fleetglass-frontend", "fleetglass::", "path = \"../proxy\""]),
        ("frontend", vec!["fleetglass::", "path = \"../proxy\"", "fleetglass.workspace", "axum", "tokio"]),
        ("proxy", vec!["fleetglass_frontend", "fleetglass-frontend", "leptos", "web_sys", "wasm_bindgen"]),
    ];
    let mut bad = Vec::new();
    for (krate, words) in forbidden {
        let manifest = std::fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
        let manifest = Source { name: format!("{krate}/Cargo.toml"), text: manifest };
        for source in
            sources().iter().filter(|source| source.is_in(&format!("{krate}/src"))).chain([&manifest])
        {
            bad.extend(words.iter().flat_map(|word| source.code_lines_with(word)));
        }
    }
    none(bad, "names a crate of the other side");
}

/// The proxy's modules from the first of the path to the last; those of one row may know each other.
/// `round` stands where it does because it takes one answer through all stages before it.
const STAGES: [&[&str]; 9] = [
    &["config", "discovery", "target"],
    &["scrape"],
    &["data_dir", "store", "state", "long_term", "query"],
    &["fleet", "live"],
    &["round", "remote"],
    &["notify"],
    &["share", "embed"],
    &["api", "app", "assets"],
    &["serve", "cli"],
];

#[test]
fn a_stage_never_imports_a_later_one() {
    let mut bad = Vec::new();
    for (at, stage) in STAGES.iter().enumerate() {
        let later = STAGES[at + 1..].concat();
        let own = |source: &&Source| {
            let module = source.name.strip_prefix("proxy/src/").unwrap_or_default();
            stage.iter().any(|name| module == format!("{name}.rs") || module.starts_with(&format!("{name}/")))
        };
        for source in sources().iter().filter(own) {
            bad.extend(
                source.lines_where(|line| imports(line).iter().any(|name| later.contains(&name.as_str()))),
            );
        }
    }
    none(bad, "imports a later stage: what both need belongs to the earlier one, or into `shared`");
}

/// The modules of the own crate that a line of code names: `crate::store::X`, `use crate::{clock, live::Y};`.
fn imports(line: &str) -> Vec<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let first = |text: &str| text.trim().chars().take_while(|c| is_name(*c)).collect::<String>();
    line.split("crate::")
        .skip(1)
        .flat_map(|rest| match rest.strip_prefix('{') {
            Some(group) => group.split(',').map(first).collect(),
            None => vec![first(rest)],
        })
        .collect()
}

#[test]
fn imports_are_found_alone_and_in_groups() {
    assert_eq!(imports("use crate::store::Head;"), ["store"]);
    assert_eq!(imports("use crate::{clock, live::Change};"), ["clock", "live"]);
    assert!(imports("use serde::Serialize;").is_empty());
}

#[test]
fn a_family_is_named_in_its_own_folder_only() {
    let families: Vec<String> = std::fs::read_dir(root().join("shared/families"))
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("family.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        // `generic` is the family of nodes without one.
        .filter(|name| name != "generic")
        .collect();
    let spellings =
        families.iter().flat_map(|name| [name.clone(), name.replace('-', "_"), name.replace('-', "")]);
    let spellings: BTreeSet<String> = spellings.collect();
    let bad = sources()
        .iter()
        .filter(|source| {
            ["shared/src", "proxy/src", "frontend/src", "static"].iter().any(|dir| source.is_in(dir))
        })
        .filter(|source| !source.name.starts_with("proxy/src/sim"))
        .flat_map(|source| spellings.iter().flat_map(|name| source.code_lines_with(name)))
        .collect::<Vec<_>>();
    none(bad, "names a family: what is special about it belongs into shared/families/NAME/family.toml");
}

#[test]
fn the_clock_is_read_in_one_file_a_crate() {
    let words = ["SystemTime::now", "Instant::now", "Date::now", "Date::new_0", "performance()"];
    let bad = sources()
        .iter()
        .filter(|source| {
            ["proxy/src", "frontend/src", "shared/src", "xtask/src"].iter().any(|dir| source.is_in(dir))
        })
        .filter(|source| source.is_in("shared/src") || !source.name.ends_with("/clock.rs"))
        .flat_map(|source| words.iter().flat_map(|word| source.code_lines_with(word)))
        // The runtime's clock is an argument of a kind: tests stop it and turn it on.
        .filter(|offence| !offence.contains("tokio::time::Instant::now"))
        .collect::<Vec<_>>();
    none(bad, "reads the clock: take the time as an argument (only clock.rs reads it, and shared never)");
}

#[test]
fn shared_does_no_input_or_output() {
    let words = ["std::fs", "std::net", "std::process", "std::thread", "std::env::var", "tokio::"];
    let bad = sources()
        .iter()
        .filter(|source| source.is_in("shared/src"))
        .flat_map(|source| words.iter().flat_map(|word| source.code_lines_with(word)))
        .collect::<Vec<_>>();
    none(bad, "does input or output: shared is pure, so that the browser can run it");
}

#[test]
fn colours_stand_in_the_tokens_only() {
    let bad = sources()
        .iter()
        .filter(|source| source.extension() == "css" && !source.name.ends_with("/tokens.css"))
        .flat_map(|source| source.lines_where(has_colour))
        .collect::<Vec<_>>();
    none(bad, "has a colour of its own: use a custom property of tokens.css, which knows light and dark");
}

fn has_colour(line: &str) -> bool {
    let hex = |rest: &str| rest.bytes().take_while(u8::is_ascii_hexdigit).count();
    let value = line.split_once(':').map_or("", |(_, value)| value);
    value.split('#').skip(1).any(|rest| [3, 4, 6, 8].contains(&hex(rest)))
        || ["rgb(", "rgba(", "hsl(", "oklch("].iter().any(|function| value.contains(function))
}

#[test]
fn every_dependency_may_be_shipped() {
    none(tidy::licences::offences(), "is under no licence of deny.toml's list");
}

#[test]
fn the_tests_that_the_security_page_names_are_there() {
    let page = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let is_name =
        |text: &&str| text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
    let named = page.split('`').skip(1).step_by(2).filter_map(|text| {
        let name = text.rsplit("::").next()?;
        (text.contains("::") || name.matches('_').count() > 3).then_some(name).filter(is_name)
    });
    let names: BTreeSet<&str> = named.filter(|name| *name != "tests").collect();
    assert!(names.len() > 20, "the page names tests: {names:?}");
    let there = |name: &&&str| sources().iter().any(|source| source.text.contains(&format!("fn {name}(")));
    let gone = names.iter().filter(|name| !there(name)).map(|name| format!("docs/security.md: {name}"));
    none(gone, "names a test that is not there");
}

/// Fails with every offence on a line of its own.
fn none(offences: impl IntoIterator<Item = String>, rule: &str) {
    let all: Vec<String> = offences.into_iter().map(|offence| format!("  {offence}\n")).collect();
    assert!(all.is_empty(), "{} offence(s): {rule}\n{}", all.len(), all.concat());
}
