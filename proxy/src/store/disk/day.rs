//! One day of samples: an SQLite file that holds the segments that began on it, and the names of their
//! series. It needs no other file to be read.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use parking_lot::{Mutex, RwLock};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::bytes::{Corrupt, Input, put_labels};
use super::names::{insert_series, series_of};
use super::segment::{self, Segment, Source};

/// `FLGT`, in SQLite's header: whose file it is.
pub(super) const APPLICATION_ID: i64 = 0x464c_4754;
/// The version of the tables below.
pub(super) const VERSION: i64 = 1;
/// The name of the chore in `done`.
const ROLLED_UP: &str = "rolled up";
/// Idle connections that are kept for the next readers.
const KEPT_READERS: usize = 4;

const TABLES: &str = "
    CREATE TABLE target (id INTEGER PRIMARY KEY, labels BLOB NOT NULL UNIQUE) STRICT;
    CREATE TABLE metric (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE series (
        id INTEGER PRIMARY KEY, target INTEGER NOT NULL, metric INTEGER NOT NULL, labels BLOB NOT NULL
    ) STRICT;
    CREATE INDEX series_of ON series (target, metric);
    CREATE TABLE segment (
        id INTEGER PRIMARY KEY, target INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        timed INTEGER NOT NULL, data BLOB NOT NULL
    ) STRICT;
    CREATE TABLE damaged (at INTEGER NOT NULL, reason TEXT NOT NULL, segment BLOB) STRICT;
    CREATE TABLE superseded (segment INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE done (what TEXT PRIMARY KEY) STRICT;
";

/// Why a file of history cannot be used.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum DiskError {
    /// What SQLite says.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// What the bytes say.
    #[error("{0}")]
    Corrupt(#[from] Corrupt),
    /// What the system says.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is somebody else's, or of a later version.
    #[error("{0}")]
    Foreign(String),
}

impl DiskError {
    /// Whether the file itself is to blame, and not the disk or the moment.
    pub(super) fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Corrupt(_) | Self::Foreign(_) => true,
            Self::Sqlite(error) => {
                matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            }
            Self::Io(_) => false,
        }
    }
}

/// One segment, as the index knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct Part {
    pub(super) id: i64,
    pub(super) target: i64,
    pub(super) first: UnixMillis,
    pub(super) last: UnixMillis,
    /// Its samples had times of their own: a series that is not in it is not stale there.
    pub(super) timed: bool,
}

/// A series and its values, one for each row.
pub(in crate::store) type Column = (LabelSet, Vec<f64>);

/// Rows to be written as a segment.
#[derive(Debug)]
pub(in crate::store) struct NewSegment {
    pub(in crate::store) target: LabelSet,
    pub(in crate::store) times: Vec<UnixMillis>,
    pub(in crate::store) columns: Vec<Column>,
    pub(in crate::store) timed: bool,
}

impl NewSegment {
    /// Leaves out the rows before a time.
    pub(super) fn cut_before(&mut self, before: UnixMillis) {
        let first = self.times.partition_point(|at| *at < before);
        self.times.drain(..first);
        self.columns.iter_mut().for_each(|(_, values)| drop(values.drain(..first)));
    }
}

/// See the module.
#[derive(Debug)]
pub(in crate::store) struct Day {
    pub(super) path: PathBuf,
    pub(super) index: RwLock<Index>,
    writer: Mutex<Writer>,
    readers: Mutex<Vec<Connection>>,
    /// Segments were replaced and not yet removed.
    replaced: AtomicBool,
    rolled_up: AtomicBool,
}

/// What is there.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) targets: BTreeMap<i64, LabelSet>,
    /// By instance.
    targets_of: HashMap<String, Vec<i64>>,
    pub(super) parts: HashMap<i64, Vec<Part>>,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    targets: HashMap<LabelSet, i64>,
    /// By target: its series and their ids. Filled when the target is first written to.
    series: HashMap<i64, HashMap<LabelSet, u32>>,
}

