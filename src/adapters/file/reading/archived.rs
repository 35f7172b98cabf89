//! Opening a segment in `log/`, or compressed in the archive, where it is still readable at any offset.
//!
//! `archive/<first sequence>.jsonl.zst` is the segment in the Zstandard seekable format: frames of 256 KiB of the
//! segment each, then the seek table in a skippable frame. Any `zstd` reads it (`zstdcat archive/*.zst | jq`); a
//! lookup here decompresses only the frame it needs. Source of the format:
//! `contrib/seekable_format/zstd_seekable_compression_format.md` in the Zstandard repository; without per-frame
//! checksums, because the lines carry their own.
//!
//! When both exist, the original is read.

use onhand_disk::layout::{Layout, archived_first, segment_first};
use onhand_disk::{Disk, DiskFile, LockOutcome, OpenMode, read_exact_at};
use onhand_domain::Sequence;
use parking_lot::Mutex;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Bytes of a segment in one frame.
pub(crate) const FRAME: usize = 256 << 10;
/// Fast rather than small: a segment is compressed beside the running node.
const LEVEL: i32 = 1;
const SKIPPABLE_MAGIC: u32 = 0x184D_2A5E;
const SEEKABLE_MAGIC: u32 = 0x8F92_EAB1;
const FOOTER: usize = 9;
const TABLE_ENTRY: usize = 8;

/// The first sequences of all segments, in `log/` and in the archive, ascending.
///
/// # Errors
/// Any I/O error of the disk; a missing archive counts as empty.
pub fn list_segments(disk: &dyn Disk, layout: &Layout) -> io::Result<Vec<Sequence>> {
    let mut firsts: Vec<Sequence> =
        disk.list(&layout.log())?.iter().filter_map(|name| segment_first(name)).collect();
    match disk.list(&layout.archive()) {
        Ok(names) => firsts.extend(names.iter().filter_map(|name| archived_first(name))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    firsts.sort_unstable();
    firsts.dedup();
    Ok(firsts)
}

/// Path of a segment, in `log/` or in the archive.
pub(crate) fn segment_path(disk: &dyn Disk, layout: &Layout, first: Sequence) -> PathBuf {
    let (path, archived) = (layout.segment(first), layout.archived(first));
    let only_archived =
        disk.open(&path, OpenMode::Read).is_err() && disk.open(&archived, OpenMode::Read).is_ok();
    if only_archived { archived } else { path }
}

/// Opens a segment for reading, from `log/` or the archive.
pub(crate) fn open_segment(
    disk: &dyn Disk,
    layout: &Layout,
    first: Sequence,
) -> io::Result<Arc<dyn DiskFile>> {
    match disk.open(&layout.segment(first), OpenMode::Read) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => open_archived(disk, layout, first),
        opened => opened,
    }
}

/// Opens an archived segment, for reading.
pub(crate) fn open_archived(
    disk: &dyn Disk,
    layout: &Layout,
    first: Sequence,
) -> io::Result<Arc<dyn DiskFile>> {
    let file = disk.open(&layout.archived(first), OpenMode::Read)?;
    Ok(Arc::new(ArchivedFile::open(file)?))
}

/// An archived segment that reads like the original.
struct ArchivedFile {
    file: Arc<dyn DiskFile>,
    frames: Vec<Frame>,
    length: u64,
    /// The last frame used: lines are normally read in order.
    last: Mutex<Option<(u64, Arc<Vec<u8>>)>>,
}

/// The place of a frame, in the compressed file and in the segment.
#[derive(Debug, Clone, Copy)]
struct Frame {
    compressed_at: u64,
    compressed: usize,
    at: u64,
    length: usize,
}

impl ArchivedFile {
    fn open(file: Arc<dyn DiskFile>) -> io::Result<Self> {
        let end = file.len()?;
        let footer_at = end.checked_sub(FOOTER as u64).ok_or_else(damaged)?;
        let footer = read_exact_at(&*file, footer_at, FOOTER)?;
        let (count, rest) = footer.split_first_chunk::<4>().ok_or_else(damaged)?;
        if rest.get(1..) != Some(&SEEKABLE_MAGIC.to_le_bytes()) {
            return Err(damaged());
        }
        let table_length = u32::from_le_bytes(*count) as usize * TABLE_ENTRY;
        let table_at = footer_at.checked_sub(table_length as u64).ok_or_else(damaged)?;
        let table = read_exact_at(&*file, table_at, table_length)?;
        let (mut compressed_at, mut at) = (0, 0);
        let mut frames = Vec::with_capacity(table.len() / TABLE_ENTRY);
        for entry in table.chunks_exact(TABLE_ENTRY) {
            let (compressed, rest) = entry.split_first_chunk::<4>().ok_or_else(damaged)?;
            let (length, _) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
            let compressed = u32::from_le_bytes(*compressed) as usize;
            let length = u32::from_le_bytes(*length) as usize;
            if length > FRAME {
                return Err(damaged());
            }
            frames.push(Frame { compressed_at, compressed, at, length });
            compressed_at += compressed as u64;
            at += length as u64;
        }
        if compressed_at > table_at {
            return Err(damaged());
        }
        Ok(Self { file, frames, length: at, last: Mutex::new(None) })
    }

    fn frame(&self, frame: &Frame) -> io::Result<Arc<Vec<u8>>> {
        if let Some((at, bytes)) = &*self.last.lock()
            && *at == frame.at
        {
            return Ok(Arc::clone(bytes));
        }
        let compressed = read_exact_at(&*self.file, frame.compressed_at, frame.compressed)?;
        let bytes = zstd::bulk::decompress(&compressed, frame.length).map_err(|_| damaged())?;
        if bytes.len() != frame.length {
            return Err(damaged());
        }
        let bytes = Arc::new(bytes);
        *self.last.lock() = Some((frame.at, Arc::clone(&bytes)));
        Ok(bytes)
    }
}

impl DiskFile for ArchivedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let behind = self.frames.partition_point(|frame| frame.at <= offset);
        let Some(frame) = behind.checked_sub(1).and_then(|place| self.frames.get(place)) else {
            return Ok(0);
        };
        let bytes = self.frame(frame)?;
        let start = usize::try_from(offset - frame.at).map_err(|_| damaged())?;
        let available = bytes.get(start..).unwrap_or_default();
        let count = available.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), available.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.length)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<usize> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn preallocate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn try_lock(&self) -> io::Result<LockOutcome> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

/// The bytes of a segment as an archived file.
pub(crate) fn compress(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    let mut out = Vec::with_capacity(bytes.len() / 4);
    let mut table = Vec::new();
    for part in bytes.chunks(FRAME) {
        let frame = compressor.compress(part)?;
        table.extend_from_slice(&length(frame.len())?.to_le_bytes());
        table.extend_from_slice(&length(part.len())?.to_le_bytes());
        out.extend_from_slice(&frame);
    }
    let frames = length(table.len() / TABLE_ENTRY)?;
    out.extend_from_slice(&SKIPPABLE_MAGIC.to_le_bytes());
    out.extend_from_slice(&length(table.len() + FOOTER)?.to_le_bytes());
    out.extend_from_slice(&table);
    out.extend_from_slice(&frames.to_le_bytes());
    out.push(0);
    out.extend_from_slice(&SEEKABLE_MAGIC.to_le_bytes());
    Ok(out)
}

fn length(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| damaged())
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the archived segment is damaged")
}
