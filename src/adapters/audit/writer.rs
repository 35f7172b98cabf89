//! Appends entries to the chain of this process.

use crate::end::{ChainEnd, Tail};
use crate::file_name::{Day, FileName, list};
use crate::line::{Line, LineHash};
use crate::options::TrailOptions;
use onhand_app::ports::{AuditEntry, AuditKind};
use onhand_disk::{Disk, DiskFile, create_dir_durably, create_unfinished, write_all_at};
use onhand_domain::Timestamp;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Entries that wait for a disk that refuses; further ones are lost.
const UNSYNCED_MAX: usize = 10_000;

/// The chain of this process.
pub(crate) struct ChainWriter {
    disk: Arc<dyn Disk>,
    options: TrailOptions,
    /// The end of the chain is known.
    opened: bool,
    /// The last entry that is in the file.
    tail: Tail,
    /// The last entry that is durable.
    synced: Tail,
    file: Option<OpenFile>,
    /// Entries that are not durable yet; the first ones of them are in the file.
    unsynced: VecDeque<AuditEntry>,
    in_file: usize,
    /// The time of the last entry: the time of a chain never goes back.
    time: Timestamp,
    lost: u64,
}

struct OpenFile {
    name: FileName,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    length: u64,
    /// A sync of the file has succeeded, and its name is durable.
    named: bool,
}

impl ChainWriter {
    pub(crate) fn new(disk: Arc<dyn Disk>, options: TrailOptions) -> Self {
        Self {
            disk,
            options,
            opened: false,
            tail: Tail::default(),
            synced: Tail::default(),
            file: None,
            unsynced: VecDeque::new(),
            in_file: 0,
            time: Timestamp::EPOCH,
            lost: 0,
        }
    }

    /// Finds the end of the chain, unless it is known; what was wrong with it becomes an entry.
    ///
    /// # Errors
    /// What the disk says; it can be tried again.
    pub(crate) fn open(&mut self, now: Timestamp) -> io::Result<()> {
        if self.opened {
            return Ok(());
        }
        let directory = &self.options.directory;
        create_dir_durably(&*self.disk, directory)?;
        let ChainEnd { tail, repaired, damaged } =
            ChainEnd::find(&*self.disk, directory, self.options.chain)?;
        (self.tail, self.synced, self.opened) = (tail, tail, true);
        let found = [(AuditKind::Damaged, damaged), (AuditKind::Repaired, repaired)];
        for (kind, detail) in found.into_iter().filter(|(_, detail)| detail.is_some()) {
            self.unsynced.push_front(AuditEntry { detail, ..AuditEntry::new(now, kind) });
        }
        Ok(())
    }

    /// Takes entries; those for which there is no room are lost.
    pub(crate) fn add(&mut self, entries: impl IntoIterator<Item = AuditEntry>) {
        for entry in entries {
            if self.unsynced.len() < UNSYNCED_MAX {
                self.unsynced.push_back(entry);
            } else {
                self.lost += entry.count;
            }
        }
    }

    /// The number of entries that were lost since the last call.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// True when something that was taken is not in the file.
    pub(crate) fn has_unwritten(&self) -> bool {
        self.in_file < self.unsynced.len()
    }

    /// True when something is not durable.
    pub(crate) fn is_behind(&self) -> bool {
        !self.unsynced.is_empty()
    }

    /// Writes what was taken. Returns how many lines were written.
    ///
    /// # Errors
    /// What the disk says: nothing is lost by it, and the next call goes on in another file.
    pub(crate) fn write(&mut self, now: Timestamp) -> io::Result<u64> {
        self.open(now)?;
        let mut lines = 0;
        while let Some(entry) = self.unsynced.get_mut(self.in_file) {
            entry.time = entry.time.max(self.time);
            let entry = entry.clone();
            if let Err(error) = self.append(entry) {
                self.give_up();
                return Err(error);
            }
            lines += 1;
        }
        Ok(lines)
    }

    /// Makes durable what was written.
    ///
    /// # Errors
    /// As [`ChainWriter::write`].
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        let synced = self.sync_file();
        if synced.is_err() {
            self.give_up();
        }
        synced
    }

    fn sync_file(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.file else { return Ok(()) };
        if self.in_file == 0 {
            return Ok(());
        }
        open.file.sync_data()?;
        if !open.named {
            self.disk.sync_dir(&self.options.directory)?;
            open.named = true;
        }
        self.synced = self.tail;
        self.unsynced.drain(..self.in_file);
        self.in_file = 0;
        Ok(())
    }

    fn append(&mut self, entry: AuditEntry) -> io::Result<()> {
        let (day, time) = (Day::of(entry.time), entry.time);
        let full = |open: &OpenFile| open.name.day != day || open.length >= self.options.file_bytes;
        if self.file.as_ref().is_some_and(full) {
            // What the next file says in `synced` covers all of this one.
            self.sync_file()?;
            self.file = None;
        }
        if self.file.is_none() {
            self.begin_file(day)?;
        }
        let Some(open) = &mut self.file else { return Ok(()) };
        let n = self.tail.n + 1;
        let line = Line { prev: self.tail.hash, n, synced: self.synced.n, entry }.encode();
        write_all_at(&*open.file, &line, open.length)?;
        open.length += line.len() as u64;
        self.tail = Tail { n, hash: LineHash::of(&line) };
        self.time = time;
        self.in_file += 1;
        Ok(())
    }

    fn begin_file(&mut self, day: Day) -> io::Result<()> {
        let name = FileName { chain: self.options.chain, first: self.tail.n + 1, day };
        let path = self.options.directory.join(name.to_string());
        // A file of that name can only be one that was given up, and could not be removed.
        let file = create_unfinished(&*self.disk, &path)?;
        self.file = Some(OpenFile { name, path, file, length: 0, named: false });
        if let Err(error) = self.remove_old(day) {
            tracing::warn!(%error, "a file of the audit trail that is too old cannot be removed");
        }
        Ok(())
    }

    /// Removes files whose day is over for too long; of other chains all but the last one, which a process may be writing.
    fn remove_old(&self, today: Day) -> io::Result<()> {
        let directory = &self.options.directory;
        let files = list(&*self.disk, directory)?;
        let followed = files.iter().zip(files.iter().skip(1)).filter(|(file, next)| file.chain == next.chain);
        let old = followed.filter(|(file, _)| file.day.is_older_than(self.options.keep_days, today));
        for (file, _) in old {
            self.disk.remove(&directory.join(file.to_string()))?;
        }
        Ok(())
    }

    /// Leaves the file for good: after an error nothing is known of what is not durable. It is written again, into another file.
    fn give_up(&mut self) {
        self.tail = self.synced;
        self.in_file = 0;
        if let Some(open) = self.file.take().filter(|open| !open.named) {
            // Nothing in it is durable, and the next file may have its name.
            let _ = self.disk.remove(&open.path);
        }
    }
}
