//! The central model on disk: `central/central-<sequence>.json`, one JSON document that a person can open.
//!
//! ```text
//! {"crc":"8 hex","central":{
//!  "sequence":1042,
//!  "sources":{"<node>":{"sequence":1042}},
//!  "stores":{
//!   "LONDON":{
//!    "TEA":{"qty":7,"onHand":10,"reserved":3,"version":2,"updatedAt":"...","node":"<node>"}}}}}<LF>
//! ```
//! with a level on each line. `crc` is CRC-32C over the bytes of the value of `central`. Model, checkpoints and
//! waiting events are one document under one checksum, written under a temporary name and named by
//! `durable_rename`: a crash leaves all of it or the one before. Two are kept; one whose checksum does not fit is
//! set aside as `.bad` and the older one is used, which costs a longer replay and nothing else.

use onhand_app::central::{Central, CentralCopy};
use onhand_app::ports::CentralStore;
use onhand_disk::layout::{Layout, central_sequence, temporary};
use onhand_disk::{
    Disk, DiskFile, OpenMode, create_dir_durably, create_unfinished, durable_rename, finished_or_gone,
    read_all, remove_unfinished, write_all_at,
};
use onhand_domain::Sequence;
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::ser::Formatter;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files kept: the newest, and the one before it in case the newest cannot be read.
const KEPT: usize = 2;
const HEAD: &[u8] = b"{\"crc\":\"00000000\",\"central\":";
const TAIL: &[u8] = b"}\n";
const CRC_OFFSET: u64 = 8;
/// Bytes written at once.
const CHUNK: usize = 1 << 20;

/// [`CentralStore`] in a data directory. Only one worker may have it open at a time.
pub struct FileCentral {
    disk: Arc<dyn Disk>,
    layout: Layout,
    /// Held while a file is written: the requester may be gone, and another request arrive, before the file has its
    /// final name.
    saving: Mutex<()>,
}

impl FileCentral {
    /// Opens the store of a data directory, creating its folder when it is missing.
    ///
    /// # Errors
    /// Any I/O error of the disk.
    pub fn open(disk: Arc<dyn Disk>, layout: Layout) -> io::Result<Self> {
        create_dir_durably(&*disk, &layout.central())?;
        remove_unfinished(&*disk, &layout.central())?;
        Ok(Self { disk, layout, saving: Mutex::new(()) })
    }

    /// Removes every saved model, so that the next one is built from the logs alone.
    ///
    /// # Errors
    /// Any I/O error of the disk.
    pub fn forget(&self) -> io::Result<()> {
        for sequence in list(&*self.disk, &self.layout)? {
            self.disk.remove(&self.layout.central_file(sequence))?;
        }
        self.disk.sync_dir(&self.layout.central())
    }

    fn set_aside(&self, path: &Path, reason: &str) -> io::Result<()> {
        tracing::error!(file = %path.display(), reason, "a central file is damaged; it is set aside as .bad");
        let mut aside = path.as_os_str().to_owned();
        aside.push(".bad");
        self.disk.rename(path, &PathBuf::from(aside))?;
        self.disk.sync_dir(&self.layout.central())
    }
}

