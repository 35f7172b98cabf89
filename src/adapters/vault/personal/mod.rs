//! The keys of personal data: one for each subject, in one file, so that erasing a key erases what the log says about somebody.
//!
//! | file | what it does |
//! | --- | --- |
//! | `key_file` | the file: how it is read on, appended to and written anew |
//! | `lines` | its bytes |
//! | `known` | its keys in memory |
//! | `groups` | keys that are made by several threads at once, with one sync |
//! | `sealed` | the text that a key makes of personal data |
//!
//! ```text
//! identity/personal/LOCK             empty; its advisory lock is held by the process that changes the file of keys
//! identity/personal/keys             the lines that follow
//! {"crc":"8 hex","format":1,"file":"16 hex"}<LF>
//! {"crc":"8 hex","file":"16 hex","at":56,"keys":[{"subject":"c-1","keyId":"16 hex","key":"64 hex"}]}<LF>
//! {"crc":"8 hex","file":"16 hex","at":236}<LF>
//! ```
//! The first line names the file: one that is written anew has another name in it. Every other line repeats that name, and says at
//! which byte it begins, so that no remains of another line or file pass for a line. A line has at most 64 keys. One without keys is
//! a **mark**: everything before it was durable when it was written. `crc` and the modes are those of the whole vault.
//!
//! The directory has a lock of its own because orders come by the thousand: logins, which hold the lock of the vault, would wait.
//!
//! **A key is used to seal only when it is durable.** Under the lock a process reads on to the end, appends the keys of all threads
//! that wait with one write, syncs once, and then writes the mark, which is not synced. A reader takes what stands before the last
//! mark; nobody has been told of anything behind it. Such a rest is left by a process that was killed, or whose write or sync has
//! failed. What the page cache shows of it proves nothing, so whoever has the lock next writes the whole file anew (a new file,
//! synced, renamed, the directory synced), with the lines of the rest that are whole. A file whose sync failed is never written
//! again. A power cut can take the last mark but not the keys before it, so the rest is also looked at when a text is to be opened,
//! and a start writes the file anew.
//!
//! **Damage** is a line that is not whole in front of a mark: it was durable once. It is reported and never cut off. Behind the last
//! mark such a line is torn.
//!
//! **Erasing** writes the file anew without the key. Until its directory is synced, the name may fall back to the file before it: a
//! process that meets a new file syncs the directory before it believes it. Before a process uses a key that it knows, it looks
//! whether the file is still the one that it has read; so an erased key is used nowhere from then on. The other processes read all
//! of the new file.
//!
//! **What erasing does not reach.** The blocks of the old file are free, not overwritten: a file system, a snapshot of it, or a
//! solid-state disk may keep them for a while, and overwriting would not reach those copies either. A copy of `identity/personal/`
//! has the keys that it was made with. Keep such copies apart from those of the log, and only for as long as an erasure may take.

mod groups;
mod key_file;
mod known;
mod lines;
mod sealed;
#[cfg(test)]
mod tests;

use crate::error::VaultError;
use crate::random::{RandomSource, of_machine};
use groups::Groups;
use key_file::{KeyFile, Rest, Tail};
use known::{Known, NamedKey};
use lines::{Entry, Id};
use onhand_app::ports::PersonalKeys;
use onhand_disk::Disk;
use parking_lot::{Mutex, MutexGuard, RwLock};
use sealed::Sealed;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// The longest name of a subject.
const SUBJECT_MAX: usize = 64;

/// [`PersonalKeys`] in the directory `identity/personal/` of a data directory.
pub struct PersonalKeyFile {
    file: KeyFile,
    /// How far the file was read. Who holds it reads on, after the lock of the directory where both are held.
    tail: Mutex<Option<Tail>>,
    known: RwLock<Known>,
    making: Groups<Box<str>, HashMap<Box<str>, NamedKey>>,
    erasing: Groups<Box<str>, HashSet<Box<str>>>,
    random: RandomSource,
}

