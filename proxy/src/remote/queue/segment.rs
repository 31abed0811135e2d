//! A segment: records one after the other in a file, or in memory where there is no data folder.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::record::{HEAD, Head, MAGIC};

/// See the module.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    log: Log,
    /// Bytes, the magic ones among them.
    pub(super) length: u64,
    /// Samples in all its records.
    pub(super) samples: u64,
}

#[derive(Debug)]
enum Log {
    Disk(File, PathBuf),
    Memory(Vec<u8>),
}

/// Where the first record is.
pub(super) const BEGIN: u64 = MAGIC.len() as u64;

const ENDING: &str = "segment";

impl Segment {
    /// A new one, in a folder or in memory.
    pub(super) fn create(folder: Option<&Path>, number: u64) -> io::Result<Self> {
        let log = match folder {
            None => Log::Memory(MAGIC.to_vec()),
            Some(folder) => {
                let path = folder.join(format!("{number:010}.{ENDING}"));
                let mut file =
                    File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
                file.write_all(MAGIC)?;
                Log::Disk(file, path)
            }
        };
        Ok(Self { number, log, length: BEGIN, samples: 0 })
    }

    /// The segments of a folder, in order. What follows the first bad record of one, a torn write, is not
    /// part of it; a file that is no segment of ours is left alone.
    pub(super) fn of_folder(folder: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            if let Some(number) = number.filter(|_| path.extension().is_some_and(|end| end == ENDING))
                && let Some(segment) = Self::open(path, number)?
            {
                found.push(segment);
            }
        }
        found.sort_by_key(|segment| segment.number);
        Ok(found)
    }

    fn open(path: PathBuf, number: u64) -> io::Result<Option<Self>> {
        let file = File::options().read(true).write(true).open(&path)?;
        let size = file.metadata()?.len();
        let mut segment = Self { number, log: Log::Disk(file, path), length: size, samples: 0 };
        let mut magic = [0; MAGIC.len()];
        if size < BEGIN || segment.read(0, &mut magic).is_err() || magic != *MAGIC {
            return Ok(None);
        }
        let mut at = BEGIN;
        while let Some((head, _)) = segment.record(at)? {
            segment.samples += u64::from(head.samples);
            at += (HEAD + head.content) as u64;
        }
        if at < size
            && let Log::Disk(_, path) = &segment.log
        {
            tracing::warn!("{}: the last {} bytes are torn and left out", path.display(), size - at);
        }
        segment.length = at;
        Ok(Some(segment))
    }

    /// Adds records.
    pub(super) fn append(&mut self, records: &[u8], samples: u64) -> io::Result<()> {
        match &mut self.log {
            Log::Memory(bytes) => bytes.extend(records),
            Log::Disk(file, _) => {
                // A write that failed half way is overwritten by the next.
                file.seek(SeekFrom::Start(self.length))?;
                file.write_all(records)?;
            }
        }
        self.length += records.len() as u64;
        self.samples += samples;
        Ok(())
    }

    /// The record at a place, with its content; `None` at the end and where there is none.
    pub(super) fn record(&mut self, at: u64) -> io::Result<Option<(Head, Vec<u8>)>> {
        let mut head = [0; HEAD];
        if at + HEAD as u64 > self.length {
            return Ok(None);
        }
        self.read(at, &mut head)?;
        let Some(head) = Head::read(&head) else { return Ok(None) };
        if at + (HEAD + head.content) as u64 > self.length {
            return Ok(None);
        }
        let mut content = vec![0; head.content];
        self.read(at + HEAD as u64, &mut content)?;
        Ok(head.fits(&content).then_some((head, content)))
    }

    fn read(&mut self, at: u64, into: &mut [u8]) -> io::Result<()> {
        match &mut self.log {
            Log::Memory(bytes) => {
                let found = usize::try_from(at).ok().and_then(|at| bytes.get(at..at + into.len()));
                into.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
            Log::Disk(file, _) => {
                file.seek(SeekFrom::Start(at))?;
                file.read_exact(into)
            }
        }
    }

    /// Another handle of its file, to bring it to the disk without holding anybody up.
    pub(super) fn handle(&self) -> Option<File> {
        match &self.log {
            Log::Disk(file, _) => file.try_clone().ok(),
            Log::Memory(_) => None,
        }
    }

    /// Takes it off the disk.
    pub(super) fn remove(self) {
        if let Log::Disk(file, path) = self.log {
            drop(file);
            if let Err(error) = fs::remove_file(&path) {
                tracing::warn!("{} cannot be removed: {error}", path.display());
            }
        }
    }
}
