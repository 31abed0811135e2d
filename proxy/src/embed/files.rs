//! The style sheet and the scripts of panels. They are small, need no build, and are always inside the binary; a debug
//! build reads them from the checkout when they are asked for.

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../static/embed"]
struct Static;

/// The colours of the app, light and dark.
const TOKENS: &str = include_str!("../../../static/css/tokens.css");

/// A name, its type, and what it is made of, in their order.
const FILES: [(&str, &str, &[&str]); 3] = [
    ("panel.css", "text/css; charset=utf-8", &["panel.css", "room.css", "chart.css"]),
    ("panel.js", "text/javascript; charset=utf-8", &["stream.js", "panel.js"]),
    ("embed.js", "text/javascript; charset=utf-8", &["embed.js"]),
];

/// A file of panels.
#[derive(Debug)]
pub struct File {
    /// `text/css` or `text/javascript`.
    pub kind: &'static str,
    /// What is in it.
    pub text: Vec<u8>,
    /// Changes with what is in it.
    pub version: String,
}

/// A file by its name.
pub fn file(name: &str) -> Option<File> {
    let (_, kind, parts) = FILES.iter().find(|(own, ..)| *own == name)?;
    let parts: Vec<_> = parts.iter().map(|part| Static::get(part)).collect::<Option<_>>()?;
    let tokens = if *kind == FILES[0].1 { TOKENS } else { "" };
    let text = tokens.bytes().chain(parts.iter().flat_map(|part| part.data.iter().copied())).collect();
    let version = parts.iter().flat_map(|part| part.metadata.sha256_hash()[..4].to_owned());
    Some(File { kind, text, version: version.map(|byte| format!("{byte:02x}")).collect() })
}

/// Where a file is, with its version: it may be kept for ever.
pub(super) fn address(base: &str, name: &str) -> String {
    let version = file(name).map(|file| file.version).unwrap_or_default();
    format!("{base}/embed/files/{name}?v={version}")
}
