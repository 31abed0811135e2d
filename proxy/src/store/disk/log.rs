//! The row log: what is in memory only, so that it is there again after a kill.
//!
//! Rows are appended as they are committed, only what changed since the target's row before, and are on
//! disk a second later, synced every five. A file of the log goes when all its rows are in segments. Each
//! file stands alone: the first row of a target in it names all its series.
//!
//! A file is eight bytes of name and version, then frames: length, CRC-32, and a record ([`Record`]).

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fleetglass_shared::health::UnixMillis;
use fleetglass_shared::labels::LabelSet;
use fleetglass_shared::sample::stale_marker;
use parking_lot::Mutex;

use super::bytes::{put_labels, put_signed, put_varint};

pub(super) const MAGIC: &[u8; 8] = b"FGLOG\0\0\x01";
pub(super) const TARGET: u8 = 1;
pub(super) const ROW: u8 = 2;
pub(super) const TIMED: u8 = 3;
/// A change's kind, in the two low bits of its step.
pub(super) const BY_INTEGER: u64 = 0;
pub(super) const BY_BITS: u64 = 1;
pub(super) const GONE: u64 = 2;

/// A file is closed when it has grown to this.
const FILE_BYTES: u64 = 32 << 20;
/// Bytes that wait for a disk that takes none; beyond it the log begins anew and what waited is only in memory.
const MOST_WAITING: usize = 64 << 20;
/// Integers of which sums and differences are exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What the log knows of a table's last row, so that it writes only what changed.
#[derive(Debug, Default)]
pub(in crate::store) struct Logged {
    /// The file in which the table was named; another one must name it anew.
    file: u64,
    reference: u64,
    /// By column.
    last: Vec<f64>,
}

impl Logged {
    /// The table's columns have other numbers, or it has other labels: name it anew.
    pub(in crate::store) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// A sample with a time of its own: column, time, value.
pub(in crate::store) type TimedSample = (u32, UnixMillis, f64);

/// See the module.
#[derive(Debug)]
pub(in crate::store) struct Log {
    folder: PathBuf,
    /// Taken first, for as long as a write takes.
    io: Mutex<Option<File>>,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// The number of the file that is written, from 1.
    file: u64,
    references: u64,
    waiting: Vec<u8>,
    /// Bytes in the file.
    written: u64,
    /// The next flush begins a new file.
    turn: bool,
}

impl Log {
    /// Goes on in a new file after the newest in the folder.
    pub(super) fn open(folder: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let newest = files(&folder)?.last().map_or(0, |(number, _)| *number);
        let inner = Inner { file: newest + 1, references: 0, waiting: Vec::new(), written: 0, turn: false };
        Ok(Self { folder, io: Mutex::new(None), inner: Mutex::new(inner) })
    }

    /// Appends a row of a table: the value of each column, a stale marker where it is not there. Gives the
    /// number of the file it goes to.
    pub(in crate::store) fn row<'a>(
        &self,
        logged: &mut Logged,
        target: &LabelSet,
        at: UnixMillis,
        ended: bool,
        columns: impl Iterator<Item = (&'a LabelSet, f64)>,
    ) -> u64 {
        let mut inner = self.inner.lock();
        inner.name(logged, target);
        let mut record = vec![ROW];
        put_varint(&mut record, logged.reference);
        put_signed(&mut record, at);
        record.push(u8::from(ended));
        let (mut added, mut changes) = (Vec::new(), Vec::new());
        let (known, mut new, mut before) = (logged.last.len(), 0u64, 0u64);
        for (column, (labels, value)) in columns.enumerate() {
            if column >= known {
                put_labels(&mut added, labels);
                new += 1;
                logged.last.push(stale_marker());
            }
            let last = &mut logged.last[column];
            if last.to_bits() != value.to_bits() {
                let step = column as u64 - before;
                before = column as u64;
                put_change(&mut changes, step, *last, value);
                *last = value;
            }
        }
        put_varint(&mut record, new);
        record.append(&mut added);
        record.append(&mut changes);
        inner.append(&record);
        inner.file
    }

    /// Appends samples that have times of their own. `columns`: the labels of every column of the table.
    pub(in crate::store) fn timed<'a>(
        &self,
        logged: &mut Logged,
        target: &LabelSet,
        columns: impl Iterator<Item = &'a LabelSet>,
        samples: &[TimedSample],
    ) -> u64 {
        let mut inner = self.inner.lock();
        inner.name(logged, target);
        let mut record = vec![TIMED];
        put_varint(&mut record, logged.reference);
        let (mut added, mut new) = (Vec::new(), 0u64);
        for labels in columns.skip(logged.last.len()) {
            put_labels(&mut added, labels);
            new += 1;
            logged.last.push(stale_marker());
        }
        put_varint(&mut record, new);
        record.append(&mut added);
        let mut before = 0;
        for &(column, at, value) in samples {
            put_varint(&mut record, u64::from(column));
            put_signed(&mut record, at - before);
            before = at;
            record.extend_from_slice(&value.to_le_bytes());
        }
        inner.append(&record);
        inner.file
    }

