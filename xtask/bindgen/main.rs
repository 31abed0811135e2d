//! The `wasm-bindgen` program as Trunk calls it, over the library that the official one is made of.
//! `cargo xtask setup` compiles it with the library's version taken from Cargo.lock: a quarter of the
//! work of the official package, whose other two programs bring an HTTP server and an HTTP client.

use std::error::Error;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let (mut input, mut out_dir) = (None, None);
    let mut bindgen = Bindgen::new();
    // The library's own defaults are not those of the official program.
    bindgen.typescript(true).omit_default_module_path(false);
    for word in std::env::args().skip(1) {
        match word.split_once('=').map_or((word.as_str(), ""), |(name, value)| (name, value)) {
            ("--version", _) => {
                println!("wasm-bindgen {}", env!("CARGO_PKG_VERSION"));
                return Ok(());
            }
            ("--target", "web") => drop(bindgen.web(true)?),
            ("--target", "no-modules") => drop(bindgen.no_modules(true)?),
            ("--out-dir", dir) => out_dir = Some(dir.to_owned()),
            ("--out-name", name) => drop(bindgen.out_name(name)),
            ("--keep-debug", _) => drop(bindgen.keep_debug(true)),
            ("--no-demangle", _) => drop(bindgen.demangle(false)),
            ("--no-typescript", _) => drop(bindgen.typescript(false)),
            // The library finds both out by itself.
            ("--reference-types" | "--weak-refs", _) => {}
            (option, _) if option.starts_with('-') => {
                return Err(format!(
                    "this small wasm-bindgen does not know `{word}`; put the official one on PATH: \
                     cargo install wasm-bindgen-cli --version {}",
                    env!("CARGO_PKG_VERSION")
                )
                .into());
            }
            _ => input = Some(word),
        }
    }
    let input = input.ok_or("which wasm file?")?;
    let out_dir = out_dir.ok_or("--out-dir=FOLDER is missing")?;
    bindgen.input_path(input).generate(out_dir)?;
    Ok(())
}
