//! Reading a log for an audit: entry by entry, skipping from damage to the next segment.

use crate::format::segment::{Damage, Header, Scan, ScanPlace};
use crate::format::segment_end::SegmentEnd;
use crate::reading::archived::{open_archived, open_segment, segment_path};
use crate::upkeep::archive::is_there_twice;
use memchr::memchr;
use onhand_disk::layout::Layout;
use onhand_disk::lines::Lines;
use onhand_disk::{Disk, DiskFile, read_exact_at};
use onhand_domain::{Entry, Sequence, Timestamp};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Reads the segments of a log, from the first one on.
pub(super) struct LogReader<'a> {
    disk: &'a dyn Disk,
    layout: &'a Layout,
    /// The remaining segments, with their numbers.
    firsts: VecDeque<(u64, Sequence)>,
    open: Option<OpenSegment>,
    /// The time of the last entry.
    last_time: Timestamp,
}

/// The segment that is being read.
pub(super) struct OpenSegment {
    pub(super) first: Sequence,
    /// Its path, in `log/` or in the archive.
    pub(super) path: PathBuf,
    /// No other segment follows it.
    pub(super) is_last: bool,
    file: Arc<dyn DiskFile>,
    lines: Source,
    place: ScanPlace,
}

/// The source of the lines of a segment.
enum Source {
    File(Lines),
    /// The readable beginning of a file, and the error that ended it.
    Salvaged(Vec<u8>, io::Error),
}

/// The result of one reading step.
pub(super) enum Step {
    /// A segment with a readable header, and its number.
    Begun(u64, Header),
    /// A segment that is unreadable from its beginning on, and why.
    Unopened { first: Sequence, path: PathBuf, reason: String },
    /// A good line, and the byte at which it begins.
    Entry(u64, Box<Entry>),
    /// Damage; the rest of the segment is skipped.
    Damaged(Damaged),
    /// The end of an intact segment.
    Ended,
}

/// The place at which a segment stops being good.
pub(super) struct Damaged {
    pub(super) damage: Damage,
    /// The batch of an intact later line behind it, if there is one.
    pub(super) later_batch: Option<Sequence>,
    /// Number of bytes from there to the end of the segment.
    pub(super) bytes: u64,
    /// The disk returned an error for these bytes.
    pub(super) unreadable: bool,
    /// The bytes are only the beginning of a line.
    pub(super) cut_off: bool,
}

impl<'a> LogReader<'a> {
    pub(super) fn new(disk: &'a dyn Disk, layout: &'a Layout, firsts: &[Sequence]) -> Self {
        let firsts = (1..).zip(firsts.iter().copied()).collect();
        Self { disk, layout, firsts, open: None, last_time: Timestamp::from_milliseconds(i64::MIN) }
    }

    /// The segment that was begun last, until its end.
    pub(super) fn segment(&self) -> Option<&OpenSegment> {
        self.open.as_ref()
    }

    /// Bytes of the open segment behind its good part.
    pub(super) fn bytes_behind(&self, offset: u64) -> u64 {
        let length = self.open.as_ref().and_then(|open| open.file.len().ok());
        length.map_or(0, |length| length.saturating_sub(offset))
    }

    /// The time of the last entry that was read.
    pub(super) fn last_time(&self) -> Timestamp {
        self.open.as_ref().map_or(self.last_time, |open| open.place.at)
    }

    /// Skips the rest of the open segment; returns the end of its good part.
    pub(super) fn leave(&mut self) -> Option<(OpenSegment, SegmentEnd)> {
        let open = self.open.take()?;
        let end = open.place.end;
        self.last_time = self.last_time.max(open.place.at);
        Some((open, end))
    }

    /// The next step; none at the end of the log.
    pub(super) fn next(&mut self) -> Option<Step> {
        match &mut self.open {
            Some(open) => Some(open.next()),
            None => self.begin(),
        }
    }

    fn begin(&mut self) -> Option<Step> {
        let (number, first) = self.firsts.pop_front()?;
        // As a start does: a copy may have only the beginning of a segment that the archive has as a whole.
        let (path, file) = if is_there_twice(self.disk, self.layout, first).unwrap_or(false) {
            (self.layout.archived(first), open_archived(self.disk, self.layout, first))
        } else {
            let path = segment_path(self.disk, self.layout, first);
            (path, open_segment(self.disk, self.layout, first))
        };
        let header = file.and_then(|file| {
            let mut lines = Lines::new(Arc::clone(&file), 0);
            let line = lines.next_line()?.unwrap_or_default();
            let begun = Scan::begin(line, self.last_time).map(|(header, scan)| (header, scan.place()));
            Ok((file, lines, begun))
        });
        let reason = match header {
            Ok((file, lines, Ok((header, place)))) => {
                let (is_last, lines) = (self.firsts.is_empty(), Source::File(lines));
                self.open = Some(OpenSegment { first, path, is_last, file, lines, place });
                return Some(Step::Begun(number, header));
            }
            Ok((_, _, Err(damage))) => damage.reason,
            Err(error) => unreadable(&error),
        };
        Some(Step::Unopened { first, path, reason })
    }
}