/// The newest model that another process has saved, read without changing any file; none when there is none.
///
/// # Errors
/// Any I/O error of the disk.
pub fn look(disk: &dyn Disk, layout: &Layout) -> io::Result<Option<Central>> {
    for sequence in list(disk, layout)? {
        match read(disk, layout, sequence) {
            Ok(file) => return Ok(Some(file)),
            Err(Unread::Damaged(_)) => {}
            // A newer one has been saved meanwhile, and this one was removed.
            Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Err(Unread::Io(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// The saved models, newest first; none when there is no folder.
///
/// # Errors
/// Any I/O error of the disk.
pub fn list(disk: &dyn Disk, layout: &Layout) -> io::Result<Vec<Sequence>> {
    let names = match disk.list(&layout.central()) {
        Ok(names) => names,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut sequences: Vec<Sequence> = names.iter().filter_map(|name| central_sequence(name)).collect();
    sequences.sort_unstable_by(|a, b| b.cmp(a));
    Ok(sequences)
}

impl CentralStore for FileCentral {
    fn load(&self) -> io::Result<Option<Central>> {
        for sequence in list(&*self.disk, &self.layout)? {
            match read(&*self.disk, &self.layout, sequence) {
                Ok(file) => return Ok(Some(file)),
                Err(Unread::Damaged(reason)) => {
                    self.set_aside(&self.layout.central_file(sequence), &reason)?;
                }
                Err(Unread::Io(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    fn save(&self, copy: &CentralCopy<'_>) -> io::Result<()> {
        let _saving = self.saving.lock();
        let path = self.layout.central_file(copy.sequence());
        let unfinished = temporary(&path);
        let saved = self.write(copy, &unfinished, &path);
        finished_or_gone(&*self.disk, &unfinished, saved)?;
        let others = list(&*self.disk, &self.layout)?.into_iter().filter(|other| *other != copy.sequence());
        let old: Vec<Sequence> = others.skip(KEPT - 1).collect();
        for sequence in &old {
            self.disk.remove(&self.layout.central_file(*sequence))?;
        }
        if old.is_empty() { Ok(()) } else { self.disk.sync_dir(&self.layout.central()) }
    }
}

impl FileCentral {
    fn write(&self, copy: &CentralCopy<'_>, unfinished: &Path, path: &Path) -> io::Result<()> {
        let handle = create_unfinished(&*self.disk, unfinished)?;
        let mut out = Summed { file: &*handle, buffer: Vec::new(), offset: HEAD.len() as u64, checksum: 0 };
        write_all_at(&*handle, HEAD, 0)?;
        copy.serialize(&mut serde_json::Serializer::with_formatter(&mut out, LevelALine::default()))?;
        out.flush()?;
        write_all_at(&*handle, TAIL, out.offset)?;
        write_all_at(&*handle, format!("{:08x}", out.checksum).as_bytes(), CRC_OFFSET)?;
        durable_rename(&*self.disk, &*handle, unfinished, path)
    }
}

enum Unread {
    Io(io::Error),
    Damaged(String),
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn read(disk: &dyn Disk, layout: &Layout, sequence: Sequence) -> Result<Central, Unread> {
    let path = layout.central_file(sequence);
    let central = decode(&*disk.open(&path, OpenMode::Read)?)?;
    if central.sequence() == sequence {
        Ok(central)
    } else {
        Err(Unread::Damaged(format!("its name says {sequence}, its content {}", central.sequence())))
    }
}

fn decode(file: &dyn DiskFile) -> Result<Central, Unread> {
    let damaged = |reason: &str| Unread::Damaged(reason.to_owned());
    let bytes = read_all(file)?;
    let (head, rest) = bytes.split_at_checked(HEAD.len()).ok_or_else(|| damaged("it is cut off"))?;
    let central = rest.strip_suffix(TAIL).ok_or_else(|| damaged("it is cut off"))?;
    let expected = format!("{{\"crc\":\"{:08x}\",\"central\":", crc32c::crc32c(central));
    if head != expected.as_bytes() {
        return Err(damaged("its checksum does not fit its content"));
    }
    serde_json::from_slice(central).map_err(|error| Unread::Damaged(error.to_string()))
}

/// A writer that writes in large pieces and updates the checksum.
struct Summed<'a> {
    file: &'a dyn DiskFile,
    buffer: Vec<u8>,
    offset: u64,
    checksum: u32,
}

impl Write for Summed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        write_all_at(self.file, &self.buffer, self.offset)?;
        self.checksum = crc32c::crc32c_append(self.checksum, &self.buffer);
        self.offset += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

/// JSON formatter with a line for each member down to the levels, and no line breaks below.
#[derive(Default)]
struct LevelALine {
    depth: usize,
}

/// Nesting depth with line breaks: the document, `stores`, a store.
const BROKEN_DEPTH: usize = 3;
const INDENT: &[u8] = b"\n   ";

impl Formatter for LevelALine {
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        match self.depth {
            1..=BROKEN_DEPTH => writer.write_all(INDENT.get(..=self.depth).unwrap_or(INDENT)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_app::central::{CentralFile, CentralLevelRecord, CentralModel, SourceRecord};
    use onhand_domain::{Quantity, Sku, StoreId, Timestamp};
    use onhand_sim_machine::disk::SimDisk;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    fn model(sequence: u64) -> CentralFile {
        let node = Uuid::from_u128(7);
        let qty = |pieces| Quantity::new(pieces).unwrap();
        let level = CentralLevelRecord {
            qty: qty(7),
            on_hand: qty(10),
            reserved: qty(3),
            version: sequence,
            updated_at: Timestamp::EPOCH,
            node,
            ledger: None,
            others: Vec::new(),
        };
        let skus = ["COFFEE", "TEA"].map(|sku| (Sku::new(sku).unwrap(), level.clone()));
        let source = SourceRecord { sequence: Sequence(sequence), ..SourceRecord::default() };
        CentralFile {
            sequence: Sequence(sequence),
            sources: BTreeMap::from([(node, source)]),
            stores: BTreeMap::from([(StoreId::new("LONDON").unwrap(), BTreeMap::from(skus))]),
        }
    }

    fn whole(central: Central) -> CentralFile {
        CentralModel::new(central).copy().whole()
    }

    fn save(store: &FileCentral, sequence: u64) {
        store.save(&CentralModel::new(Central::from(&model(sequence))).copy()).unwrap();
    }

    fn load(store: &FileCentral) -> Option<CentralFile> {
        store.load().unwrap().map(whole)
    }

    fn store() -> (SimDisk, FileCentral) {
        let disk = SimDisk::new(1);
        let layout = Layout::new(Path::new("/data"));
        (disk.clone(), FileCentral::open(Arc::new(disk), layout).unwrap())
    }

    #[test]
    fn the_bytes_are_those_described_above() {
        let (disk, store) = store();
        save(&store, 42);
        let text = String::from_utf8(disk.file("/data/central/central-42.json").unwrap()).unwrap();
        let level = "{\"qty\":7,\"onHand\":10,\"reserved\":3,\"version\":42,\
                     \"updatedAt\":\"1970-01-01T00:00:00.000Z\",\
                     \"node\":\"00000000-0000-0000-0000-000000000007\"}";
        let expected = format!(
            "{{\"crc\":\"{}\",\"central\":{{\n \"sequence\":42,\n \"sources\":{{\n  \
             \"00000000-0000-0000-0000-000000000007\":{{\n   \"sequence\":42}}}},\n \"stores\":{{\n  \
             \"LONDON\":{{\n   \"COFFEE\":{level},\n   \"TEA\":{level}}}}}}}}}\n",
            &text[8..16]
        );
        assert_eq!(text, expected);
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
        assert_eq!(load(&store), Some(model(42)));
    }

    #[test]
    fn two_are_kept_and_the_newest_is_loaded() {
        let (disk, store) = store();
        assert_eq!(load(&store), None);
        for sequence in [1, 9, 10, 11] {
            save(&store, sequence);
        }
        let names = disk.list(Path::new("/data/central")).unwrap();
        assert_eq!(names, ["central-10.json", "central-11.json"]);
        assert_eq!(load(&store), Some(model(11)));
        store.forget().unwrap();
        assert_eq!(load(&store), None);
    }

    #[test]
    fn any_flipped_byte_sets_the_newest_aside_and_the_older_one_is_used() {
        let (disk, store) = store();
        save(&store, 1);
        save(&store, 2);
        let path = "/data/central/central-2.json";
        let bytes = disk.file(path).unwrap();
        for (offset, byte) in bytes.iter().enumerate() {
            let disk = disk.fork();
            disk.corrupt(path, offset, byte ^ 4).unwrap();
            let layout = Layout::new(Path::new("/data"));
            assert_eq!(look(&disk, &layout).unwrap().map(whole), Some(model(1)), "byte {offset}");
            let store = FileCentral::open(Arc::new(disk.clone()), layout).unwrap();
            assert_eq!(load(&store), Some(model(1)), "byte {offset}");
            let names = disk.list(Path::new("/data/central")).unwrap();
            assert_eq!(names, ["central-1.json", "central-2.json.bad"]);
        }
    }

    #[test]
    fn a_file_under_another_name_is_not_believed() {
        let (disk, store) = store();
        save(&store, 1);
        let bytes = disk.file("/data/central/central-1.json").unwrap();
        disk.put("/data/central/central-5.json", &bytes);
        assert_eq!(load(&store), Some(model(1)));
    }
}
