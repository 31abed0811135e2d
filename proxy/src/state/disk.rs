//! The connection: opened from a file, made in memory where there is no usable one, and moved between both.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use fleetglass_shared::health::UnixMillis;
use rusqlite::Connection;

use super::{fault::Fault, schema};

/// The name of the state file in the data folder.
pub(super) const FILE: &str = "state.db";
/// A check of a larger file would hold up the start; its faults are found when they are read.
const CHECKED_BYTES: u64 = 64 << 20;
/// So many events come along from a disk that takes no more.
const EVENTS_IN_MEMORY: usize = 100_000;

/// Where the state is now.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) connection: Connection,
    /// The file it belongs into; `None` where it must not be written.
    file: Option<PathBuf>,
    in_memory: bool,
}

/// Why a file cannot be used.
#[derive(Debug)]
enum Refused {
    /// It is not a state file, or a broken one.
    Corrupt(String),
    /// A newer Fleetglass made it.
    Newer(i64),
    /// The system does not let us.
    Unusable(rusqlite::Error),
}

impl Disk {
    /// Opens the state of a data folder; never fails, and says in the log what it had to do instead.
    pub(super) fn open(folder: Option<&Path>, now: UnixMillis) -> rusqlite::Result<Self> {
        let Some(file) = folder.map(|folder| folder.join(FILE)) else {
            return Ok(Self { connection: memory()?, file: None, in_memory: true });
        };
        let refused = match open_file(&file) {
            Ok(connection) => return Ok(Self { connection, file: Some(file), in_memory: false }),
            Err(refused) => refused,
        };
        let kept = match &refused {
            Refused::Unusable(_) => Ok(None),
            Refused::Corrupt(_) => set_aside(&file, "corrupt", now).map(Some),
            Refused::Newer(_) => set_aside(&file, "newer", now).map(Some),
        };
        match (kept, refused) {
            (Ok(Some(aside)), refused) => {
                tracing::error!(
                    "{}: {}; it is kept as {}, and a new one is made",
                    file.display(),
                    words(&refused),
                    aside.display()
                );
                match open_file(&file) {
                    Ok(connection) => Ok(Self { connection, file: Some(file), in_memory: false }),
                    Err(refused) => Self::without(file, &words(&refused)),
                }
            }
            (Ok(None), refused) => Self::without(file, &words(&refused)),
            (Err(error), refused) => {
                tracing::warn!("{} cannot be set aside: {error}", file.display());
                let mut disk = Self::without(file, &words(&refused))?;
                disk.file = None;
                Ok(disk)
            }
        }
    }

    pub(super) fn in_memory(&self) -> bool {
        self.in_memory
    }

    /// Whether it is in memory only for as long as its file cannot be written.
    pub(super) fn may_return(&self) -> bool {
        self.in_memory && self.file.is_some()
    }

    /// In memory, with what can be read of a file that cannot be written.
    fn without(file: PathBuf, why: &str) -> rusqlite::Result<Self> {
        tracing::warn!("{}: {why}; state is kept in memory and lost at the end", file.display());
        let connection = memory()?;
        // A file that is there but was not read must not be written over later.
        let read = !file.exists() || copy_in(&connection, &file).is_ok();
        Ok(Self { connection, file: read.then_some(file), in_memory: true })
    }

    /// Leaves a file that cannot be written, with what it holds.
    pub(super) fn fall_back(&mut self, why: &str) -> rusqlite::Result<()> {
        if let Some(file) = self.file.take() {
            *self = Self::without(file, why)?;
        }
        Ok(())
    }

    /// Sets a file that proves broken aside, and begins a new one.
    pub(super) fn begin_anew(&mut self, now: UnixMillis) -> rusqlite::Result<()> {
        let folder = self.file.as_deref().and_then(Path::parent).map(Path::to_owned);
        // Closed first, so that nothing writes to the file under its new name.
        self.connection = memory()?;
        if let Some(file) = &self.file
            && let Ok(aside) = set_aside(file, "corrupt", now)
        {
            tracing::error!("{} is corrupt; it is kept as {}", file.display(), aside.display());
        }
        *self = Self::open(folder.as_deref(), now)?;
        Ok(())
    }

