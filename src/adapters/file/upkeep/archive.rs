//! The archive: sealed segments that a start no longer needs, compressed, and still readable at any offset.
//!
//! The bytes of an archived segment: `reading/archived.rs`.
//!
//! A segment is archived in three steps, after each of which a crash is safe: the compressed file gets its name,
//! the original is removed, the directory is synced. When both exist, the original is read; a start removes it.

use crate::reading::archived::{compress, open_archived};
use onhand_disk::layout::{Layout, segment_first};
use onhand_disk::{Disk, DiskFile, OpenMode, read_all, replace};
use onhand_domain::Sequence;
use onhand_planted::{Bug, planted};
use std::io;
use std::sync::Arc;

/// True when a segment is in `log/` and in the archive, which has all of it: archiving was cut off half-way, or a
/// copy of the directory has the beginning of a segment that was archived before the rest was copied.
pub(crate) fn is_there_twice(disk: &dyn Disk, layout: &Layout, first: Sequence) -> io::Result<bool> {
    let there = |opened: io::Result<Arc<dyn DiskFile>>| match opened.and_then(|file| read_all(&*file)) {
        // An archive that cannot be unpacked does not count.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidData) => {
            Ok(None)
        }
        read => read.map(Some),
    };
    if disk.open(&layout.archived(first), OpenMode::Read).is_err() {
        return Ok(false);
    }
    let original = there(disk.open(&layout.segment(first), OpenMode::Read))?;
    let archived = there(open_archived(disk, layout, first))?;
    Ok(original.zip(archived).is_some_and(|(original, archived)| archived.starts_with(&original)))
}

/// Removes from `log/` the segments that the archive has, durably: the process that archived them may have been
/// killed before it synced the directory, and a power cut would then take the archived name and leave the original
/// removed.
pub(crate) fn remove_archived(disk: &dyn Disk, layout: &Layout) -> io::Result<()> {
    let names = disk.list(&layout.log())?;
    for first in names.iter().filter_map(|name| segment_first(name)) {
        if is_there_twice(disk, layout, first)? {
            disk.open(&layout.archived(first), OpenMode::Write)?.sync_data()?;
            disk.sync_dir(&layout.archive())?;
            disk.remove(&layout.segment(first))?;
        }
    }
    Ok(())
}

/// The segments of `log/` that may go to the archive: all but the last, up to `passed`.
pub(crate) fn candidates(disk: &dyn Disk, layout: &Layout, passed: Sequence) -> io::Result<Vec<Sequence>> {
    let names = disk.list(&layout.log())?;
    let firsts: Vec<Sequence> = names.iter().filter_map(|name| segment_first(name)).collect();
    let ends = firsts.iter().skip(1).map(|next| next.minus(1));
    Ok(firsts.iter().zip(ends).filter(|(_, end)| *end <= passed).map(|(first, _)| *first).collect())
}

/// Moves a sealed segment to the archive.
pub(crate) fn archive(disk: &dyn Disk, layout: &Layout, first: Sequence) -> io::Result<()> {
    let original = layout.segment(first);
    let bytes = read_all(&*disk.open(&original, OpenMode::Read)?)?;
    let path = layout.archived(first);
    let compressed = compress(&bytes)?;
    if planted(Bug::PruneBeforeRename) {
        disk.remove(&original)?;
    }
    replace(disk, &path, &compressed)?;
    if read_all(&*open_archived(disk, layout, first)?)? != bytes {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the archived segment does not read back as written",
        ));
    }
    if !planted(Bug::PruneBeforeRename) {
        disk.remove(&original)?;
    }
    disk.sync_dir(&layout.log())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::archived::{FRAME, list_segments, open_segment};
    use onhand_disk::read_exact_at;
    use onhand_sim_machine::disk::SimDisk;
    use std::path::Path;

    #[test]
    fn an_archived_segment_reads_at_every_place_as_the_original_did() {
        let disk = SimDisk::new(1);
        let layout = Layout::new(Path::new("/data"));
        for directory in [layout.log(), layout.archive()] {
            onhand_disk::create_dir_durably(&disk, &directory).unwrap();
        }
        let original: Vec<u8> = (0..3 * FRAME + 17).flat_map(|number| (number / 3).to_le_bytes()).collect();
        disk.put(layout.segment(Sequence(1)), &original);
        archive(&disk, &layout, Sequence(1)).unwrap();
        assert!(disk.open(&layout.segment(Sequence(1)), OpenMode::Read).is_err());
        let file = open_segment(&disk, &layout, Sequence(1)).unwrap();
        assert_eq!(file.len().unwrap(), original.len() as u64);
        for (offset, length) in [(0, 10), (FRAME - 3, 7), (5 * FRAME - 1, FRAME + 2), (original.len() - 1, 1)]
        {
            let read = read_exact_at(&*file, offset as u64, length).unwrap();
            assert_eq!(read, original[offset..offset + length], "{length} bytes at {offset}");
        }
        assert_eq!(file.read_at(&mut [0; 4], original.len() as u64).unwrap(), 0);
        let packed = disk.file(layout.archived(Sequence(1))).unwrap();
        assert_eq!(zstd::stream::decode_all(&packed[..]).unwrap(), original, "any zstd reads it");
        assert_eq!(list_segments(&disk, &layout).unwrap(), [Sequence(1)]);
    }
}
