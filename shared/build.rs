//! Lists the built-in families for `include_str!`: their folders are data, so no code may name them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("families");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut families = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let file = entry?.path().join("family.toml");
        if file.is_file() {
            families.push(file);
        }
    }
    families.sort();
    let mut list = "&[".to_owned();
    for file in &families {
        // Only this file: the fixtures beside it have no place in the binary.
        write!(list, "include_str!({:?}),", file.display().to_string())?;
    }
    list.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("families.rs"), list)?;
    Ok(())
}