    /// Writes what is in memory to the file again, if that can be done now.
    pub(super) fn go_back(&mut self) -> bool {
        let Some(file) = self.file.clone().filter(|_| self.in_memory) else { return false };
        let Ok(connection) = open_file(&file) else { return false };
        if copy_out(&self.connection, &file).is_err() {
            return false;
        }
        tracing::info!("{} can be written again", file.display());
        (self.connection, self.in_memory) = (connection, false);
        true
    }
}

fn open_file(file: &Path) -> Result<Connection, Refused> {
    let mut connection = Connection::open(file).map_err(refusal)?;
    let pragma =
        |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(refusal);
    let (owner, version) = (pragma("application_id")?, pragma("user_version")?);
    if owner != i64::from(schema::APPLICATION_ID) && pragma("schema_version")? != 0 {
        return Err(Refused::Corrupt("it is not a state file of Fleetglass".to_owned()));
    }
    if version > schema::VERSION {
        return Err(Refused::Newer(version));
    }
    if std::fs::metadata(file).is_ok_and(|file| file.len() <= CHECKED_BYTES) {
        let found: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(refusal)?;
        if found != "ok" {
            return Err(Refused::Corrupt(found));
        }
    }
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304;",
        )
        .map_err(refusal)?;
    migrate(&mut connection)?;
    Ok(connection)
}

fn memory() -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection).map_err(|refused| match refused {
        Refused::Unusable(error) => error,
        Refused::Corrupt(_) | Refused::Newer(_) => rusqlite::Error::InvalidQuery,
    })?;
    Ok(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), Refused> {
    schema::migrations().to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => refusal(err),
        other => Refused::Corrupt(other.to_string()),
    })
}

fn refusal(error: rusqlite::Error) -> Refused {
    match Fault::of(&error) {
        Fault::Disk | Fault::Busy => Refused::Unusable(error),
        Fault::Corrupt | Fault::Statement => Refused::Corrupt(error.to_string()),
    }
}

fn words(refused: &Refused) -> String {
    match refused {
        Refused::Corrupt(why) => why.replace('\n', ", "),
        Refused::Newer(version) => {
            format!("a newer Fleetglass made it (version {version}, this one knows {})", schema::VERSION)
        }
        Refused::Unusable(error) => error.to_string(),
    }
}

/// Renames the file and its log, so that nothing of it is lost and SQLite still reads it.
fn set_aside(file: &Path, why: &str, now: UnixMillis) -> io::Result<PathBuf> {
    let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(now).unwrap_or_default());
    // Colons are no good in names on other systems.
    let at = humantime::format_rfc3339_millis(at).to_string().replace(':', "-");
    let aside = file.with_file_name(format!("state.{why}-{at}"));
    std::fs::rename(file, &aside)?;
    for end in ["-wal", "-shm"] {
        let beside = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        // There is none where the last run ended well.
        let _ = std::fs::rename(beside(file), beside(&aside));
    }
    Ok(aside)
}

/// Every table of a file into memory, of the events the newest.
fn copy_in(memory: &Connection, file: &Path) -> rusqlite::Result<()> {
    attached(memory, file, |table| {
        let newest = format!(" ORDER BY id DESC LIMIT {EVENTS_IN_MEMORY}");
        let newest = if table == "event" { newest.as_str() } else { "" };
        format!("INSERT INTO main.{table} SELECT * FROM disk.{table}{newest};")
    })
}

/// Every table from memory into a file; its older events stay.
fn copy_out(memory: &Connection, file: &Path) -> rusqlite::Result<()> {
    attached(memory, file, |table| match table {
        "event" => "INSERT INTO disk.event SELECT * FROM main.event \
                    WHERE id > (SELECT coalesce(max(id), 0) FROM disk.event);"
            .to_owned(),
        _ => format!("DELETE FROM disk.{table}; INSERT INTO disk.{table} SELECT * FROM main.{table};"),
    })
}

