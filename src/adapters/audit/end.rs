//! The end of a chain as the next process finds it, also after a crash.

use crate::file_name::{FileName, list};
use crate::line::LineHash;
use crate::walk::{Place, Step, Torn};
use onhand_disk::{Disk, OpenMode, keep_aside, read_all};
use std::io;
use std::path::Path;

/// The last entry of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tail {
    /// Its number; 0 when there is none.
    pub(crate) n: u64,
    /// The hash of its line; zeros where that is damaged.
    pub(crate) hash: LineHash,
}

/// The end of a chain, and what was wrong with it.
#[derive(Debug, Default)]
pub(crate) struct ChainEnd {
    pub(crate) tail: Tail,
    /// What the crash of an earlier process has torn.
    pub(crate) repaired: Option<String>,
    /// What is not as it was written although it was durable.
    pub(crate) damaged: Option<String>,
}

impl ChainEnd {
    /// Finds the end of a chain, and makes it durable. A file without any entry that counts is put aside.
    ///
    /// # Errors
    /// What the disk says.
    pub(crate) fn find(disk: &dyn Disk, directory: &Path, chain: u16) -> io::Result<Self> {
        let mut end = Self::default();
        let files = list(disk, directory)?.into_iter().filter(|file| file.chain == chain);
        for file in files.rev() {
            let path = directory.join(file.to_string());
            let handle = disk.open(&path, OpenMode::Write)?;
            handle.sync_data()?;
            disk.sync_dir(directory)?;
            let bytes = read_all(&*handle)?;
            let mut place = Place::begin(file);
            let walked = place.walk_bytes(&bytes, file, None);
            if let Some(Torn { line, bytes }) = walked.torn {
                let of_file =
                    format!("{file}, line {line}: {bytes} bytes that a crash has torn do not count");
                end.repaired.get_or_insert(of_file);
            }
            let broken = walked.steps.iter().find_map(|step| match step {
                Step::Break(found) => Some(found),
                Step::Entry(..) => None,
            });
            if let Some(found) = broken {
                end.damaged = Some(format!("{}, line {}: {}", found.file, found.line, found.reason));
            }
            if walked.steps.iter().any(|step| matches!(step, Step::Entry(..))) {
                // Behind damage as well: its numbers are not given again.
                let tail = Tail { n: place.next - 1, hash: place.prev.unwrap_or_default() };
                return Ok(Self { tail, ..end });
            }
            put_aside(disk, directory, file, &bytes)?;
        }
        Ok(end)
    }
}

/// Keeps the bytes of a file under another name: the next file may have its name.
fn put_aside(disk: &dyn Disk, directory: &Path, file: FileName, bytes: &[u8]) -> io::Result<()> {
    if !bytes.is_empty() {
        keep_aside(disk, directory, &format!("torn-{}-{:012}", file.chain, file.first), bytes)?;
    }
    disk.remove(&directory.join(file.to_string()))?;
    disk.sync_dir(directory)
}
