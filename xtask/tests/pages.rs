//! The pages of the app stand in three lists: its router, its service worker, and the paths that the server takes for
//! its own. What one knows and another does not fails only where it is needed: without a network, behind a prefix.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

fn text(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(name)).unwrap()
}

/// What stands between two words, for the first time.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from:?}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to:?} after {from:?}")).0
}

/// The strings in a piece of Rust.
fn strings(code: &str) -> impl Iterator<Item = &str> {
    code.split('"').skip(1).step_by(2)
}

/// The pages of the router, without their first slash; `nodes/` and the like have something after it.
fn routed() -> BTreeSet<String> {
    let route = text("frontend/src/route.rs");
    let known = between(&route, "match path {", "Page::Unknown,");
    strings(known).map(|path| path.trim_start_matches('/').to_owned()).collect()
}

/// Those of the worker, in the same words.
fn kept() -> BTreeSet<String> {
    let worker = text("static/sw.js");
    let pattern = between(&worker, "const PAGES = /^(", ")$/;").replace("\\/", "/");
    let mut all = BTreeSet::new();
    for page in pattern.split('|') {
        match page.split_once("(/[^/]+)?") {
            Some((list, "")) => all.extend([list.to_owned(), format!("{list}/")]),
            _ => {
                all.insert(page.replace("[^/]+", ""));
            }
        }
    }
    all
}

#[test]
fn the_worker_knows_every_page_of_the_router_and_no_other() {
    let routed = routed();
    assert!(routed.len() > 12 && routed.contains("nodes/") && routed.contains(""), "{routed:?}");
    assert_eq!(kept(), routed, "`PAGES` in static/sw.js is not what frontend/src/route.rs has");
}

#[test]
fn no_page_is_taken_for_a_prefix() {
    let prefix = text("proxy/src/edge/prefix.rs");
    let own: BTreeSet<&str> = strings(between(&prefix, "const OWN", "];")).collect();
    let routed = routed();
    let first = routed.iter().map(|page| page.split('/').next().unwrap_or_default());
    let missing: Vec<&str> = first.filter(|page| !page.is_empty() && !own.contains(page)).collect();
    assert!(missing.is_empty(), "`OWN` in proxy/src/edge/prefix.rs lacks {missing:?}");
}
