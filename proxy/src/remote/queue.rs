//! What waits to be sent to one receiver: a bounded log of batches, on the disk where there is a data folder.
//!
//! A batch is what will be sent together, and its end is written down: after a crash the same samples are
//! sent in the same requests, so that a receiver that takes a request whole or not at all never gets a mix
//! of known and new ones. What is sent for good is written down too, after each batch. Samples are on the
//! disk (in the system's cache, which outlives the process) as soon as they are appended.

mod record;
mod segment;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fs, io,
    path::{Path, PathBuf},
};

use fleetglass_shared::{health::UnixMillis, labels::LabelSet};
use record::HEAD;
use segment::{BEGIN, Segment};

use crate::store::{Sample, Tapped};

/// So many segments make the bound: what goes beyond it goes by a segment.
const SEGMENTS: u64 = 16;
/// A record has at most so many samples.
const RECORD_SAMPLES: usize = 8192;
const POSITION: &str = "position";

/// A place in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    segment: u64,
    offset: u64,
}

/// What is sent together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Batch {
    /// Series, each with its samples in the order they were appended in.
    pub(super) series: Vec<(LabelSet, Vec<Sample>)>,
    /// How many samples that is.
    pub(super) samples: usize,
    /// The time of its oldest sample.
    pub(super) oldest: UnixMillis,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Queue {
    folder: Option<PathBuf>,
    bound: u64,
    batch_samples: usize,
    /// The last one grows. Never empty.
    segments: VecDeque<Segment>,
    /// The series of the last segment, by target's and own labels.
    numbers: HashMap<(LabelSet, LabelSet), u32>,
    /// Samples of the batch that has no end yet.
    open: usize,
    /// A write failed, so that series have numbers which are not in the segment: it takes no more.
    torn: bool,
    /// Everything before is sent.
    sent: Position,
    /// The end of the batch that was handed out, and samples of its segment until there.
    handed: Option<(Position, u64)>,
    /// Samples of the first segment that are sent.
    sent_samples: u64,
    /// The series of the segment that is read, so far; and how many of them are those of what is sent.
    series: Vec<LabelSet>,
    sent_series: usize,
    dropped: u64,
}

