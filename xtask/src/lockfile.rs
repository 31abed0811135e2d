//! Reads from `Cargo.lock` the version of one package: the tools must match the libraries.

use crate::problem::{Problem, Result};

/// The version of the only package called `name` in the text of a `Cargo.lock`.
pub(crate) fn version_of(lock: &str, name: &str) -> Result<String> {
    let wanted = format!("name = \"{name}\"");
    let mut lines = lock.lines();
    while let Some(line) = lines.next() {
        if line.trim() != wanted {
            continue;
        }
        let version = lines.next().and_then(|next| next.trim().strip_prefix("version = \""));
        if let Some(version) = version.and_then(|rest| rest.strip_suffix('"')) {
            return Ok(version.to_owned());
        }
    }
    Err(Problem::new(format!("Cargo.lock names no package {name}"))
        .fix("run `cargo metadata --format-version 1 >/dev/null` to write Cargo.lock anew"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LOCK: &str = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.9\"\n\n\
                        [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\nsource = \"x\"\n";

    #[test]
    fn finds_the_exact_package() {
        assert_eq!(version_of(LOCK, "wasm-bindgen").unwrap(), "0.2.130");
    }

    #[test]
    fn a_missing_package_is_an_error_with_a_way_out() {
        let text = version_of(LOCK, "trunk").unwrap_err().to_string();
        assert!(text.contains("no package trunk") && text.contains("what to do"), "{text}");
    }
}
