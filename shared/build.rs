//! Lists the built-in families and their rules for `include_str!`: their folders are data, so no code may name
//! them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("families");
    println!("cargo::rerun-if-changed={}", folder.display());
    let (mut families, mut rules) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(&folder)? {
        let folder = entry?.path();
        for (name, files) in [("family.toml", &mut families), ("rules.yml", &mut rules)] {
            let file = folder.join(name);
            if file.is_file() {
                files.push(file);
            }
        }
    }
    families.sort();
    rules.sort();
    let mut list = "&[".to_owned();
    for file in &families {
        // Only this file: the fixtures beside it have no place in the binary.
        write!(list, "include_str!({:?}),", file.display().to_string())?;
    }
    list.push(']');
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("families.rs"), list)?;
    let mut list = "&[".to_owned();
    for file in &rules {
        let folder =
            file.parent().and_then(|folder| folder.file_name()).unwrap_or_default().to_string_lossy();
        write!(list, "({folder:?}, include_str!({:?})),", file.display().to_string())?;
    }
    list.push(']');
    fs::write(out.join("rules.rs"), list)?;
    Ok(())
}
