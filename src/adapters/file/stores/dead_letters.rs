//! Dead letters on disk: `dead-letters/dead-letters.jsonl`, one letter a line, the last line of an id is its state.
//!
//! ```text
//! {"crc":"8 hex","id":"<node>-<sequence>","node":"...","source":"...","sequence":7,"reason":"...",...,"event":{...}}<LF>
//! ```
//! `crc` is CRC-32C over eight zero digits and the line from behind `"crc":"........",` up to its line feed. Each
//! line is written and synced before it takes effect, one at a time. So a line whose checksum does not fit is the
//! torn last one, which had no effect: it is copied to `torn-<offset>-<checksum>.bytes` and cut. If an intact line
//! stands behind it, it was durable once: that is damage, and loading is refused.
//!
//! After a failed write or sync the file is never written again: the durable part is copied to a new file, synced
//! and renamed into place. Loading does the same, because the page cache may show what an earlier process failed to
//! sync.

use crate::format::line::{checksum_after, put_checksum};
use onhand_app::central::DeadLetter;
use onhand_app::ports::DeadLetterStore;
use onhand_disk::layout::{Layout, temporary};
use onhand_disk::{
    Disk, DiskFile, OpenMode, create_dir_durably, create_unfinished, durable_rename, keep_aside, read_all,
    read_exact_at, remove_unfinished, write_all_at,
};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// The beginning of a line, before a letter's own members.
const FRONT: &[u8] = b"{\"crc\":\"00000000\",";

/// [`DeadLetterStore`] in a data directory. Only one worker may have it open at a time.
pub struct FileDeadLetters {
    disk: Arc<dyn Disk>,
    layout: Layout,
    state: Mutex<LetterFileState>,
}

enum LetterFileState {
    /// The content of the file is not known yet.
    Unread,
    /// The file can be appended to.
    Open { file: Arc<dyn DiskFile>, length: u64 },
    /// There is no file, or it must not be written any more: its first `length` bytes go to a new one.
    Stale { length: u64 },
}

impl FileDeadLetters {
    /// Opens the store of a data directory, creating its folder when it is missing.
    ///
    /// # Errors
    /// Any I/O error of the disk.
    pub fn open(disk: Arc<dyn Disk>, layout: Layout) -> io::Result<Self> {
        create_dir_durably(&*disk, &layout.dead_letters())?;
        remove_unfinished(&*disk, &layout.dead_letters())?;
        Ok(Self { disk, layout, state: Mutex::new(LetterFileState::Unread) })
    }

    fn read(&self) -> io::Result<LettersRead> {
        look(&*self.disk, &self.layout)
    }

    /// Reads the file, moves its torn end aside, and copies the rest to a file that is known to be durable.
    fn take_up(&self) -> io::Result<(LetterFileState, Vec<DeadLetter>)> {
        let LettersRead { bytes, good, letters } = self.read()?;
        let length = good as u64;
        if let Some(torn) = bytes.get(good..).filter(|torn| !torn.is_empty()) {
            let stem = format!("torn-{length}");
            let aside = keep_aside(&*self.disk, &self.layout.dead_letters(), &stem, torn)?;
            tracing::warn!(file = %aside.display(), bytes = torn.len(), "a torn dead letter is cut off");
        }
        if bytes.is_empty() {
            return Ok((LetterFileState::Stale { length: 0 }, letters));
        }
        let file = self.rewrite(length, b"")?;
        Ok((LetterFileState::Open { file, length }, letters))
    }

    /// Writes the first `length` bytes of the file and `line` to a new file of the same name.
    fn rewrite(&self, length: u64, line: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.layout.dead_letter_file();
        let mut bytes = Vec::new();
        if length > 0 {
            let old = self.disk.open(&path, OpenMode::Read)?;
            let length = usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
            bytes = read_exact_at(&*old, 0, length)?;
        }
        bytes.extend_from_slice(line);
        let unfinished = temporary(&path);
        let file = create_unfinished(&*self.disk, &unfinished)?;
        write_all_at(&*file, &bytes, 0)?;
        durable_rename(&*self.disk, &*file, &unfinished, &path)?;
        Ok(file)
    }
}

impl DeadLetterStore for FileDeadLetters {
    fn load(&self) -> io::Result<Vec<DeadLetter>> {
        let mut state = self.state.lock();
        let (taken, letters) = self.take_up()?;
        *state = taken;
        Ok(letters)
    }

