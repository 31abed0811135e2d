//! What the tests over the corpus share: where it lies, and one reading of a body.

use std::path::{Path, PathBuf};

use fleetglass_shared::exposition::{Entry, Format, Mode, ParseError, parse};

/// A folder of the corpus: `FLEETGLASS_CORPUS`, else `shared/corpus` beside the checkout. Says so and gives
/// nothing where it is not there.
pub(crate) fn corpus(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("FLEETGLASS_CORPUS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"), PathBuf::from);
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: no corpus at {} (set FLEETGLASS_CORPUS)", path.display());
    None
}

/// How many samples a body holds and how many faults were read over.
pub(crate) fn read(body: &[u8], format: Format, mode: Mode) -> Result<(usize, usize), ParseError> {
    let mut parser = parse(body, format, mode);
    let mut samples = 0;
    while let Some(entry) = parser.next_entry() {
        samples += usize::from(matches!(entry?, Entry::Sample(_)));
    }
    Ok((samples, parser.warning_count()))
}
