//! The way back after the disk has refused: the probe, after which the writer may go on.
//!
//! A probe never repeats a sync on a file whose sync failed. A file that is lost is rebuilt: its acknowledged prefix, held
//! against its checksums, goes to a new file, which is synced and renamed into place. Then the ballast is laid, and a piece
//! of zeros is written where the next group will stand, and cut off again, durably: no reader takes them for an entry, a
//! crash in between leaves a torn tail. If that piece is refused although others may be taken (a limit of the file's size, a bad place on the disk), the
//! file is sealed where it ends, and a new segment tried: what is wrong with one file must not stop the log for ever.

use crate::format::mark::{Mark, read_mark};
use crate::format::reindex::index_segment;
use crate::log::writer::Writer;
use onhand_app::ports::TakenOver;
use onhand_disk::{OpenMode, read_exact_at, replace, reserve, write_all_at};
use std::io;

/// There is room when so much can be written.
static PROBE: [u8; 64 << 10] = [0; 64 << 10];
/// The same, where no file may be as long as that.
static SHORT_PROBE: [u8; 4 << 10] = [0; 4 << 10];

impl Writer {
    /// Tries whether the disk is well again, and makes the log ready to be written.
    ///
    /// # Errors
    /// What the disk said; nothing may be written, and the probe be repeated.
    pub(crate) fn probe(&mut self) -> io::Result<()> {
        if let Some(tenure) = &self.tenure {
            tenure.lasts()?;
            // A mark that could not be written, nor read back then, stands there: the others have taken in what it covers.
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
            // It is longer than files may be here; there may be room all the same.
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {}
            laid => laid?,
        }
        // Beside the ballast: the space it was removed for is not there for entries.
        let tried = self.try_write(&PROBE).or_else(|refused| self.try_elsewhere(refused));
        if tried.is_err() {
            self.ballast.release();
        }
        tried?;
        self.mark = Mark::open(&*self.segments.disk, &self.segments.layout.mark())?;
        self.write_mark(self.durable.sequence())
    }

    /// Removes what a roll that failed may have left under the next segment's name: the log goes on without it.
    fn remove_unrolled(&self) -> io::Result<()> {
        let next = self.durable.sequence().plus(1);
        if next == self.active.first {
            return Ok(());
        }
        let (disk, layout) = (&self.segments.disk, &self.segments.layout);
        match disk.remove(&layout.segment(next)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            // Also what is not seen may come back, until this.
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

    /// The active file does not take what a new one may take: goes on in that.
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
        // Where files may not be as long as the usual piece, a shorter one must do.
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
