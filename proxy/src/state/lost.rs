//! Whether there are users in a data folder: looked for beside a running proxy, and in files that were set aside.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

/// Whether a data folder has users, also while a proxy works in it. What cannot be read has none.
pub fn has_users(folder: &Path) -> bool {
    has_users_in(&folder.join(super::disk::FILE))
}

/// A state file with users that was set aside as broken or newer, if there is one in a data folder.
pub fn users_set_aside(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut aside = files.filter(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let is_aside = ["state.corrupt-", "state.newer-"].iter().any(|start| name.starts_with(start));
        is_aside && !name.ends_with("-wal") && !name.ends_with("-shm")
    });
    aside.find(|file| has_users_in(file))
}

fn has_users_in(file: &Path) -> bool {
    let count = || -> rusqlite::Result<i64> {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.query_row("SELECT count(*) FROM user", [], |row| row.get(0))
    };
    count().is_ok_and(|count| count > 0)
}