impl OpenSegment {
    fn next(&mut self) -> Step {
        let from = self.place.end.length;
        let line = match &mut self.lines {
            Source::File(lines) => match lines.next_line() {
                Ok(line) => line,
                Err(error) => {
                    self.lines = Source::Salvaged(salvage(&*self.file, from), error);
                    return self.next();
                }
            },
            Source::Salvaged(bytes, _) => {
                let end = memchr(b'\n', bytes).map_or(0, |end| end + 1);
                // At most one frame of an archive, or a few pages.
                let rest = bytes.split_off(end);
                let line = std::mem::replace(bytes, rest);
                return self.salvaged(&line);
            }
        };
        match line {
            Some(line) => match read_line(line, &mut self.place) {
                Ok(entry) => Step::Entry(from, entry),
                Err(damage) => self.damaged(damage),
            },
            None => self.ended(),
        }
    }

    /// The next line of the readable part, or the place at which it ends.
    fn salvaged(&mut self, line: &[u8]) -> Step {
        let from = self.place.end.length;
        let damage = if line.is_empty() {
            let reason = match &self.lines {
                Source::Salvaged(_, error) => unreadable(error),
                Source::File(_) => String::new(),
            };
            Damage { offset: from, sequence: self.place.next, reason }
        } else {
            match read_line(line, &mut self.place) {
                Ok(entry) => return Step::Entry(from, entry),
                Err(damage) => damage,
            }
        };
        let bytes = self.file.len().map_or(0, |length| length.saturating_sub(from));
        Step::Damaged(Damaged { damage, later_batch: None, bytes, unreadable: true, cut_off: false })
    }

    /// The step after the last whole line.
    fn ended(&mut self) -> Step {
        let from = self.place.end.length;
        match self.file.len() {
            Ok(length) if length <= from => Step::Ended,
            _ => self.damaged(Damage {
                offset: from,
                sequence: self.place.next,
                reason: "the line is cut off".to_owned(),
            }),
        }
    }

    /// A damage step, with a later line behind it if there is one.
    fn damaged(&self, damage: Damage) -> Step {
        let from = self.place.end.length;
        let rest = self.file.len().and_then(|length| {
            let length =
                usize::try_from(length.saturating_sub(from)).map_err(|_| io::ErrorKind::OutOfMemory)?;
            read_exact_at(&*self.file, from, length)
        });
        let unreadable = rest.is_err();
        let rest = rest.unwrap_or_else(|_| salvage(&*self.file, from));
        let later_batch = Scan::resume(&rest, self.place).later_batch();
        let cut_off = !unreadable && memchr(b'\n', &rest).is_none();
        Step::Damaged(Damaged { damage, later_batch, bytes: rest.len() as u64, unreadable, cut_off })
    }
}

/// Reads a line with its line feed, and advances `place` behind it.
fn read_line(line: &[u8], place: &mut ScanPlace) -> Result<Box<Entry>, Damage> {
    let mut scan = Scan::resume(line, *place);
    let cut_off = || Damage { offset: 0, sequence: Sequence::START, reason: String::new() };
    let read = scan.next_line()?.ok_or_else(cut_off)?;
    *place = scan.place();
    Ok(Box::new(read.entry))
}

/// The readable bytes of a file from an offset on.
fn salvage(file: &dyn DiskFile, from: u64) -> Vec<u8> {
    let (mut bytes, mut piece) = (Vec::new(), 64 << 10);
    while piece > 0 {
        let mut buffer = vec![0; piece];
        match file.read_at(&mut buffer, from + bytes.len() as u64) {
            Ok(0) => break,
            Ok(read) => bytes.extend(buffer.into_iter().take(read)),
            // A piece may extend past the place at which the readable part ends.
            Err(_) => piece /= 2,
        }
    }
    bytes
}

fn unreadable(error: &io::Error) -> String {
    format!("it cannot be read: {error}")
}