    /// Writes what waits to the file, and makes sure that it is on the disk when `sync`.
    pub(in crate::store) fn flush(&self, sync: bool) -> io::Result<()> {
        let mut io = self.io.lock();
        let mut inner = self.inner.lock();
        if inner.turn || inner.written >= FILE_BYTES {
            // What waits belongs to the old file; a disk that takes nothing must not stop the turn.
            let old = std::mem::take(&mut inner.waiting);
            let written = match io.as_mut() {
                _ if old.is_empty() => Ok(()),
                Some(file) => file.write_all(&old),
                None => self.begin(&mut io, inner.file).and_then(|file| file.write_all(&old)),
            };
            if let (Some(file), true) = (io.as_mut(), written.is_ok()) {
                file.sync_data()?;
            }
            *io = None;
            inner.next();
            written?;
        }
        let waiting = std::mem::take(&mut inner.waiting);
        if waiting.is_empty() && !sync {
            return Ok(());
        }
        let (number, before) = (inner.file, inner.written);
        drop(inner);
        let done = (|| {
            let file = match io.as_mut() {
                Some(file) => file,
                None => self.begin(&mut io, number)?,
            };
            file.write_all(&waiting)?;
            if sync { file.sync_data() } else { Ok(()) }
        })();
        let mut inner = self.inner.lock();
        match &done {
            Ok(()) => inner.written += waiting.len() as u64,
            Err(_) => {
                // Half a frame may be there; what comes goes to another file, and what waited goes along.
                if let Some(file) = io.as_mut() {
                    let good = MAGIC.len() as u64 + before;
                    let _ = file.set_len(good).and_then(|()| file.seek(SeekFrom::Start(good)));
                }
                let mut both = waiting;
                both.append(&mut inner.waiting);
                if both.len() <= MOST_WAITING {
                    inner.waiting = both;
                } else {
                    *io = None;
                    inner.next();
                }
            }
        }
        done
    }

    fn begin<'a>(&self, io: &'a mut Option<File>, number: u64) -> io::Result<&'a mut File> {
        let path = self.folder.join(format!("{number:010}.log"));
        let mut file = File::options().create(true).write(true).truncate(true).open(path)?;
        file.write_all(MAGIC)?;
        Ok(io.insert(file))
    }

    /// Closes the file at the next flush.
    pub(in crate::store) fn turn(&self) {
        let mut inner = self.inner.lock();
        inner.turn = inner.written > 0 || !inner.waiting.is_empty();
    }

    /// The file that is written.
    pub(in crate::store) fn file(&self) -> u64 {
        self.inner.lock().file
    }

    /// Removes the files before this one: all that is in them is in segments.
    pub(super) fn remove_before(&self, number: u64) -> io::Result<()> {
        let current = self.file();
        for (_, path) in files(&self.folder)?.into_iter().filter(|(n, _)| *n < number.min(current)) {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    /// Bytes of all its files.
    pub(super) fn bytes(&self) -> u64 {
        let files = files(&self.folder).unwrap_or_default();
        files.iter().filter_map(|(_, path)| path.metadata().ok()).map(|meta| meta.len()).sum()
    }
}

impl Inner {
    /// Sees to it that the file names the table.
    fn name(&mut self, logged: &mut Logged, target: &LabelSet) {
        if logged.file == self.file {
            return;
        }
        self.references += 1;
        *logged = Logged { file: self.file, reference: self.references, last: Vec::new() };
        let mut record = vec![TARGET];
        put_varint(&mut record, logged.reference);
        put_labels(&mut record, target);
        self.append(&record);
    }

    fn append(&mut self, record: &[u8]) {
        self.waiting.extend_from_slice(&(record.len() as u32).to_le_bytes());
        self.waiting.extend_from_slice(&crc32fast::hash(record).to_le_bytes());
        self.waiting.extend_from_slice(record);
    }

    fn next(&mut self) {
        self.file += 1;
        (self.references, self.written, self.turn) = (0, 0, false);
        self.waiting.clear();
    }
}

fn put_change(out: &mut Vec<u8>, step: u64, last: f64, value: f64) {
    let exact = |value: f64| {
        value.fract() == 0.0 && value.abs() < EXACT && !(value == 0.0 && value.is_sign_negative())
    };
    if value.to_bits() == stale_marker().to_bits() {
        put_varint(out, step << 2 | GONE);
    } else if exact(value) {
        put_varint(out, step << 2 | BY_INTEGER);
        let from = if exact(last) { last as i64 } else { 0 };
        put_signed(out, value as i64 - from);
    } else {
        put_varint(out, step << 2 | BY_BITS);
        out.extend_from_slice(&value.to_le_bytes());
    }
}

/// What an integer change is counted from.
pub(super) fn base(last: f64) -> i64 {
    let exact = last.fract() == 0.0 && last.abs() < EXACT;
    if exact { last as i64 } else { 0 }
}

/// The files of a log, the oldest first.
pub(super) fn files(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".log")?.parse().ok());
        found.extend(number.map(|number| (number, path)));
    }
    found.sort();
    Ok(found)
}