impl PersonalKeyFile {
    /// Opens the keys of the vault in `directory`, `identity/` of a data directory. What is missing is made; the file itself, with the
    /// first key.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn open(disk: Arc<dyn Disk>, directory: PathBuf) -> Result<Self, VaultError> {
        Self::open_with(disk, directory, of_machine()?)
    }

    /// As [`PersonalKeyFile::open`], with another source of random bytes than the machine's.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn open_with(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        random: RandomSource,
    ) -> Result<Self, VaultError> {
        let file = KeyFile::of_vault(disk, directory);
        let keys = Self {
            file,
            tail: Mutex::default(),
            known: RwLock::default(),
            making: Groups::default(),
            erasing: Groups::default(),
            random,
        };
        keys.prepare().map_err(VaultError::at(keys.file.path()))?;
        Ok(keys)
    }

    fn prepare(&self) -> io::Result<()> {
        let _held = self.file.prepare()?;
        let mut tail = self.tail.lock();
        let rest = self.read_on(&mut tail)?;
        // After a power cut, keys that texts were sealed with may stand behind the last mark.
        if rest.is_there() { self.rewrite(&mut tail, rest.keys, &HashSet::new()) } else { Ok(()) }
    }

    /// Takes in what the file has beyond what is known, and answers what stands behind its last mark.
    fn read_on(&self, tail: &mut Option<Tail>) -> io::Result<Rest> {
        let Some(opened) = self.file.open()? else {
            return if tail.is_none() { Ok(Rest::default()) } else { Err(self.file.removed()) };
        };
        match tail {
            Some(tail) if opened.is(tail.file)? => {
                self.file.read_on(&opened, tail, &mut |keys| self.known.write().add(keys))
            }
            _ => {
                // The name could still fall back to the file before it, and take what would be sealed with these keys.
                self.file.sync_name()?;
                let mut read = self.file.begin(&opened)?;
                let mut known = Known::of(read.file);
                let rest = self.file.read_on(&opened, &mut read, &mut |keys| known.add(keys))?;
                *self.known.write() = known;
                *tail = Some(read);
                Ok(rest)
            }
        }
    }

    /// As [`PersonalKeyFile::read_on`], without the lock of the directory.
    fn look(&self) -> io::Result<Rest> {
        // Not within the `match`: the lock of the directory is taken before that of the tail.
        let read = self.read_on(&mut self.tail.lock());
        match read {
            // A process that cuts off what it could not write, and writes on, can look like damage to one that reads meanwhile.
            Err(error)
                if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) =>
            {
                let _held = self.file.hold()?;
                self.read_on(&mut self.tail.lock())
            }
            read => read,
        }
    }

    /// Writes the file anew: with more keys for subjects that have none, without those of some subjects. The lock is held.
    fn rewrite(&self, tail: &mut Option<Tail>, more: Vec<Entry>, but: &HashSet<Box<str>>) -> io::Result<()> {
        let file = Id::of_random(&(self.random)());
        let (written, more) = {
            let known = self.known.read();
            let mut seen = HashSet::new();
            let is_new = |entry: &Entry| {
                let has_none = known.key_of(&entry.subject).is_none() && known.key(entry.key_id).is_none();
                has_none && !but.contains(&entry.subject) && seen.insert(entry.subject.clone())
            };
            let more: Vec<Entry> = more.into_iter().filter(is_new).collect();
            let stay = known.entries().filter(|entry| !but.contains(&entry.subject));
            (self.file.rewrite(file, stay.chain(more.iter().cloned()))?, more)
        };
        let mut known = self.known.write();
        known.become_file(file, but);
        *tail = Some(written);
        known.add(more).map_err(|reason| self.file.damaged(reason))
    }

    /// Makes the keys of the subjects that have none, durably, and answers those of all.
    fn make(&self, subjects: Vec<Box<str>>) -> io::Result<HashMap<Box<str>, NamedKey>> {
        let _held = self.file.hold()?;
        let mut tail = self.tail.lock();
        let rest = self.read_on(&mut tail)?;
        let missing: HashSet<Box<str>> = {
            let known = self.known.read();
            subjects.iter().filter(|subject| known.key_of(subject).is_none()).cloned().collect()
        };
        if !missing.is_empty() {
            match *tail {
                Some(end) if !rest.is_there() => {
                    let keys: Vec<Entry> = missing.into_iter().map(|subject| self.new_key(subject)).collect();
                    // Nobody else writes meanwhile, and who looks for a key does not wait for the disk.
                    MutexGuard::unlocked(&mut tail, || self.file.append(end, &keys))?;
                    self.read_on(&mut tail)?;
                }
                _ => {
                    // Of two keys of a subject the first one counts: a text may have been sealed with what is in the rest.
                    let new = missing.into_iter().map(|subject| self.new_key(subject));
                    let more = rest.keys.into_iter().chain(new).collect();
                    self.rewrite(&mut tail, more, &HashSet::new())?;
                }
            }
        }
        let known = self.known.read();
        Ok(subjects
            .into_iter()
            .filter_map(|subject| Some((subject.clone(), known.key_of(&subject)?)))
            .collect())
    }

    fn new_key(&self, subject: Box<str>) -> Entry {
        Entry::new(subject, Id::of_random(&(self.random)()), (self.random)())
    }

    /// Erases the keys of some subjects, and answers which of them had one.
    fn remove(&self, subjects: Vec<Box<str>>) -> io::Result<HashSet<Box<str>>> {
        let _held = self.file.hold()?;
        let mut tail = self.tail.lock();
        let rest = self.read_on(&mut tail)?;
        let had: HashSet<_> = {
            let known = self.known.read();
            let has = |subject: &str| known.key_of(subject).is_some() || rest.has(subject);
            subjects.into_iter().filter(|subject| has(subject)).collect()
        };
        if !had.is_empty() {
            self.rewrite(&mut tail, rest.keys, &had)?;
        }
        Ok(had)
    }

    /// What memory knows, as long as the file is the one that it was read from.
    fn known_now(&self, find: impl FnOnce(&Known) -> Option<NamedKey>) -> io::Result<Option<NamedKey>> {
        let (found, file) = {
            let known = self.known.read();
            (find(&known), known.file())
        };
        match (found, file) {
            (Some(key), Some(file)) if self.file.is_still(file)? => Ok(Some(key)),
            _ => Ok(None),
        }
    }

    /// The key of a subject, durable; a new one when there is none.
    fn key_of(&self, subject: &str) -> io::Result<NamedKey> {
        if let Some(key) = self.known_now(|known| known.key_of(subject))? {
            return Ok(key);
        }
        let made = self.making.join([subject.into()], |subjects| self.make(subjects))?;
        made.get(subject).copied().ok_or_else(|| io::Error::other("no key was made"))
    }

    /// The key of that id; nothing when it is erased.
    fn key(&self, id: Id) -> io::Result<Option<NamedKey>> {
        if let Some(key) = self.known_now(|known| known.key(id))? {
            return Ok(Some(key));
        }
        let rest = self.look()?;
        Ok(self.known.read().key(id).or_else(|| rest.key(id)))
    }
}

