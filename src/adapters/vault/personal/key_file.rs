//! The file of keys: how it is read on, appended to and written anew.

use super::known::NamedKey;
use super::lines::{Entry, HeaderFault, Id, LINE_KEYS, file_of, header, keys_hidden_in, keys_in, line};
use crate::error::{Remedy, VaultError};
use crate::files::{Files, Held};
use crate::record::FORMAT;
use onhand_disk::lines::Lines;
use onhand_disk::{Disk, DiskFile, OpenMode, write_all_at};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file that is written anew goes to the disk in pieces of that size.
const PIECE_BYTES: usize = 1 << 20;

/// The directory of the file, and its name.
pub(super) struct KeyFile {
    vault: PathBuf,
    files: Files,
    path: PathBuf,
}

/// How far a file was read: up to a mark.
#[derive(Clone, Copy)]
pub(super) struct Tail {
    pub(super) file: Id,
    /// The byte behind the mark.
    end: u64,
    /// The lines up to there.
    lines: u64,
}

/// What stands behind the last mark.
#[derive(Default)]
pub(super) struct Rest {
    bytes: u64,
    /// The keys in its lines that are whole.
    pub(super) keys: Vec<Entry>,
}

impl Rest {
    pub(super) const fn is_there(&self) -> bool {
        self.bytes > 0
    }

    pub(super) fn has(&self, subject: &str) -> bool {
        self.keys.iter().any(|entry| *entry.subject == *subject)
    }

    pub(super) fn key(&self, id: Id) -> Option<NamedKey> {
        let entry = self.keys.iter().find(|entry| entry.key_id == id)?;
        Some(NamedKey { id, key: entry.key.0 })
    }
}

/// A file that was open under the name just now.
pub(super) struct Opened(Arc<dyn DiskFile>);

impl Opened {
    /// True when it is that file.
    pub(super) fn is(&self, file: Id) -> io::Result<bool> {
        let wanted = header(file);
        let mut found = vec![0; wanted.len()];
        let mut filled = 0;
        while let Some(room) = found.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.0.read_at(room, filled as u64)? {
                0 => return Ok(false),
                read => filled += read,
            }
        }
        Ok(found == wanted)
    }
}

impl KeyFile {
    /// The file in the directory of a vault.
    pub(super) fn of_vault(disk: Arc<dyn Disk>, vault: PathBuf) -> Self {
        let directory = vault.join("personal");
        let path = directory.join("keys");
        Self { vault, files: Files::new(disk, directory), path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the directory and holds its lock; removes what a killed process has left unfinished.
    pub(super) fn prepare(&self) -> io::Result<Held<'_>> {
        self.files.make_directory(&self.vault)?;
        self.files.make_directory(self.files.directory())?;
        let held = self.files.hold()?;
        self.files.remove_unfinished(self.files.directory())?;
        Ok(held)
    }

    pub(super) fn hold(&self) -> io::Result<Held<'_>> {
        self.files.hold()
    }

    /// Makes it durable which file has the name.
    pub(super) fn sync_name(&self) -> io::Result<()> {
        self.files.sync(self.files.directory())
    }

    /// The error about a file that is not what was written.
    pub(super) fn damaged(&self, reason: impl Into<String>) -> io::Error {
        let (path, reason) = (self.path.clone(), reason.into());
        VaultError::Damaged { path, reason, remedy: Remedy::RestorePersonalKeys }.into()
    }

    /// The error about a file that is missing and was there before.
    pub(super) fn removed(&self) -> io::Error {
        self.damaged("it was removed while it was in use")
    }

    fn damaged_line(&self, number: u64, reason: &str) -> io::Error {
        self.damaged(format!("line {number}: {reason}"))
    }

    /// The file that has the name; nothing when there is none.
    pub(super) fn open(&self) -> io::Result<Option<Opened>> {
        Ok(self.files.open(&self.path, OpenMode::Read)?.map(Opened))
    }

    /// True when that file still has the name.
    pub(super) fn is_still(&self, file: Id) -> io::Result<bool> {
        self.open()?.map_or(Ok(false), |opened| opened.is(file))
    }