impl Day {
    /// Opens the file of a day, or begins it.
    pub(super) fn open(path: &Path) -> Result<Self, DiskError> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        let version = prepare(&mut connection, TABLES, path)?;
        debug_assert_eq!(version, VERSION);
        let index = Index::read(&connection)?;
        let targets = index.targets.iter().map(|(id, labels)| (labels.clone(), *id)).collect();
        let rolled_up =
            connection.query_row("SELECT 1 FROM done WHERE what = ?1", [ROLLED_UP], |_| Ok(())).optional()?;
        Ok(Self {
            path: path.to_owned(),
            rolled_up: AtomicBool::new(rolled_up.is_some()),
            index: RwLock::new(index),
            writer: Mutex::new(Writer { connection, targets, series: HashMap::new() }),
            readers: Mutex::default(),
            // What a kill left behind is looked for once.
            replaced: AtomicBool::new(true),
        })
    }

    /// Writes segments, all or none; they are on the disk when this returns. The index does not know them
    /// before [`Day::publish`].
    pub(super) fn write(&self, segments: &[NewSegment]) -> Result<Vec<Part>, DiskError> {
        let mut writer = self.writer.lock();
        let Writer { connection, targets, series } = &mut *writer;
        let transaction = connection.transaction()?;
        let written = (|| {
            let mut parts = Vec::new();
            for segment in segments {
                parts.push(write_segment(&transaction, targets, series, segment)?);
            }
            Ok::<_, DiskError>(parts)
        })();
        let committed = written.and_then(|parts| transaction.commit().map(|()| parts).map_err(Into::into));
        if committed.is_err() {
            // The ids that were given out are not there.
            series.clear();
            let known = self.index.read();
            *targets = known.targets.iter().map(|(id, labels)| (labels.clone(), *id)).collect();
        }
        committed
    }

    /// Makes a written segment known to readers.
    pub(in crate::store) fn publish(&self, part: Part, target: &LabelSet) {
        let mut index = self.index.write();
        index.add_target(part.target, target);
        index.parts.entry(part.target).or_default().push(part);
    }

    /// The segments of an instance that may hold something of a span, with the labels its target had.
    pub(super) fn parts_of(&self, instance: &str, from: UnixMillis, to: UnixMillis) -> Vec<(LabelSet, Part)> {
        let index = self.index.read();
        let mut found = Vec::new();
        for id in index.targets_of.get(instance).into_iter().flatten() {
            let Some(labels) = index.targets.get(id) else { continue };
            let parts = index.parts.get(id).into_iter().flatten();
            let in_span = parts.filter(|part| part.first <= to && part.last >= from);
            found.extend(in_span.map(|part| (labels.clone(), *part)));
        }
        found
    }

    /// Every target, with its segments.
    pub(super) fn targets(&self) -> Vec<(i64, LabelSet, Vec<Part>)> {
        let index = self.index.read();
        let parts = |id: &i64| index.parts.get(id).cloned().unwrap_or_default();
        index.targets.iter().map(|(id, labels)| (*id, labels.clone(), parts(id))).collect()
    }

    /// A connection that only reads.
    pub(super) fn reader(&self) -> Result<Reader<'_>, DiskError> {
        let kept = self.readers.lock().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => {
                let connection = Connection::open(&self.path)?;
                connection.pragma_update(None, "query_only", true)?;
                connection.busy_timeout(std::time::Duration::from_secs(10))?;
                connection
            }
        };
        Ok(Reader { day: self, connection: Some(connection) })
    }

    /// Puts fewer, longer segments in the place of a target's: readers that began before go on with the old
    /// ones, which [`Day::sweep`] removes.
    pub(super) fn replace(&self, target: i64, old: &[Part], new: &[NewSegment]) -> Result<(), DiskError> {
        let mut writer = self.writer.lock();
        let Writer { connection, targets, series } = &mut *writer;
        let transaction = connection.transaction()?;
        let mut parts = Vec::new();
        for segment in new {
            parts.push(write_segment(&transaction, targets, series, segment)?);
        }
        for part in old {
            transaction.prepare_cached("INSERT INTO superseded VALUES (?1)")?.execute([part.id])?;
        }
        transaction.commit()?;
        let mut index = self.index.write();
        let known = index.parts.entry(target).or_default();
        known.retain(|part| !old.contains(part));
        known.extend(parts);
        self.replaced.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Whether segments were replaced since this was asked last.
    pub(super) fn take_replaced(&self) -> bool {
        self.replaced.swap(false, Ordering::Relaxed)
    }

    /// Removes the segments that were replaced, and gives their room back to the system.
    pub(super) fn sweep(&self) -> Result<(), DiskError> {
        let mut writer = self.writer.lock();
        let transaction = writer.connection.transaction()?;
        let removed =
            transaction.execute("DELETE FROM segment WHERE id IN (SELECT segment FROM superseded)", [])?;
        transaction.execute("DELETE FROM superseded", [])?;
        transaction.commit()?;
        if removed > 0 {
            writer.connection.execute_batch("VACUUM")?;
            writer.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    /// Notes that the day was rolled up, or is to be again.
    pub(super) fn set_rolled_up(&self, done: bool) -> Result<(), DiskError> {
        let sql =
            if done { "INSERT OR IGNORE INTO done VALUES (?1)" } else { "DELETE FROM done WHERE what = ?1" };
        self.writer.lock().connection.execute(sql, [ROLLED_UP])?;
        self.rolled_up.store(done, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the day was rolled up.
    pub(super) fn is_rolled_up(&self) -> bool {
        self.rolled_up.load(Ordering::Relaxed)
    }

    /// Puts a segment that cannot be read aside, where no query meets it.
    pub(super) fn set_aside(&self, part: Part, reason: &str, at: UnixMillis) -> Result<(), DiskError> {
        let mut index = self.index.write();
        if let Some(parts) = index.parts.get_mut(&part.target) {
            parts.retain(|other| other.id != part.id);
        }
        drop(index);
        let mut writer = self.writer.lock();
        let transaction = writer.connection.transaction()?;
        transaction.execute(
            "INSERT INTO damaged SELECT ?1, ?2, data FROM segment WHERE id = ?3",
            params![at, reason, part.id],
        )?;
        transaction.execute("DELETE FROM segment WHERE id = ?1", [part.id])?;
        transaction.commit()?;
        Ok(())
    }
}

/// A connection of a day, which goes back to it.
pub(super) struct Reader<'a> {
    day: &'a Day,
    connection: Option<Connection>,
}

impl Reader<'_> {
    /// The connection.
    pub(super) fn get(&self) -> Result<&Connection, DiskError> {
        // It is only taken when this ends.
        self.connection.as_ref().ok_or(DiskError::Corrupt(Corrupt("a connection was given back too soon")))
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut readers = self.day.readers.lock();
        if let (Some(connection), true) = (self.connection.take(), readers.len() < KEPT_READERS) {
            readers.push(connection);
        }
    }
}

impl Index {
    fn read(connection: &Connection) -> Result<Self, DiskError> {
        let mut index = Self::default();
        let mut targets = connection.prepare("SELECT id, labels FROM target")?;
        let mut rows = targets.query([])?;
        while let Some(row) = rows.next()? {
            let labels = Input(row.get_ref(1)?.as_blob().unwrap_or_default()).labels()?;
            index.add_target(row.get(0)?, &labels);
        }
        let mut segments = connection.prepare(
            "SELECT id, target, first, last, timed FROM segment
             WHERE id NOT IN (SELECT segment FROM superseded)",
        )?;
        let mut rows = segments.query([])?;
        while let Some(row) = rows.next()? {
            let part = Part {
                id: row.get(0)?,
                target: row.get(1)?,
                first: row.get(2)?,
                last: row.get(3)?,
                timed: row.get::<_, i64>(4)? != 0,
            };
            index.parts.entry(part.target).or_default().push(part);
        }
        Ok(index)
    }

    fn add_target(&mut self, id: i64, labels: &LabelSet) {
        if self.targets.insert(id, labels.clone()).is_none() {
            let instance = labels.get("instance").unwrap_or_default().to_owned();
            self.targets_of.entry(instance).or_default().push(id);
        }
    }
}

/// Sets a connection up and makes the tables of a new file.
pub(super) fn prepare(connection: &mut Connection, tables: &str, path: &Path) -> Result<i64, DiskError> {
    let own = |what: &str, connection: &Connection| {
        connection.pragma_query_value(None, what, |row| row.get::<_, i64>(0))
    };
    let (application, version) = (own("application_id", connection)?, own("user_version", connection)?);
    if (application, version) == (0, 0) {
        // Both can only be set before the first table.
        connection.pragma_update(None, "page_size", 8192)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    match (application, version) {
        (0, 0) => {
            let transaction = connection.transaction()?;
            transaction.execute_batch(tables)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", VERSION)?;
            transaction.commit()?;
            Ok(VERSION)
        }
        (APPLICATION_ID, VERSION) => Ok(VERSION),
        (APPLICATION_ID, later) => Err(DiskError::Foreign(format!(
            "{} is of version {later}; this Fleetglass reads version {VERSION}",
            path.display()
        ))),
        _ => Err(DiskError::Foreign(format!("{} is another program's database", path.display()))),
    }
}

fn write_segment(
    transaction: &Transaction<'_>,
    targets: &mut HashMap<LabelSet, i64>,
    series: &mut HashMap<i64, HashMap<LabelSet, u32>>,
    segment: &NewSegment,
) -> Result<Part, DiskError> {
    let target = match targets.get(&segment.target) {
        Some(id) => *id,
        None => {
            let mut labels = Vec::new();
            put_labels(&mut labels, &segment.target);
            transaction.prepare_cached("INSERT INTO target (labels) VALUES (?1)")?.execute([labels])?;
            let id = transaction.last_insert_rowid();
            targets.insert(segment.target.clone(), id);
            id
        }
    };
    let known = match series.entry(target) {
        std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::hash_map::Entry::Vacant(entry) => {
            let all = series_of(transaction, target, &[])?;
            entry.insert(all.into_iter().map(|(id, labels)| (labels, id)).collect())
        }
    };
    let mut columns = Vec::with_capacity(segment.columns.len());
    for (labels, values) in &segment.columns {
        let id = match known.get(labels) {
            Some(id) => *id,
            None => {
                let id = insert_series(transaction, target, labels)?;
                known.insert(labels.clone(), id);
                id
            }
        };
        columns.push((id, values));
    }
    columns.sort_by_key(|(id, _)| *id);
    let columns: Vec<(u32, &[f64])> =
        columns.into_iter().map(|(id, values)| (id, values.as_slice())).collect();
    let data = segment::write(&segment.times, &columns);
    let (first, last) = (segment.times.iter().min(), segment.times.iter().max());
    let (first, last) = (first.copied().unwrap_or_default(), last.copied().unwrap_or_default());
    transaction
        .prepare_cached("INSERT INTO segment (target, first, last, timed, data) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![target, first, last, i64::from(segment.timed), data])?;
    Ok(Part { id: transaction.last_insert_rowid(), target, first, last, timed: segment.timed })
}

/// The bytes of a segment, read where they are.
pub(super) struct Stored<'a>(rusqlite::blob::Blob<'a>);

impl Source for Stored<'_> {
    fn read(&self, at: usize, into: &mut [u8]) -> Result<(), Corrupt> {
        self.0.read_at_exact(into, at).map_err(|_| Corrupt("a segment ends too soon, or cannot be read"))
    }

    fn length(&self) -> usize {
        self.0.len()
    }
}

/// Opens a stored segment.
pub(super) fn open_segment(connection: &Connection, id: i64) -> Result<Segment<Stored<'_>>, DiskError> {
    let blob = connection.blob_open("main", "segment", "data", id, true)?;
    Ok(Segment::open(Stored(blob))?)
}