impl Queue {
    /// The queue of a folder, with all that was appended there and not sent; in memory without one. A batch
    /// ends by itself at `batch_samples`.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub(super) fn open(folder: Option<&Path>, bound: u64, batch_samples: usize) -> io::Result<Self> {
        let mut segments = VecDeque::new();
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
            segments.extend(Segment::of_folder(folder)?);
        }
        let next = segments.back().map_or(1, |last| last.number + 1);
        segments.push_back(Segment::create(folder, next)?);
        let first = Position { segment: segments[0].number, offset: BEGIN };
        let sent = folder.and_then(read_position).map_or(first, |read| read.max(first));
        let mut queue = Self {
            folder: folder.map(Path::to_owned),
            bound,
            batch_samples: batch_samples.max(1),
            segments,
            numbers: HashMap::new(),
            open: 0,
            torn: false,
            sent,
            handed: None,
            sent_samples: 0,
            series: Vec::new(),
            sent_series: 0,
            dropped: 0,
        };
        queue.forget_before(sent.segment);
        if queue.sent.segment != queue.segments[0].number {
            // It is not of these segments.
            queue.sent = Position { segment: queue.segments[0].number, offset: BEGIN };
        }
        queue.read_series_until(queue.sent.offset)?;
        queue.keep_bound();
        Ok(queue)
    }

    /// Appends what was committed, and says whether that ended a batch. The oldest segments go where it is
    /// too much.
    ///
    /// # Errors
    /// The disk's; then nothing, or a part, was appended.
    pub(super) fn append(&mut self, tapped: &Tapped) -> io::Result<bool> {
        let mut ended = false;
        for samples in tapped.samples.chunks(RECORD_SAMPLES) {
            ended |= self.turn_over()?;
            let mut new = Vec::new();
            let numbered: Vec<_> = samples
                .iter()
                .map(|(labels, at, value)| {
                    let next = self.numbers.len() as u32;
                    let number =
                        *self.numbers.entry((tapped.target.clone(), labels.clone())).or_insert_with(|| {
                            new.push(labels.merged(&tapped.target));
                            next
                        });
                    (number, *at, *value)
                })
                .collect();
            let record = record::encode(&new, &numbered);
            let appended = self.last().append(&record, samples.len() as u64);
            if let Err(error) = appended {
                self.torn = true;
                return Err(error);
            }
            self.open += samples.len();
            if self.open >= self.batch_samples {
                self.end_batch()?;
                ended = true;
            }
        }
        self.keep_bound();
        Ok(ended)
    }

    /// Ends the batch that is open, if there is one.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn end_batch(&mut self) -> io::Result<()> {
        if self.open > 0 {
            self.last().append(&record::mark(), 0)?;
            self.open = 0;
        }
        Ok(())
    }

    /// The oldest batch that was not sent; the same one until [`Queue::sent`] is called.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn next(&mut self) -> io::Result<Option<Batch>> {
        loop {
            self.series.truncate(self.sent_series);
            let mut at = self.sent.offset;
            let mut series: BTreeMap<u32, Vec<Sample>> = BTreeMap::new();
            let (mut samples, mut ended) = (0, false);
            while let Some((head, content)) = self.segments[0].record(at)? {
                at += (HEAD + head.content) as u64;
                if head.is_mark() {
                    ended = true;
                    break;
                }
                let Some((new, numbered)) = record::decode(&content) else { break };
                self.series.extend(new);
                samples += u64::from(head.samples);
                for (number, time, value) in numbered {
                    series.entry(number).or_default().push((time, value));
                }
            }
            let last = self.segments.len() == 1;
            if samples > 0 && (ended || !last) {
                self.handed = Some((Position { segment: self.sent.segment, offset: at }, samples));
                return Ok(Some(self.batch(series)));
            }
            if last {
                return Ok(None);
            }
            // Nothing but its end, or what cannot be read: the rest of it is passed over.
            self.dropped += self.segments[0].samples.saturating_sub(self.sent_samples);
            self.leave_segment();
        }
    }

    fn batch(&self, series: BTreeMap<u32, Vec<Sample>>) -> Batch {
        let mut batch = Batch { series: Vec::new(), samples: 0, oldest: UnixMillis::MAX };
        for (number, samples) in series {
            let Some(labels) = self.series.get(number as usize) else { continue };
            batch.samples += samples.len();
            batch.oldest = samples.iter().map(|sample| sample.0).fold(batch.oldest, UnixMillis::min);
            batch.series.push((labels.clone(), samples));
        }
        batch
    }

    /// The batch that was handed out need not be sent again.
    ///
    /// # Errors
    /// That cannot be written down: it would be sent again after a crash, which does no harm.
    pub(super) fn sent(&mut self) -> io::Result<()> {
        let Some((position, samples)) = self.handed.take() else { return Ok(()) };
        if position.segment != self.sent.segment {
            return Ok(()); // It went beyond the bound meanwhile, with its segment.
        }
        self.sent = position;
        self.sent_samples += samples;
        self.sent_series = self.series.len();
        if self.segments.len() > 1 && self.sent.offset >= self.segments[0].length {
            self.leave_segment();
        }
        self.write_position()
    }

    /// Bytes that wait.
    pub(super) fn pending_bytes(&self) -> u64 {
        let all: u64 = self.segments.iter().map(|segment| segment.length - BEGIN).sum();
        all.saturating_sub(self.sent.offset.saturating_sub(BEGIN))
    }

    /// How many samples went beyond the bound, or could not be read, since this was last asked.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// The file that grows, to be brought to the disk.
    pub(super) fn growing(&self) -> Option<fs::File> {
        self.segments.back().and_then(Segment::handle)
    }

    fn last(&mut self) -> &mut Segment {
        // There is always one.
        let last = self.segments.len() - 1;
        &mut self.segments[last]
    }

    /// Begins another segment where the last one is full; that ends its batch.
    fn turn_over(&mut self) -> io::Result<bool> {
        let full = self.torn || self.last().length >= self.bound / SEGMENTS;
        if full {
            self.begin_segment()?;
        }
        Ok(full)
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        let number = self.last().number + 1;
        let segment = Segment::create(self.folder.as_deref(), number)?;
        self.segments.push_back(segment);
        self.numbers.clear();
        (self.open, self.torn) = (0, false);
        Ok(())
    }

    fn keep_bound(&mut self) {
        while self.segments.len() > 1 && self.segments.iter().map(|s| s.length).sum::<u64>() > self.bound {
            let under_way = self.handed.take().map_or(0, |(_, samples)| samples);
            let kept = self.sent_samples + under_way;
            self.dropped += self.segments[0].samples.saturating_sub(kept);
            self.leave_segment();
        }
    }

    /// Goes on with the second segment, and forgets the first.
    fn leave_segment(&mut self) {
        if let Some(second) = self.segments.get(1) {
            self.sent = Position { segment: second.number, offset: BEGIN };
            self.sent_samples = 0;
            self.series.clear();
            self.sent_series = 0;
            self.handed = None;
            self.forget_before(self.sent.segment);
            if let Err(error) = self.write_position() {
                tracing::warn!("remote write: what was sent cannot be written down: {error}");
            }
        }
    }

    fn forget_before(&mut self, number: u64) {
        while self.segments.len() > 1 && self.segments[0].number < number {
            if let Some(segment) = self.segments.pop_front() {
                segment.remove();
            }
        }
    }

    /// The series of the first segment's records before a place, and how many samples those have.
    fn read_series_until(&mut self, place: u64) -> io::Result<()> {
        let mut at = BEGIN;
        while at < place
            && let Some((head, content)) = self.segments[0].record(at)?
        {
            at += (HEAD + head.content) as u64;
            let Some((new, _)) = record::decode(&content).filter(|_| !head.is_mark()) else { continue };
            self.series.extend(new);
            self.sent_samples += u64::from(head.samples);
        }
        self.sent_series = self.series.len();
        // A place within a record is none of ours, and one beyond a torn end is gone.
        self.sent.offset = at;
        Ok(())
    }

    fn write_position(&self) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        // A whole file or the one before: a name is moved, not written over.
        let partial = folder.join(format!("{POSITION}.partial"));
        fs::write(&partial, format!("1 {} {}\n", self.sent.segment, self.sent.offset))?;
        fs::rename(partial, folder.join(POSITION))
    }
}

/// What was written down; nothing where that cannot be read, then all is sent again.
fn read_position(folder: &Path) -> Option<Position> {
    let text = fs::read_to_string(folder.join(POSITION)).ok()?;
    let mut words = text.strip_suffix('\n')?.split(' ').map(str::parse::<u64>);
    let mut word = || words.next()?.ok();
    // The version comes first.
    (word()? == 1).then_some(Position { segment: word()?, offset: word()? })
}

#[cfg(test)]
mod tests;
