//! Short names for what JavaScript gives the app. wasm-bindgen ends each with a hash, in the file and in its script, and
//! no packer makes a hash smaller.

use super::bytes::{Cursor, put_counted};
use crate::problem::Result;
use std::collections::BTreeMap;

/// The bytes before the first section: what the file is, and its version.
const HEAD: usize = 8;
const IMPORTS: u8 = 2;
/// Letters of a hash.
const HASH: usize = 16;

/// A file and its script with other names for the same things, and without the script's comments.
pub(crate) fn shortened(wasm: &[u8], script: &str) -> Result<(Vec<u8>, String)> {
    let mut short = BTreeMap::new();
    let mut at = Cursor::new(wasm);
    let mut out = at.take(HEAD)?.to_vec();
    while !at.done() {
        let kind = at.byte()?;
        let section = at.counted()?;
        out.push(kind);
        match kind {
            IMPORTS => put_counted(&mut out, &renamed(section, &mut short)?),
            _ => put_counted(&mut out, section),
        }
    }
    Ok((out, respelled(&without_comments(script), &short)))
}

/// The section of imports with short names, which are noted.
fn renamed(section: &[u8], short: &mut BTreeMap<String, String>) -> Result<Vec<u8>> {
    let mut at = Cursor::new(section);
    let count = at.number()?;
    let mut out = Vec::with_capacity(section.len());
    super::bytes::put(&mut out, count);
    for _ in 0..count {
        put_counted(&mut out, at.counted()?);
        let name = at.name()?;
        let next = format!("i{}", short.len());
        let name = if is_hashed(&name) { short.entry(name).or_insert(next).clone() } else { name };
        put_counted(&mut out, name.as_bytes());
        // Functions only: the splitter says so, too.
        out.push(at.byte()?);
        super::bytes::put(&mut out, at.number()?);
    }
    Ok(out)
}

/// `__wbg_append_0123456789abcdef`
fn is_hashed(name: &str) -> bool {
    let hash = name.strip_prefix("__wb").and_then(|name| name.rsplit_once('_')).map(|(_, hash)| hash);
    hash.is_some_and(|hash| hash.len() == HASH && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// wasm-bindgen writes no text over several lines, and a comment on lines of its own.
fn without_comments(script: &str) -> String {
    let mut left = String::with_capacity(script.len());
    let mut within = false;
    for line in script.lines().map(str::trim) {
        within |= line.starts_with("/**");
        if !within && !line.is_empty() && !line.starts_with("//") {
            left.push_str(line);
            left.push('\n');
        }
        within &= !line.ends_with("*/");
    }
    left
}

/// A script in which each whole word of `short` has its other name.
fn respelled(script: &str, short: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(script.len());
    let mut rest = script;
    while let Some(start) = rest.find(is_letter) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|c| !is_letter(c)).unwrap_or(from.len()));
        out.push_str(before);
        out.push_str(short.get(word).map_or(word, String::as_str));
        rest = after;
    }
    out + rest
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NAME: &str = "__wbg_append_0123456789abcdef";

    fn file(names: &[&str]) -> Vec<u8> {
        let mut section = vec![names.len() as u8];
        for name in names {
            put_counted(&mut section, b"./app_bg.js");
            put_counted(&mut section, name.as_bytes());
            section.extend([0, 7]);
        }
        let mut file = b"\0asm\x01\0\0\0".to_vec();
        file.extend([1, 1, 0]);
        file.push(IMPORTS);
        put_counted(&mut file, &section);
        file
    }

    #[test]
    fn names_with_a_hash_are_short_on_both_sides_and_others_stay() {
        let script =
            format!("/** a\n * {NAME}\n */\n// {NAME}\n    {NAME}: function() {{}},\n{NAME}x, __wbg_plain\n");
        let (wasm, script) = shortened(&file(&[NAME, "__wbg_plain", NAME]), &script).unwrap();
        assert_eq!(wasm, file(&["i0", "__wbg_plain", "i0"]));
        assert_eq!(script, format!("i0: function() {{}},\n{NAME}x, __wbg_plain\n"));
    }

    #[test]
    fn a_file_that_is_cut_off_is_an_error() {
        let whole = file(&[NAME]);
        assert!(shortened(&whole[..whole.len() - 3], "").is_err());
    }
}
