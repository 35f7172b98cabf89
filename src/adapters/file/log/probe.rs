//! Recovery after a disk failure: the probe, after which the writer may continue.
//!
//! A probe never repeats a sync on a file whose sync failed. A lost file is rebuilt: its acknowledged prefix,
//! checked against its checksums, goes to a new file, which is synced and renamed into place. Then the ballast is
//! laid, and a piece of zeros is written where the next group will stand, and cut off again, durably: no reader
//! takes them for an entry, a crash in between leaves a torn tail. If writing that piece fails for a reason that
//! may concern only this file (a limit of the file's size, a bad place on the disk), the file is sealed where it
//! ends, and a new segment tried: one bad file must not stop the log permanently.

use crate::format::mark::{Mark, read_mark};
use crate::format::reindex::index_segment;
use crate::log::writer::Writer;
use onhand_app::ports::TakenOver;
use onhand_disk::{OpenMode, read_exact_at, replace, reserve, write_all_at};
use std::io;

/// Enough space when this can be written.
static PROBE: [u8; 64 << 10] = [0; 64 << 10];
/// Used where the size of files is limited more tightly.
static SHORT_PROBE: [u8; 4 << 10] = [0; 4 << 10];

impl Writer {
    /// Tests whether the disk works again, and prepares the log for writing.
    ///
    /// # Errors
    /// The error of the disk; nothing may be written before another probe has succeeded.
    pub(crate) fn probe(&mut self) -> io::Result<()> {
        if let Some(tenure) = &self.tenure {
            tenure.lasts()?;
            // A mark whose write failed, and which could not be read back then, has been written after all: other
            // processes have applied the entries that it covers.
            if read_mark(&*self.segments.disk, &self.segments.layout.mark())? > self.durable.sequence() {
                tenure.end()?;
                return Err(io::Error::other(TakenOver));
            }
        }
        self.remove_unrolled()?;
        if self.active.lost {
            self.rebuild()?;
        }
        match self.ballast.lay() {
            // Longer than files may be here; a shorter piece may still fit.
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {}
            laid => laid?,
        }
        // Beside the ballast: the space it was removed for is not meant for entries.
        let tried = self.try_write(&PROBE).or_else(|refused| self.try_elsewhere(refused));
        if tried.is_err() {
            self.ballast.release();
        }
        tried?;
        self.mark = Mark::open(&*self.segments.disk, &self.segments.layout.mark())?;
        self.write_mark(self.durable.sequence())
    }

    /// Removes leftovers of a failed roll under the next segment's name: the log continues without it.
    fn remove_unrolled(&self) -> io::Result<()> {
        let next = self.durable.sequence().plus(1);
        if next == self.active.first {
            return Ok(());
        }
        let (disk, layout) = (&self.segments.disk, &self.segments.layout);
        match disk.remove(&layout.segment(next)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            // Even a removed name may come back before this sync.
            _ => disk.sync_dir(&layout.log()),
        }
    }

    fn rebuild(&mut self) -> io::Result<()> {
        let end = self.active.end;
        let length = usize::try_from(end.length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let path = self.segments.layout.segment(self.active.first);
        let disk = &*self.segments.disk;
        let bytes = read_exact_at(&*disk.open(&path, OpenMode::Read)?, 0, length)?;
        index_segment(&bytes, Some(end)).map_err(|damage| {
            let reason = format!("byte {} of the active segment: {}", damage.offset, damage.reason);
            io::Error::new(io::ErrorKind::InvalidData, reason)
        })?;
        self.active.file = replace(disk, &path, &bytes)?;
        self.set_lost(false);
        reserve(&*self.active.file, self.segment_bytes, end.length);
        Ok(())
    }

    /// Continues in a new file when the active file alone fails.
    fn try_elsewhere(&mut self, refused: io::Error) -> io::Result<()> {
        let next = self.durable.sequence().plus(1);
        let full = matches!(refused.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let too_large = refused.kind() == io::ErrorKind::FileTooLarge;
        let empty = self.active.first == next;
        if full || self.active.lost || empty && !too_large {
            return Err(refused);
        }
        if !empty {
            if too_large {
                self.segment_bytes = self.active.end.length;
            }
            self.roll(next)?;
        }
        // Where file size is limited, a shorter piece must do.
        self.try_write(if too_large { &SHORT_PROBE } else { &PROBE })
    }

    fn try_write(&mut self, piece: &[u8]) -> io::Result<()> {
        let (file, length) = (&*self.active.file, self.active.end.length);
        let written = write_all_at(file, piece, length);
        // Durably: a segment that is sealed here must end here, also after a power cut.
        let cut = file.truncate(length).and_then(|()| file.sync_data());
        self.set_lost(cut.is_err());
        written.and(cut)
    }
}
