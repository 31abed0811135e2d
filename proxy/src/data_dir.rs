//! The data folder: one process at a time works in it.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// A data folder that is ours while this lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// Locked; the system lets go of it when the process ends, however it ends.
    _lock: File,
}

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// Somebody else works in it.
    #[error(
        "another fleetglass works in {}; stop it, or give this one a folder of its own with [server] data_dir",
        .0.display()
    )]
    Taken(PathBuf),
    /// It cannot be made or written to.
    #[error("cannot write to the data folder {}: {error}", path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl DataDir {
    /// Takes the folder, making it when it is not there.
    ///
    /// # Errors
    /// Another process has it, or it cannot be written to.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let unusable = |error| DataDirError::Unusable { path: path.to_owned(), error };
        fs::create_dir_all(path).map_err(unusable)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::Taken(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataDir::open(&path).unwrap();
        assert_eq!(first.path(), path);
        let words = DataDir::open(&path).unwrap_err().to_string();
        assert!(words.contains("another fleetglass") && words.contains("data_dir"), "{words}");
        drop(first);
        DataDir::open(&path).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let words = DataDir::open(&folder.path().join("file/data")).unwrap_err().to_string();
        assert!(words.contains("file/data"), "{words}");
    }
}