impl PersonalKeys for PersonalKeyFile {
    fn seal(&self, subject: &str, place: &str, plain: &[u8]) -> io::Result<String> {
        require_subject(subject)?;
        let key = self.key_of(subject)?;
        Ok(sealed::seal(&key, subject, place, plain, &(self.random)()))
    }

    fn open(&self, subject: &str, place: &str, sealed: &str) -> io::Result<Option<Vec<u8>>> {
        require_subject(subject)?;
        let sealed = Sealed::parse(sealed)?;
        let Some(key) = self.key(sealed.key_id())? else { return Ok(None) };
        sealed.open(&key, subject, place).map(Some)
    }

    fn erase_all(&self, subjects: &[&str]) -> io::Result<usize> {
        let subjects: HashSet<Box<str>> = subjects.iter().map(|subject| Box::from(*subject)).collect();
        for subject in &subjects {
            require_subject(subject)?;
        }
        let had = self.erasing.join(subjects.iter().cloned(), |subjects| self.remove(subjects))?;
        Ok(subjects.intersection(&had).count())
    }
}

fn require_subject(subject: &str) -> io::Result<()> {
    let printable = subject.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if printable && (1..=SUBJECT_MAX).contains(&subject.len()) {
        return Ok(());
    }
    let fault =
        format!("the subject of personal data is named by 1-{SUBJECT_MAX} printable ASCII characters");
    Err(io::Error::new(io::ErrorKind::InvalidInput, fault))
}

/// Reads every key of the vault in `directory`: how many there are. A part that was not finished is not damage.
///
/// # Errors
/// What the disk says, and damage.
pub(crate) fn check(disk: Arc<dyn Disk>, directory: PathBuf) -> io::Result<usize> {
    let file = KeyFile::of_vault(disk, directory);
    let Some(opened) = file.open()? else { return Ok(0) };
    let mut tail = file.begin(&opened)?;
    let mut known = Known::of(tail.file);
    let rest = file.read_on(&opened, &mut tail, &mut |keys| known.add(keys))?;
    Ok(known.len() + rest.keys.len())
}
