//! The pushed nodes on the disk: one that fell silent must be missed after a new start too.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use fleetglass_shared::health::UnixMillis;
use serde::{Deserialize, Serialize};

const VERSION: u32 = 1;

/// What is kept of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) id: String,
    pub(super) family: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) interval_ms: Option<i64>,
    pub(super) arrived_at: UnixMillis,
}

#[derive(Serialize, Deserialize)]
struct Document {
    version: u32,
    nodes: Vec<Kept>,
}

/// Where it is in a data folder.
pub(super) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("pushed-nodes.json")
}

/// The nodes of a file; none where it is not there.
///
/// # Errors
/// It cannot be read, or is none of this version.
pub(super) fn read(path: &Path) -> io::Result<Vec<Kept>> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read?,
    };
    let document: Document = serde_json::from_slice(&text)?;
    if document.version != VERSION {
        return Err(io::Error::other(format!("it is of version {}, not {VERSION}", document.version)));
    }
    Ok(document.nodes)
}

/// Writes them: a whole file, or the one before stays.
///
/// # Errors
/// The disk's.
pub(super) fn write(path: &Path, nodes: Vec<Kept>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let partial = path.with_extension("partial");
    fs::write(&partial, serde_json::to_vec(&Document { version: VERSION, nodes })?)?;
    fs::rename(partial, path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_none_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(&folder.path().join("data"));
        assert_eq!(read(&path).unwrap(), []);
        let labels = BTreeMap::from([("region".to_owned(), "eu".to_owned())]);
        let node =
            Kept { id: "a".to_owned(), family: "x".to_owned(), labels, interval_ms: Some(7), arrived_at: 9 };
        write(&path, vec![node.clone()]).unwrap();
        write(&path, vec![node.clone()]).unwrap();
        assert_eq!(read(&path).unwrap(), [node]);
        fs::write(&path, "{\"version\":2,\"nodes\":[]}").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("version 2"));
        fs::write(&path, "{").unwrap();
        assert!(read(&path).is_err());
    }
}
