//! The bytes of one file, twice: the page cache, which readers see, and the bytes that would survive a power cut.
//!
//! Unsynced bytes are tracked exactly, byte by byte within their 512-byte sector, because of the contract of a disk:
//! rewriting a sector may lose the new bytes, it never harms bytes of that sector which were already durable.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::random::Random;

/// The unit in which a crash keeps or loses bytes.
const SECTOR_BYTES: usize = 512;

type Sector = [u8; SECTOR_BYTES];

/// Page cache and durable image of a file.
#[derive(Debug, Clone, Default)]
pub(super) struct FileContent {
    cached: Vec<u8>,
    durable: Vec<u8>,
    /// By sector number: which of its bytes were written since the last sync.
    dirty: BTreeMap<usize, [bool; SECTOR_BYTES]>,
    /// Shortest and longest length since the last successful sync; `None` while the length is durable.
    lengths: Option<(usize, usize)>,
}

/// The effect of a power cut on one dirty sector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The new bytes reached the disk.
    Keep,
    /// The old bytes stay, or zeros where there were none.
    Drop,
    /// Its new bytes read as zeros: space was allocated, the data never arrived.
    Zeros,
    /// Its new bytes are random noise.
    Garbage,
    /// A part before or after some byte is new, the rest is old.
    Torn,
    /// Its new bytes come from another sector of the file.
    Stale,
}

const LOSSES: [Fate; 5] = [Fate::Drop, Fate::Zeros, Fate::Garbage, Fate::Torn, Fate::Stale];

impl FileContent {
    /// A file whose `bytes` are durable.
    pub(super) fn durable_from(bytes: &[u8]) -> Self {
        Self { cached: bytes.to_vec(), durable: bytes.to_vec(), ..Self::default() }
    }

    /// The bytes that readers see.
    pub(super) fn cached(&self) -> &[u8] {
        &self.cached
    }

    /// The bytes that survive when everything unsynced is lost.
    pub(super) fn durable(&self) -> &[u8] {
        &self.durable
    }

    /// Writes into the page cache; a gap before `offset` is filled with zeros.
    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset.saturating_add(bytes.len());
        if bytes.is_empty() {
            return;
        }
        if end > self.cached.len() {
            self.extend(end);
        }
        if let Some(target) = self.cached.get_mut(offset..end) {
            target.copy_from_slice(bytes);
        }
        self.mark(offset..end);
    }

    /// Cuts or extends the file in the page cache.
    pub(super) fn set_length(&mut self, length: usize) {
        if length > self.cached.len() {
            self.extend(length);
        } else {
            self.cached.truncate(length);
            self.note_length();
        }
    }

    /// A successful sync: length and dirty sectors become durable.
    ///
    /// A sector is written whole: bytes of it that an earlier failed sync lost come along, as on a real disk.
    pub(super) fn sync(&mut self) {
        self.durable.resize(self.cached.len(), 0);
        for number in std::mem::take(&mut self.dirty).into_keys() {
            overlay(&mut self.durable, number, &sector(&self.cached, number), &[true; SECTOR_BYTES]);
        }
        self.lengths = None;
    }

    /// A failed sync: the dirty sectors are marked clean without having been written.
    ///
    /// Readers go on seeing the bytes; no later sync brings them to the disk. The length stays undecided: it is
    /// metadata and written separately, so a crash or a later sync may leave it long, with zeros where the bytes should be.
    pub(super) fn lose_dirty(&mut self) {
        self.dirty.clear();
    }

    /// A power cut: chance decides on the length and on each dirty sector. Page cache and disk agree afterwards.
    pub(super) fn power_cut(&mut self, random: &mut Random) {
        let mut image = self.durable.clone();
        image.resize(self.length_after_cut(random), 0);
        let kept_percent = [0, 50, 90, 100].get(random.below(4)).copied().unwrap_or(0);
        for (number, written) in std::mem::take(&mut self.dirty) {
            let fate = if random.percent(kept_percent) {
                Fate::Keep
            } else {
                LOSSES.get(random.below(LOSSES.len())).copied().unwrap_or(Fate::Drop)
            };
            self.settle(&mut image, number, &written, fate, random);
        }
        *self = Self::durable_from(&image);
    }

    /// A power cut on which nothing unsynced survives.
    pub(super) fn drop_unsynced(&mut self) {
        *self = Self::durable_from(&self.durable);
    }

    /// Changes a byte on the disk and in the page cache, bypassing the calls; false when the disk has no such byte.
    pub(super) fn corrupt(&mut self, offset: usize, byte: u8) -> bool {
        if let Some(cached) = self.cached.get_mut(offset) {
            *cached = byte;
        }
        self.durable.get_mut(offset).map(|durable| *durable = byte).is_some()
    }

    fn extend(&mut self, length: usize) {
        let old = self.cached.len();
        self.cached.resize(length, 0);
        self.mark(old..length);
        self.note_length();
    }

    fn note_length(&mut self) {
        let (shortest, longest) = self.lengths.unwrap_or((self.durable.len(), self.durable.len()));
        self.lengths = Some((shortest.min(self.cached.len()), longest.max(self.cached.len())));
    }

    fn mark(&mut self, range: Range<usize>) {
        let mut start = range.start;
        while start < range.end {
            let number = start / SECTOR_BYTES;
            let first = number * SECTOR_BYTES;
            let end = range.end.min(first + SECTOR_BYTES);
            let written = self.dirty.entry(number).or_insert([false; SECTOR_BYTES]);
            if let Some(part) = written.get_mut(start - first..end - first) {
                part.fill(true);
            }
            start = end;
        }
    }

    fn length_after_cut(&self, random: &mut Random) -> usize {
        match (self.lengths, random.below(3)) {
            (None, _) | (_, 0) => self.durable.len(),
            (_, 1) => self.cached.len(),
            (Some((shortest, longest)), _) => shortest + random.below(longest - shortest + 1),
        }
    }

    fn settle(
        &self,
        image: &mut [u8],
        number: usize,
        written: &[bool; SECTOR_BYTES],
        fate: Fate,
        random: &mut Random,
    ) {
        let new = sector(&self.cached, number);
        match fate {
            Fate::Keep => overlay(image, number, &new, &[true; SECTOR_BYTES]),
            Fate::Drop => {}
            Fate::Zeros => overlay(image, number, &[0; SECTOR_BYTES], written),
            Fate::Garbage => {
                let mut noise = [0; SECTOR_BYTES];
                random.fill(&mut noise);
                overlay(image, number, &noise, written);
            }
            Fate::Torn => {
                let cut = random.below(SECTOR_BYTES);
                let front = random.percent(50);
                let mut torn = *written;
                for (position, byte) in torn.iter_mut().enumerate() {
                    *byte &= (position < cut) == front;
                }
                overlay(image, number, &new, &torn);
            }
            Fate::Stale => {
                let other = random.below(self.cached.len().div_ceil(SECTOR_BYTES));
                overlay(image, number, &sector(&self.cached, other), written);
            }
        }
    }
}

