//! Whether every crate that is compiled here is under a licence of deny.toml's list.

use super::sources::root;
use std::process::Command;

/// `name version: expression` of each crate whose licence is not allowed.
pub(crate) fn offences() -> Vec<String> {
    let allowed = allowed(&std::fs::read_to_string(root().join("deny.toml")).unwrap());
    assert!(allowed.iter().any(|name| name == "MIT"), "deny.toml has no list of licences: {allowed:?}");
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("cargo metadata lists packages");
    packages
        .iter()
        // Our own crates have no source.
        .filter(|package| !package["source"].is_null())
        .filter_map(|package| {
            let expression = package["license"].as_str().unwrap_or("none given");
            let fine = may_use(expression, &allowed);
            (!fine).then(|| format!("{} {}: {expression}", package["name"], package["version"]))
        })
        .collect()
}

fn metadata() -> serde_json::Value {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    // Without the network where everything is there already, which it is after a build.
    for offline in [&["--offline"][..], &[]] {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--filter-platform", &host])
            .args(offline)
            .current_dir(root())
            .output()
            .unwrap();
        if output.status.success() {
            return serde_json::from_slice(&output.stdout).unwrap();
        }
    }
    panic!("cargo metadata failed; is Cargo.lock up to date?");
}

/// The quoted names of `[licenses] allow = [ … ]`.
fn allowed(deny: &str) -> Vec<String> {
    let list = deny.split("[licenses]").nth(1).and_then(|rest| rest.split("allow = [").nth(1));
    let list = list.and_then(|rest| rest.split(']').next()).unwrap_or_default();
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether an SPDX expression leaves a choice that is allowed. `/` is an old way to write OR.
fn may_use(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest, allowed) && rest.is_empty()
}

fn any_of(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut fine = all_of(rest, allowed);
    while take(rest, "OR") {
        fine |= all_of(rest, allowed);
    }
    fine
}

fn all_of(rest: &mut &[&str], allowed: &[String]) -> bool {
    let mut fine = one(rest, allowed);
    while take(rest, "AND") {
        fine &= one(rest, allowed);
    }
    fine
}

fn one(rest: &mut &[&str], allowed: &[String]) -> bool {
    if take(rest, "(") {
        let fine = any_of(rest, allowed);
        return take(rest, ")") && fine;
    }
    let Some((name, tail)) = rest.split_first() else { return false };
    *rest = tail;
    let mut name = (*name).to_owned();
    if take(rest, "WITH")
        && let Some((exception, tail)) = rest.split_first()
    {
        name = format!("{name} WITH {exception}");
        *rest = tail;
    }
    allowed.contains(&name)
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    let there = rest.first() == Some(&word);
    if there {
        *rest = &rest[1..];
    }
    there
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let allowed = ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for fine in [
        "MIT",
        "MIT OR GPL-3.0",
        "MIT/Apache-2.0",
        "(MIT OR GPL-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
    ] {
        assert!(may_use(fine, &allowed), "{fine}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT", "none given", ""] {
        assert!(!may_use(bad, &allowed), "{bad}");
    }
}
