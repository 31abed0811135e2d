//! A data folder copied while a proxy may work in it.
//!
//! The row log goes first: what it had not yet is in the segments that are copied after it, and what is in
//! both is there once when it is read. SQLite's own backup copies its files as they were at one moment.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use rusqlite::{Connection, OpenFlags, backup::Backup};

use crate::data_dir::DataDir;

/// Where databases are, seen from the data folder.
const DATABASES: [&str; 4] = ["", "raw", "5m", "1h"];
const PAGES_AT_ONCE: i32 = 1024;

/// Copies a data folder to one that is not there yet; gives how many files that were.
pub(super) fn backup(from: &Path, to: &Path) -> anyhow::Result<usize> {
    if !from.join("raw").is_dir() {
        bail!("{} is no data folder of Fleetglass: it has no `raw` in it", from.display());
    }
    if to.exists() {
        bail!(
            "{} is there already; name a folder that is not, so that no backup replaces another",
            to.display()
        );
    }
    let made = (|| {
        let mut copied = copy_log(&from.join("log"), &to.join("log"))?;
        for folder in DATABASES {
            copied += copy_databases(&from.join(folder), &to.join(folder))?;
        }
        Ok(copied)
    })();
    if made.is_err() {
        // Half a backup must not look like one.
        let _ = fs::remove_dir_all(to);
    }
    made
}

/// Puts a backup where a proxy will find it; nobody may work there, and nothing may be there.
pub(super) fn restore(from: &Path, to: &Path) -> anyhow::Result<usize> {
    if !from.join("raw").is_dir() {
        bail!("{} is no backup of Fleetglass: it has no `raw` in it", from.display());
    }
    let _data = DataDir::open(to).context("a running proxy takes a backup in with --url")?;
    if to.join("raw").exists() || to.join("log").exists() {
        bail!(
            "{} has history already, which a restore would mix up; name an empty folder, or start the proxy \
             and restore with --url",
            to.display()
        );
    }
    copy_folder(from, to)
}

/// A copy that goes with this.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn of(from: &Path) -> anyhow::Result<Self> {
        if !from.join("raw").is_dir() {
            bail!("{} is no backup of Fleetglass: it has no `raw` in it", from.display());
        }
        let scratch = Self(std::env::temp_dir().join(format!("fleetglass-restore-{}", std::process::id())));
        copy_folder(from, &scratch.0)?;
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy_log(from: &Path, to: &Path) -> anyhow::Result<usize> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let mut copied = 0;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        match fs::copy(&path, to.join(path.file_name().unwrap_or_default())) {
            Ok(_) => copied += 1,
            // It went into segments in this moment, and they are copied after this.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).with_context(|| format!("cannot copy {}", path.display())),
        }
    }
    Ok(copied)
}

fn copy_databases(from: &Path, to: &Path) -> anyhow::Result<usize> {
    if !from.is_dir() {
        return Ok(0);
    }
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let mut copied = 0;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "db") {
            continue;
        }
        let target = to.join(path.file_name().unwrap_or_default());
        let copy = || -> rusqlite::Result<()> {
            let source = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            source.busy_timeout(Duration::from_secs(30))?;
            let mut target = Connection::open(&target)?;
            Backup::new(&source, &mut target)?.run_to_completion(PAGES_AT_ONCE, Duration::ZERO, None)
        };
        copy().with_context(|| format!("cannot copy {}", path.display()))?;
        copied += 1;
    }
    Ok(copied)
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<usize> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let mut copied = 0;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copied += copy_folder(&path, &target)?;
        } else if path.file_name().is_some_and(|name| name != "lock") {
            fs::copy(&path, &target).with_context(|| format!("cannot copy {}", path.display()))?;
            copied += 1;
        }
    }
    Ok(copied)
}