/// The bytes of a sector; zeros beyond the end.
fn sector(bytes: &[u8], number: usize) -> Sector {
    let mut copy = [0; SECTOR_BYTES];
    let rest = bytes.get(number * SECTOR_BYTES..).unwrap_or_default();
    copy.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    copy
}

/// Copies the bytes of `new` that `chosen` selects into sector `number` of `image`; the image keeps its length.
fn overlay(image: &mut [u8], number: usize, new: &Sector, chosen: &[bool; SECTOR_BYTES]) {
    let target = image.get_mut(number * SECTOR_BYTES..).unwrap_or_default();
    for ((to, from), chosen) in target.iter_mut().zip(new).zip(chosen) {
        if *chosen {
            *to = *from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(content: &FileContent) -> Vec<Vec<u8>> {
        (0..400)
            .map(|seed| {
                let mut cut = content.clone();
                cut.power_cut(&mut Random::new(seed));
                assert_eq!(cut.cached(), cut.durable());
                cut.durable().to_vec()
            })
            .collect()
    }

    #[test]
    fn a_write_is_seen_at_once_and_is_durable_only_after_a_sync() {
        let mut content = FileContent::default();
        content.write(b"hello", 2);
        assert_eq!(content.cached(), b"\0\0hello");
        assert_eq!(content.durable(), b"");
        content.sync();
        assert_eq!(content.durable(), b"\0\0hello");
    }

    #[test]
    fn synced_bytes_survive_every_cut_even_in_a_sector_that_was_written_again() {
        let mut content = FileContent::durable_from(&[b'a'; 700]);
        content.write(&[b'n'; 900], 700);
        content.write(b"N", 3);
        for image in cuts(&content) {
            assert!(image.len() >= 700);
            let kept = image[..700].iter().enumerate().all(|(at, byte)| at == 3 || *byte == b'a');
            assert!(kept, "bytes nobody wrote were harmed: {:?}", &image[..700]);
        }
    }

    #[test]
    fn each_unsynced_sector_has_its_own_fate_and_every_fate_occurs() {
        let mut content = FileContent::durable_from(&[b'o'; 4 * SECTOR_BYTES]);
        let new: Vec<u8> = (0_u8..4).flat_map(|number| [b'A' + number; SECTOR_BYTES]).collect();
        content.write(&new, 0);
        let mut seen = std::collections::BTreeSet::new();
        let mut kept_whole = 0;
        for image in cuts(&content) {
            let fates: Vec<_> = image
                .chunks(SECTOR_BYTES)
                .zip(b'A'..)
                .map(|(sector, new)| {
                    let count = |wanted: u8| sector.iter().map(|byte| usize::from(*byte == wanted)).sum();
                    let stale = (b'A'..b'E').any(|other| other != new && count(other) == SECTOR_BYTES);
                    match (count(b'o'), count(new), count(0)) {
                        (SECTOR_BYTES, ..) => "drop",
                        (_, SECTOR_BYTES, _) => "keep",
                        (.., SECTOR_BYTES) => "zeros",
                        (old, new, _) if old + new == SECTOR_BYTES && sector[0] == b'o' => "torn, new end",
                        (old, new, _) if old + new == SECTOR_BYTES => "torn, new front",
                        _ if stale => "stale",
                        _ => "garbage",
                    }
                })
                .collect();
            seen.insert(fates[0]);
            kept_whole += usize::from(fates == ["keep"; 4]);
            if fates[0] != fates[3] {
                seen.insert("independent");
            }
        }
        let all =
            ["drop", "garbage", "independent", "keep", "stale", "torn, new end", "torn, new front", "zeros"];
        assert!(seen.iter().eq(&all), "{seen:?}");
        assert!((100..300).contains(&kept_whole), "a write often survives whole: {kept_whole} of 400");
    }

    #[test]
    fn an_unsynced_length_may_be_kept_lost_or_reached_in_part() {
        let mut content = FileContent::durable_from(&[b'a'; 100]);
        content.write(&[b'n'; 200], 100);
        let lengths: Vec<usize> = cuts(&content).iter().map(Vec::len).collect();
        let often = |wanted: usize| lengths.iter().filter(|length| **length == wanted).count() > 80;
        assert!(often(100) && often(300));
        assert!(lengths.iter().any(|length| (101..300).contains(length)));
        assert!(lengths.iter().all(|length| (100..=300).contains(length)));
    }

    #[test]
    fn an_unsynced_truncation_may_be_undone_and_then_shows_the_old_bytes() {
        let mut content = FileContent::durable_from(&[b'a'; 300]);
        content.set_length(100);
        assert_eq!(content.cached(), [b'a'; 100]);
        let images = cuts(&content);
        assert!(
            images.iter().any(|image| image.len() == 100) && images.iter().any(|image| image.len() == 300)
        );
        assert!(images.iter().any(|image| (101..300).contains(&image.len())));
        assert!(images.iter().all(|image| image.iter().all(|byte| *byte == b'a')));
        content.sync();
        assert!(cuts(&content).iter().all(|image| image.len() == 100));
    }

    #[test]
    fn bytes_behind_a_truncation_are_zeros_when_the_file_grows_again() {
        let mut content = FileContent::durable_from(&[b'a'; 2_000]);
        content.set_length(10);
        content.set_length(1_500);
        content.write(b"end", 1_600);
        content.sync();
        assert_eq!(content.durable(), content.cached());
        assert!(content.durable()[10..1_600].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn after_a_failed_sync_readers_see_bytes_that_no_later_sync_makes_durable() {
        let mut content = FileContent::durable_from(&[b'a'; SECTOR_BYTES]);
        content.write(&[b'n'; SECTOR_BYTES], SECTOR_BYTES);
        content.lose_dirty();
        assert_eq!(content.cached()[SECTOR_BYTES..], [b'n'; SECTOR_BYTES]);
        assert!(cuts(&content).iter().all(|image| !image.contains(&b'n')));

        content.write(b"later", 3 * SECTOR_BYTES);
        content.sync();
        assert_eq!(content.cached()[SECTOR_BYTES], b'n');
        assert_eq!(content.durable()[SECTOR_BYTES..2 * SECTOR_BYTES], [0; SECTOR_BYTES]);
        assert_eq!(content.durable()[3 * SECTOR_BYTES..], *b"later");
    }

    #[test]
    fn the_same_seed_cuts_the_same_way() {
        let mut content = FileContent::durable_from(&[b'a'; 100]);
        content.write(&[b'n'; 5_000], 50);
        assert_eq!(cuts(&content), cuts(&content));
    }

    #[test]
    fn corruption_needs_a_byte_to_corrupt() {
        let mut content = FileContent::durable_from(b"abc");
        assert!(content.corrupt(1, b'X'));
        assert_eq!((content.cached(), content.durable()), (b"aXc".as_slice(), b"aXc".as_slice()));
        assert!(!content.corrupt(3, b'X'));
    }
}
