//! The mark: the last sequence known to be durable, so that damage to acknowledged entries is distinguished from a
//! torn tail.
//!
//! Two slots of 512 bytes, written in turn after each sync of the log and never synced. A slot is one line, `<8 hex
//! crc32c of the digits> <20 digits>` and a line feed, the rest of the slot spaces and a line feed: `cat` reads it.
//! After a power cut the mark may be behind the log, or missing; it is never ahead of the synced entries.

use onhand_disk::{Disk, DiskFile, OpenMode, read_all, write_all_at};
use onhand_domain::Sequence;
use std::io;
use std::path::Path;
use std::sync::Arc;

const SLOT: usize = 512;
const LINE: usize = 29;

/// The open mark of a log that is being written.
pub(crate) struct Mark {
    file: Arc<dyn DiskFile>,
    second: bool,
}

impl Mark {
    /// Opens the mark, making it when there is none.
    pub(crate) fn open(disk: &dyn Disk, path: &Path) -> io::Result<Self> {
        Ok(Self { file: disk.open(path, OpenMode::OpenOrCreate)?, second: false })
    }

    /// Records that everything up to `sequence` is durable. Not synced. A failed write may still be visible to
    /// other processes that read the mark; so the content read back decides whether it counts as written.
    pub(crate) fn write(&mut self, sequence: Sequence) -> io::Result<()> {
        let digits = format!("{:020}", sequence.0);
        let line = format!("{:08x} {digits}", crc32c::crc32c(digits.as_bytes()));
        let slot = format!("{line:<width$}\n", width = SLOT - 1);
        let offset = if self.second { SLOT as u64 } else { 0 };
        self.second = !self.second;
        let written = write_all_at(&*self.file, slot.as_bytes(), offset);
        written.or_else(|error| match read_all(&*self.file) {
            Ok(bytes) if highest(&bytes) >= sequence => Ok(()),
            _ => Err(error),
        })
    }
}

/// The highest sequence in an intact slot; [`Sequence::START`] when there is none.
pub fn read_mark(disk: &dyn Disk, path: &Path) -> io::Result<Sequence> {
    let bytes = match disk.open(path, OpenMode::Read) {
        Ok(file) => read_all(&*file)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Sequence::START),
        Err(error) => return Err(error),
    };
    Ok(highest(&bytes))
}

fn highest(bytes: &[u8]) -> Sequence {
    bytes.chunks(SLOT).filter_map(parse).max().unwrap_or_default()
}

fn parse(slot: &[u8]) -> Option<Sequence> {
    let line = std::str::from_utf8(slot.get(..LINE)?).ok()?;
    let (checksum, digits) = line.split_once(' ')?;
    let right = u32::from_str_radix(checksum, 16).ok()? == crc32c::crc32c(digits.as_bytes());
    digits.parse().ok().filter(|_| right).map(Sequence)
}