    /// Reads the first line.
    pub(super) fn begin(&self, opened: &Opened) -> io::Result<Tail> {
        let mut lines = Lines::few(Arc::clone(&opened.0));
        let first = lines.next_line()?.ok_or_else(|| self.damaged_line(1, "it is cut off"))?;
        let end = first.len() as u64;
        match file_of(first) {
            Ok(file) => Ok(Tail { file, end, lines: 1 }),
            Err(HeaderFault::Damaged(reason)) => Err(self.damaged_line(1, &reason)),
            Err(HeaderFault::Newer(format)) => {
                Err(VaultError::Newer { path: self.path.clone(), format, known: FORMAT }.into())
            }
        }
    }

    /// Reads on from `tail`, which moves to the last mark. `take` is given the keys before each mark; its error is damage.
    pub(super) fn read_on(
        &self,
        opened: &Opened,
        tail: &mut Tail,
        take: &mut dyn FnMut(Vec<Entry>) -> Result<(), String>,
    ) -> io::Result<Rest> {
        let Tail { file, end: mut at, lines: mut number } = *tail;
        let mut lines = Lines::new(Arc::clone(&opened.0), at);
        let mut keys = Vec::new();
        let mut broken: Option<(u64, String)> = None;
        while let Some(next) = lines.next_line()? {
            number += 1;
            let read = keys_in(next, file, at).or_else(|reason| {
                broken.get_or_insert((number, reason));
                keys_hidden_in(next, file, at).ok_or(())
            });
            at += next.len() as u64;
            match read {
                Err(()) => {}
                Ok(read) if !read.is_empty() => keys.extend(read),
                Ok(_) => {
                    if let Some((number, reason)) = broken {
                        return Err(self.damaged_line(number, &reason));
                    }
                    take(std::mem::take(&mut keys))
                        .map_err(|reason| self.damaged_line(number - 1, &reason))?;
                    (tail.end, tail.lines) = (at, number);
                }
            }
        }
        let length = opened.0.len()?;
        let bytes = length.checked_sub(tail.end).ok_or_else(|| self.damaged("it has become shorter"))?;
        Ok(Rest { bytes, keys })
    }

    /// Appends keys to a file that ends at `tail`, durably. The lock is held.
    ///
    /// # Errors
    /// What the disk says. The keys, or some of them, may stand behind the last mark then.
    pub(super) fn append(&self, tail: Tail, keys: &[Entry]) -> io::Result<()> {
        let Tail { file, end, .. } = tail;
        let opened = self.files.open(&self.path, OpenMode::Write)?;
        let opened = opened.ok_or_else(|| self.removed())?;
        let mut bytes = Vec::new();
        for keys in keys.chunks(LINE_KEYS) {
            bytes.extend(line(file, end + bytes.len() as u64, keys.to_vec()));
        }
        if let Err(error) = write_all_at(&*opened, &bytes, end) {
            // Otherwise the file would have to be written anew, for which a full disk has no room. No mark can be in it.
            let _ = opened.truncate(end);
            return Err(error);
        }
        opened.sync_data()?;
        let end = end + bytes.len() as u64;
        // What is left of a mark is not cut off: it could come back in a power cut, behind a part of the next group.
        write_all_at(&*opened, &line(file, end, Vec::new()), end)
    }

    /// Writes all keys to a new file, and gives it the name durably. The lock is held.
    ///
    /// # Errors
    /// What the disk says. The name may then belong to either file.
    pub(super) fn rewrite(&self, file: Id, mut keys: impl Iterator<Item = Entry>) -> io::Result<Tail> {
        self.files.replace_with(&self.path, |new| {
            let mut bytes = header(file);
            let mut tail = Tail { file, end: bytes.len() as u64, lines: 1 };
            let mut written = 0;
            loop {
                let piece: Vec<Entry> = keys.by_ref().take(LINE_KEYS).collect();
                let is_last = piece.is_empty();
                if !is_last {
                    for keys in [piece, Vec::new()] {
                        let line = line(file, tail.end, keys);
                        (tail.end, tail.lines) = (tail.end + line.len() as u64, tail.lines + 1);
                        bytes.extend(line);
                    }
                }
                if is_last || bytes.len() >= PIECE_BYTES {
                    write_all_at(new, &bytes, written)?;
                    written = tail.end;
                    bytes.clear();
                }
                if is_last {
                    return Ok(tail);
                }
            }
        })
    }
}