    fn append(&self, letter: &DeadLetter) -> io::Result<()> {
        let line = encode(letter);
        let mut state = self.state.lock();
        if matches!(*state, LetterFileState::Unread) {
            *state = self.take_up()?.0;
        }
        match &*state {
            LetterFileState::Open { file, length } => {
                let (length, next) = (*length, *length + line.len() as u64);
                if let Err(error) = write_all_at(&**file, &line, length).and_then(|()| file.sync_data()) {
                    *state = LetterFileState::Stale { length };
                    return Err(error);
                }
                *state = LetterFileState::Open { file: Arc::clone(file), length: next };
            }
            LetterFileState::Stale { length } => {
                let file = self.rewrite(*length, &line)?;
                *state = LetterFileState::Open { file, length: *length + line.len() as u64 };
            }
            LetterFileState::Unread => unreachable!("it was taken up above"),
        }
        Ok(())
    }
}

/// The letters of another process, each in its latest state, oldest first; changes no file.
///
/// # Errors
/// Any I/O error of the disk; `InvalidData` when acknowledged lines are damaged.
pub fn look_at_letters(disk: &dyn Disk, layout: &Layout) -> io::Result<Vec<DeadLetter>> {
    Ok(look(disk, layout)?.letters)
}

/// The letters of a file, and how many of its bytes are good.
struct LettersRead {
    bytes: Vec<u8>,
    good: usize,
    letters: Vec<DeadLetter>,
}

