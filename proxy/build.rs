//! Prepares for the app's files. rust-embed fixes the path of `dist/` when the proxy is compiled, and finds
//! nothing there ever after if the folder did not exist at that moment: so it is made, if need be empty.
//! A release build has the files inside, and is built again when one of them changed or was added.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let dist = Path::new("../dist");
    if let Err(error) = std::fs::create_dir_all(dist) {
        // A read-only checkout still builds; it only has no app.
        println!("cargo::warning=cannot create {}: {error}", dist.display());
    }
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        println!("cargo::rerun-if-changed=../dist");
    }
}