fn attached(memory: &Connection, file: &Path, copy: impl Fn(&str) -> String) -> rusqlite::Result<()> {
    memory.execute("ATTACH DATABASE ?1 AS disk", [file.to_string_lossy()])?;
    let copied = (|| {
        let mut tables = memory.prepare(
            "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )?;
        let tables = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        let copies: String = tables.iter().map(|table| copy(table)).collect();
        memory.execute_batch(&format!("BEGIN IMMEDIATE; {copies} COMMIT;"))
    })();
    if copied.is_err() && !memory.is_autocommit() {
        let _ = memory.execute_batch("ROLLBACK");
    }
    let _ = memory.execute_batch("DETACH DATABASE disk");
    copied
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn put(disk: &Disk, at: i64) {
        disk.connection
            .execute("INSERT INTO event (at, kind, was, became, text) VALUES (?1, 'start', '', '', '')", [at])
            .unwrap();
    }

    fn times(disk: &Disk) -> Vec<i64> {
        let mut statement = disk.connection.prepare("SELECT at FROM event ORDER BY id").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn aside(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| !name.starts_with("state.db")).collect()
    }

    #[test]
    fn what_is_written_is_there_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(Some(folder.path()), 0).unwrap();
        put(&disk, 5);
        drop(disk);
        let disk = Disk::open(Some(folder.path()), 0).unwrap();
        assert_eq!((times(&disk), disk.in_memory()), (vec![5], false));
        let mode: String =
            disk.connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        assert_eq!(aside(folder.path()), Vec::<String>::new());
    }

    /// How a file is spoilt, and the word it is set aside under.
    type Spoilt<'a> = (&'a str, &'a dyn Fn(&Path));

    #[test]
    fn a_file_that_is_broken_foreign_or_newer_is_set_aside() {
        let spoil: [Spoilt<'_>; 4] = [
            ("corrupt", &|file| std::fs::write(file, b"this is no database at all, whatever it is").unwrap()),
            ("corrupt", &|file| {
                let foreign = Connection::open(file).unwrap();
                foreign.execute_batch("CREATE TABLE theirs (x)").unwrap();
            }),
            ("newer", &|file| {
                drop(Disk::open(file.parent(), 0).unwrap());
                Connection::open(file).unwrap().pragma_update(None, "user_version", 99).unwrap();
            }),
            ("corrupt", &|file| {
                let disk = Disk::open(file.parent(), 0).unwrap();
                (0..2000).for_each(|at| put(&disk, at));
                drop(disk);
                let mut bytes = std::fs::read(file).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle..].fill(0xa5);
                std::fs::write(file, bytes).unwrap();
            }),
        ];
        for (why, spoil) in spoil {
            let folder = tempfile::tempdir().unwrap();
            spoil(&folder.path().join(FILE));
            let disk = Disk::open(Some(folder.path()), 1_700_000_000_123).unwrap();
            assert!(!disk.in_memory() && times(&disk).is_empty());
            assert_eq!(aside(folder.path()), [format!("state.{why}-2023-11-14T22-13-20.123Z")]);
            put(&disk, 1);
        }
    }

    #[test]
    fn a_folder_that_is_none_means_memory() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(Some(&folder.path().join("missing")), 0).unwrap();
        assert!(disk.in_memory() && disk.may_return());
        put(&disk, 1);
        let disk = Disk::open(None, 0).unwrap();
        assert!(disk.in_memory() && !disk.may_return());
    }

    #[test]
    fn from_the_disk_to_memory_and_back_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let mut disk = Disk::open(Some(folder.path()), 0).unwrap();
        put(&disk, 1);
        disk.connection.execute("INSERT INTO node VALUES ('a', 'healthy', 0, NULL, '{}')", []).unwrap();
        disk.fall_back("a test").unwrap();
        assert!(disk.in_memory());
        put(&disk, 2);
        disk.connection.execute("UPDATE node SET status = 'unknown'", []).unwrap();
        assert!(disk.go_back());
        put(&disk, 3);
        drop(disk);
        let disk = Disk::open(Some(folder.path()), 0).unwrap();
        assert_eq!(times(&disk), [1, 2, 3]);
        let status: String =
            disk.connection.query_row("SELECT status FROM node", [], |row| row.get(0)).unwrap();
        assert_eq!(status, "unknown");
    }
}