fn look(disk: &dyn Disk, layout: &Layout) -> io::Result<LettersRead> {
    let path = layout.dead_letter_file();
    let bytes = match disk.open(&path, OpenMode::Read).and_then(|file| read_all(&*file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut letters: Vec<DeadLetter> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut good = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(letter) = decode(line) else { break };
        good += line.len();
        if let Some(known) = places.get(&letter.id).and_then(|place| letters.get_mut(*place)) {
            *known = letter;
        } else {
            places.insert(letter.id.clone(), letters.len());
            letters.push(letter);
        }
    }
    if letter_behind(bytes.get(good..).unwrap_or_default()) {
        let reason = format!(
            "{} is damaged at byte {good}: letters stand behind it, so it was whole once. Restore it from a copy; \
             or move it away and build the central model again, which meets the same events and writes them anew",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(LettersRead { bytes, good, letters })
}

/// True when an intact letter stands anywhere behind the first byte. The search is for the beginning of a line, not
/// for line feeds, which may be damaged; quotes in data are escaped, so nothing else matches.
fn letter_behind(bytes: &[u8]) -> bool {
    const START: &[u8] = b"{\"crc\":\"";
    let mut starts = bytes.windows(START.len()).enumerate().skip(1).filter(|(_, window)| *window == START);
    starts.any(|(start, _)| {
        let rest = bytes.get(start..).unwrap_or_default();
        rest.split_inclusive(|byte| *byte == b'\n').next().is_some_and(|line| decode(line).is_some())
    })
}

fn encode(letter: &DeadLetter) -> Vec<u8> {
    let json = serde_json::to_vec(letter).expect("a plain struct always serialises into memory");
    let mut line = FRONT.to_vec();
    line.extend_from_slice(json.strip_prefix(b"{").unwrap_or(&json));
    for byte in &mut line {
        // JSON escapes line feeds in strings: this one is white space of an event as received.
        if *byte == b'\n' {
            *byte = b' ';
        }
    }
    line.push(b'\n');
    put_checksum(&mut line, 0, 0);
    line
}

fn decode(line: &[u8]) -> Option<DeadLetter> {
    let line = line.strip_suffix(b"\n")?;
    checksum_after(line, 0)?;
    let mut json = b"{".to_vec();
    json.extend_from_slice(line.get(FRONT.len()..)?);
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_app::central::LetterState;
    use onhand_domain::{Sequence, Timestamp};
    use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection, SimDisk};
    use serde_json::value::RawValue;
    use std::path::Path;
    use uuid::Uuid;

    fn letter(sequence: u64, state: LetterState) -> DeadLetter {
        let node = Uuid::from_u128(7);
        DeadLetter {
            id: DeadLetter::id_of(node, Sequence(sequence)),
            node,
            source: "this node".to_owned(),
            sequence: Sequence(sequence),
            store_id: None,
            sku: None,
            reason: "a line feed \n and a quote \"".to_owned(),
            tries: 4,
            first_at: Timestamp::EPOCH,
            last_at: Timestamp::EPOCH,
            state,
            note: None,
            at: Timestamp::EPOCH,
            event: RawValue::from_string("{\n \"type\": \"MOOD\"\n}".to_owned()).unwrap(),
        }
    }

    fn open(disk: &SimDisk) -> FileDeadLetters {
        FileDeadLetters::open(Arc::new(disk.clone()), Layout::new(Path::new("/data"))).unwrap()
    }

    fn known(disk: &SimDisk) -> Vec<(u64, LetterState)> {
        let letters = open(disk).load().unwrap();
        letters.iter().map(|letter| (letter.sequence.0, letter.state)).collect()
    }

    const FILE: &str = "/data/dead-letters/dead-letters.jsonl";

    #[test]
    fn the_last_line_of_an_id_is_its_state() {
        use LetterState::{Discarded, Open};
        let disk = SimDisk::new(1);
        let store = open(&disk);
        assert!(store.load().unwrap().is_empty());
        for letter in [letter(1, Open), letter(2, Open), letter(1, Discarded)] {
            store.append(&letter).unwrap();
        }
        disk.crash(Crash::DropUnsynced);
        assert_eq!(known(&disk), [(1, Discarded), (2, Open)]);
        let text = String::from_utf8(disk.file(FILE).unwrap()).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{text}");
    }

    #[test]
    fn a_torn_end_is_cut_aside_and_a_damaged_middle_refused() {
        let disk = SimDisk::new(1);
        let store = open(&disk);
        store.append(&letter(1, LetterState::Open)).unwrap();
        let first = disk.file(FILE).unwrap().len();
        store.append(&letter(2, LetterState::Open)).unwrap();
        let bytes = disk.file(FILE).unwrap();
        for cut in first + 1..bytes.len() {
            let disk = SimDisk::new(1);
            disk.put(FILE, &bytes[..cut]);
            assert_eq!(known(&disk), [(1, LetterState::Open)], "cut at {cut}");
            assert_eq!(disk.file(FILE).unwrap(), bytes[..first]);
            let torn = &bytes[first..cut];
            let torn = format!("/data/dead-letters/torn-{first}-{:08x}.bytes", crc32c::crc32c(torn));
            assert_eq!(disk.file(torn).unwrap(), bytes[first..cut]);
        }
        for (offset, byte) in bytes[..first].iter().enumerate() {
            let disk = disk.fork();
            disk.corrupt(FILE, offset, byte ^ 1).unwrap();
            let refused = open(&disk).load().unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData, "byte {offset}");
        }
    }

    #[test]
    fn after_a_failed_sync_another_file_is_written_and_nothing_is_lost() {
        for fault in [Fault::Eio, Fault::EioAfterEffect, Fault::NoSpace] {
            for operation in [DiskOperation::WriteAt, DiskOperation::SyncData] {
                let disk = SimDisk::new(1);
                let store = open(&disk);
                store.append(&letter(1, LetterState::Open)).unwrap();
                disk.inject(Injection::at(1, fault).only(operation));
                store.append(&letter(2, LetterState::Open)).unwrap_err();
                store.append(&letter(3, LetterState::Open)).unwrap();
                store.append(&letter(4, LetterState::Open)).unwrap();
                disk.crash(Crash::DropUnsynced);
                let sequences: Vec<u64> = known(&disk).iter().map(|(sequence, _)| *sequence).collect();
                assert_eq!(sequences, [1, 3, 4], "{fault:?} {operation:?}");
            }
        }
    }

    #[test]
    fn what_was_acknowledged_survives_a_crash_at_every_operation() {
        for n in 1.. {
            let disk = SimDisk::new(n);
            disk.inject(Injection::at(n, Fault::Crash));
            let mut acknowledged = Vec::new();
            let story = |acknowledged: &mut Vec<u64>| -> io::Result<()> {
                let layout = Layout::new(Path::new("/data"));
                for round in [0, 10] {
                    let store = FileDeadLetters::open(Arc::new(disk.clone()), layout.clone())?;
                    store.load()?;
                    for sequence in round..round + 3 {
                        store.append(&letter(sequence, LetterState::Open))?;
                        acknowledged.push(sequence);
                    }
                }
                Ok(())
            };
            let done = story(&mut acknowledged).is_ok();
            disk.clear_faults();
            disk.crash(Crash::PowerCut { seed: n });
            let found: Vec<u64> = known(&disk).iter().map(|(sequence, _)| *sequence).collect();
            assert!(found.starts_with(&acknowledged), "crash at {n}: {found:?} of {acknowledged:?}");
            assert!(found.len() <= acknowledged.len() + 1, "crash at {n}: {found:?}");
            if done {
                assert!(n > 35, "the story has few operations: {n}");
                break;
            }
        }
    }
}
