//! The checkout's source files, read once, and how to look for words in their code.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// One source file.
pub(crate) struct Source {
    /// Path from the checkout's root, with `/`.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) text: String,
}

/// The checkout's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Every Rust, CSS and JavaScript file of the checkout.
pub(crate) fn sources() -> &'static [Source] {
    static ALL: LazyLock<Vec<Source>> = LazyLock::new(|| {
        let mut all = Vec::new();
        for dir in ["shared", "proxy", "frontend", "static", "tests", "xtask"] {
            collect(&root().join(dir), &mut all);
        }
        assert!(all.len() > 20, "found only {} files: is this the checkout?", all.len());
        all
    });
    &ALL
}

fn collect(dir: &Path, all: &mut Vec<Source>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            // Fixtures are other people's words.
            if !["target", "dist", "node_modules", "fixtures", "snapshots"].contains(&name.as_str()) {
                collect(&path, all);
            }
        } else if [".rs", ".css", ".js", ".mjs"].iter().any(|suffix| name.ends_with(suffix)) {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            all.push(Source { name, text: std::fs::read_to_string(&path).unwrap() });
        }
    }
}

impl Source {
    /// `rs`, `css`, `js` or `mjs`.
    pub(crate) fn extension(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or_default()
    }

    /// Whether it lies in that folder of the checkout, at any depth.
    pub(crate) fn is_in(&self, dir: &str) -> bool {
        self.name.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'))
    }

    /// `file:line: text` of each line of code, comments and unit tests left out, that holds `word`
    /// as a word of its own, in any case of letters.
    pub(crate) fn code_lines_with(&self, word: &str) -> Vec<String> {
        self.lines_where(|line| has_word(line, word))
    }

    /// `file:line: text` of each line of code for which `wanted` holds.
    pub(crate) fn lines_where(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        if self.name.ends_with("/tests.rs") || self.name.contains("/tests/") {
            return Vec::new();
        }
        let mut found = Vec::new();
        for (number, line) in (1..).zip(self.text.lines()) {
            let code = line.trim_start();
            if code == "#[cfg(test)]" {
                // By habit the unit tests are the end of a file.
                break;
            }
            let comment = code.starts_with("//")
                || code.starts_with("/*")
                || code.starts_with("* ")
                || code.starts_with("# ");
            if !comment && wanted(code) {
                found.push(format!("{}:{number}: {code}", self.name));
            }
        }
        found
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let (line, word) = (line.to_ascii_lowercase(), word.to_ascii_lowercase());
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    line.match_indices(&word).any(|(at, _)| {
        let ends_open = word.ends_with(|c: char| !c.is_ascii_alphanumeric());
        !joins(line[..at].chars().next_back())
            && (ends_open || !joins(line[at + word.len()..].chars().next()))
    })
}

#[test]
fn a_word_is_found_alone_and_not_inside_another() {
    assert!(has_word("let x = Instant::now();", "Instant::now"));
    assert!(has_word("\"genlayer_up\"", "genlayer"));
    assert!(!has_word("let unpleasant = 1;", "pleasant"));
    assert!(has_word("use fleetglass::store;", "fleetglass::"));
    assert!(!has_word("use fleetglass_shared::store;", "fleetglass::"));
}
