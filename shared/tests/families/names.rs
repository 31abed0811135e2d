//! Nothing outside a family's folder knows its name.

use std::fs;
use std::path::{Path, PathBuf};

use fleetglass_shared::family::Registry;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        // The simulator speaks the families' dialects: it is a node, not a reader of nodes.
        if path.file_stem().is_some_and(|stem| stem.to_str().unwrap().starts_with("sim")) {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file: without comments, and without the tests at its end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.contains("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn no_familys_name_stands_in_code_outside_its_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in ["shared/src", "proxy/src", "frontend/src"] {
        sources(&root.join(folder), &mut files);
    }
    let files: Vec<_> = files.into_iter().filter(|file| !file.ends_with("tests.rs")).collect();
    assert!(files.len() > 20, "the sources are not where this test looks");
    let registry = Registry::built_in();
    // `generic` is a word of the language as well as a family.
    let names: Vec<_> = registry.names().filter(|name| *name != "generic").collect();
    let mut told = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in code(&text) {
            let line = line.to_lowercase().replace('_', "-");
            if let Some(name) = names.iter().find(|name| line.contains(*name)) {
                told.push(format!("{}:{}: names `{name}`", file.display(), number + 1));
            }
        }
    }
    assert!(told.is_empty(), "put it into shared/families:\n{}", told.join("\n"));
}
