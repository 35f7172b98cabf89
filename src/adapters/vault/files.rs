//! The files of a vault: where they lie, who may read them, how they are read, replaced and removed.

use crate::error::{Remedy, VaultError};
use crate::random::RandomSource;
use crate::record::{Bytes32, FORMAT, FormatOnly, VaultRecord, hex, seal, unseal};
use onhand_disk::layout::temporary;
use onhand_disk::{
    Disk, DiskFile, LockOutcome, OpenMode, create_dir_durably, create_unfinished, durable_rename,
    finished_or_gone, parent, read_all, remove_unfinished, replace,
};
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, TokenId};
use parking_lot::{Mutex, MutexGuard};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// The longest wait for the lock; a process that holds it longer is stopped in the middle of a change.
const LOCK_WAIT: Duration = Duration::from_secs(10);
/// How long to wait before the lock is tried again. One thread of a process does so, and a trial takes some microseconds. Between
/// two changes of a process that is always at it there is hardly more: who tries seldom, waits for it for seconds.
const TRY_AGAIN: Duration = Duration::from_micros(250);

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// What group and others may do.
const OTHERS: u32 = 0o077;

/// The directory of a vault.
pub(crate) struct Files {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    /// One at a time in this process; the lock file is for the others.
    turn: Mutex<()>,
}

/// The lock of the vault, until it is dropped.
pub(crate) struct Held<'a> {
    _file: Arc<dyn DiskFile>,
    _turn: MutexGuard<'a, ()>,
}

impl Files {
    pub(crate) fn new(disk: Arc<dyn Disk>, directory: PathBuf) -> Self {
        Self { disk, directory, turn: Mutex::new(()) }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(crate) fn token(&self, id: &TokenId) -> PathBuf {
        self.directory.join("tokens").join(format!("{id}.json"))
    }

    pub(crate) fn managed(&self) -> PathBuf {
        self.directory.join("managed.json")
    }

    pub(crate) fn central_keys(&self) -> PathBuf {
        self.directory.join("central-keys.json")
    }

    pub(crate) fn persons(&self) -> PathBuf {
        self.directory.join("persons")
    }

    pub(crate) fn person(&self, id: &PrincipalId) -> PathBuf {
        self.persons().join(format!("{id}.json"))
    }

    pub(crate) fn logins(&self) -> PathBuf {
        self.directory.join("logins")
    }

    pub(crate) fn login(&self, keyed: &[u8; 32]) -> PathBuf {
        self.logins().join(hex(keyed))
    }

    pub(crate) fn sessions(&self) -> PathBuf {
        self.directory.join("sessions")
    }

    pub(crate) fn session(&self, id: &TokenId) -> PathBuf {
        self.sessions().join(format!("{id}.json"))
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.directory.join("keys.json")
    }

    /// Makes what is missing, takes away what killed processes have left unfinished, and answers the key of the logins.
    pub(crate) fn prepare(&self, random: &RandomSource) -> io::Result<[u8; 32]> {
        self.make_directory(&self.directory)?;
        let _held = self.hold()?;
        self.remove_unfinished(&self.directory)?;
        let folders = [self.directory.join("tokens"), self.persons(), self.logins(), self.sessions()];
        for folder in &folders {
            self.make_directory(folder)?;
            self.remove_unfinished(folder)?;
        }
        let path = self.directory.join("vault.json");
        if let Some(bytes) = self.bytes(&path)? {
            return key_in(&path, &bytes);
        }
        for folder in &folders {
            if !self.disk.list(folder)?.is_empty() {
                return Err(VaultError::KeyLost { path }.into());
            }
        }
        let key = random();
        self.put(&path, &VaultRecord { format: FORMAT, key: Bytes32(key) })?;
        Ok(key)
    }

    /// Holds the lock of the vault: nobody else changes anything meanwhile.
    ///
    /// # Errors
    /// What the disk says; [`VaultError::Busy`].
    pub(crate) fn hold(&self) -> io::Result<Held<'_>> {
        self.hold_within(LOCK_WAIT)
    }

    fn hold_within(&self, wait: Duration) -> io::Result<Held<'_>> {
        let turn = self.turn.lock();
        let begun = Instant::now();
        loop {
            if let Some(file) = self.try_lock()? {
                return Ok(Held { _file: file, _turn: turn });
            }
            if begun.elapsed() >= wait {
                return Err(VaultError::Busy { path: self.lock_file() }.into());
            }
            thread::sleep(TRY_AGAIN);
        }
    }

    /// As [`Files::hold`], without waiting; nothing when somebody else holds it.
    pub(crate) fn try_hold(&self) -> io::Result<Option<Held<'_>>> {
        let Some(turn) = self.turn.try_lock() else { return Ok(None) };
        Ok(self.try_lock()?.map(|file| Held { _file: file, _turn: turn }))
    }

    fn try_lock(&self) -> io::Result<Option<Arc<dyn DiskFile>>> {
        let path = self.lock_file();
        let file = self.disk.open(&path, OpenMode::OpenOrCreate)?;
        require_private(&*file, &path, FILE_MODE)?;
        Ok((file.try_lock()? == LockOutcome::Acquired).then_some(file))
    }

    fn lock_file(&self) -> PathBuf {
        self.directory.join("LOCK")
    }

    /// The record in a file; nothing when there is no file.
    pub(crate) fn read<T: DeserializeOwned>(&self, path: &Path, remedy: Remedy) -> io::Result<Option<T>> {
        let Some(bytes) = self.bytes(path)? else { return Ok(None) };
        match unseal(&bytes) {
            Ok(record) => Ok(Some(record)),
            Err(reason) => Err(VaultError::Damaged { path: path.to_path_buf(), reason, remedy }.into()),
        }
    }

    fn bytes(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.open(path, OpenMode::Read)?.map(|file| read_all(&*file)).transpose()
    }

    /// A file that is its owner's alone; nothing when there is none.
    pub(crate) fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Option<Arc<dyn DiskFile>>> {
        let file = match self.disk.open(path, mode) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        require_private(&*file, path, FILE_MODE)?;
        Ok(Some(file))
    }

    /// Lets `write` write a new file, and gives it a name durably, in place of the file that had it. The lock is held.
    ///
    /// # Errors
    /// What the disk says; the name may then belong to either file.
    pub(crate) fn replace_with<T>(
        &self,
        path: &Path,
        write: impl FnOnce(&dyn DiskFile) -> io::Result<T>,
    ) -> io::Result<T> {
        let unfinished = temporary(path);
        let file = create_unfinished(&*self.disk, &unfinished)?;
        let made = write(&*file)
            .and_then(|made| durable_rename(&*self.disk, &*file, &unfinished, path).map(|()| made));
        finished_or_gone(&*self.disk, &unfinished, made)
    }

    /// Writes a record to a file of that name, durably, in place of the one that had it. The lock is held.
    ///
    /// # Errors
    /// What the disk says. The file that had the name has it again then, as far as such a disk lets it: a failed sync of the
    /// directory would leave open which of the two it is.
    pub(crate) fn put(&self, path: &Path, record: &impl Serialize) -> io::Result<()> {
        let before = self.bytes(path)?;
        let written = replace(&*self.disk, path, &seal(record));
        if written.is_err() {
            let _ = match before {
                Some(before) => replace(&*self.disk, path, &before).map(drop),
                None => self.remove(path),
            };
        }
        written.map(drop)
    }

    /// Removes a file durably, with what was never finished of it. The lock is held.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.remove_all(&parent(path), &[temporary(path), path.to_path_buf()])
    }

    /// Removes files of one directory durably, also those that are missing and that a crash could bring back. The lock is held.
    pub(crate) fn remove_all(&self, directory: &Path, paths: &[PathBuf]) -> io::Result<()> {
        for path in paths {
            match self.disk.remove(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        self.sync(directory)
    }

    /// Makes the names in a directory durable as they are seen.
    pub(crate) fn sync(&self, directory: &Path) -> io::Result<()> {
        self.disk.sync_dir(directory)
    }

    /// The ids of all tokens that have a file.
    pub(crate) fn all_tokens(&self) -> io::Result<Vec<TokenId>> {
        let names = self.disk.list(&self.directory.join("tokens"))?;
        Ok(names.iter().filter_map(|name| TokenId::new(name.strip_suffix(".json")?).ok()).collect())
    }

    /// When a file was written last; nothing when there is no file, or the disk does not say.
    pub(crate) fn modified(&self, path: &Path) -> io::Result<Option<Timestamp>> {
        match self.disk.open(path, OpenMode::Read) {
            Ok(file) => file.modified(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The files of logins.
    pub(crate) fn all_logins(&self) -> io::Result<Vec<PathBuf>> {
        let logins = self.logins();
        let names = self.disk.list(&logins)?;
        let keyed = |name: &String| name.len() == 64 && name.bytes().all(|digit| digit.is_ascii_hexdigit());
        Ok(names.into_iter().filter(keyed).map(|name| logins.join(name)).collect())
    }

    /// True when there is a vault.
    pub(crate) fn is_there(&self) -> io::Result<bool> {
        match self.disk.list(&self.directory) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The key of the logins.
    pub(crate) fn key(&self) -> io::Result<[u8; 32]> {
        let path = self.directory.join("vault.json");
        let bytes = self.bytes(&path)?.ok_or_else(|| VaultError::KeyLost { path: path.clone() })?;
        key_in(&path, &bytes)
    }

    /// The ids that have a file in a folder.
    pub(crate) fn ids<T, E>(&self, folder: &str, read: impl Fn(&str) -> Result<T, E>) -> io::Result<Vec<T>> {
        let names = self.disk.list(&self.directory.join(folder))?;
        Ok(names.iter().filter_map(|name| read(name.strip_suffix(".json")?).ok()).collect())
    }

    /// The ids of the sessions that have a file.
    pub(crate) fn all_sessions(&self) -> io::Result<Vec<TokenId>> {
        self.ids("sessions", TokenId::new)
    }

    /// Removes what was never finished in a directory, and fixes what is there. The lock is held, so nobody is at it.
    pub(crate) fn remove_unfinished(&self, directory: &Path) -> io::Result<()> {
        remove_unfinished(&*self.disk, directory)?;
        self.sync(directory)
    }

    /// Makes a directory that is missing. It has to be its owner's alone.
    pub(crate) fn make_directory(&self, directory: &Path) -> io::Result<()> {
        create_dir_durably(&*self.disk, directory)?;
        require_private(&*self.disk.open_dir(directory)?, directory, DIRECTORY_MODE)
    }
}

fn require_private(file: &dyn DiskFile, path: &Path, wanted: u32) -> io::Result<()> {
    match file.mode()? {
        Some(found) if found & OTHERS != 0 => {
            Err(VaultError::OpenToOthers { path: path.to_path_buf(), found, wanted }.into())
        }
        Some(_) | None => Ok(()),
    }
}

fn key_in(path: &Path, bytes: &[u8]) -> io::Result<[u8; 32]> {
    let damaged = |reason| VaultError::Damaged { path: path.to_path_buf(), reason, remedy: Remedy::Restore };
    let FormatOnly { format } = unseal(bytes).map_err(damaged)?;
    if format > FORMAT {
        return Err(VaultError::Newer { path: path.to_path_buf(), format, known: FORMAT }.into());
    }
    let VaultRecord { key, .. } = unseal(bytes).map_err(damaged)?;
    Ok(key.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DIRECTORY, kept_token, opened, person, person_id, token_id};
    use crate::vault::FileVault;
    use onhand_app::ports::Vault;
    use onhand_disk::RealDisk;
    use onhand_sim_machine::disk::SimDisk;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn real(directory: &Path) -> Result<FileVault, VaultError> {
        FileVault::open(Arc::new(RealDisk), directory.to_path_buf())
    }

    fn told(outcome: Result<impl Sized, impl std::fmt::Display>) -> String {
        outcome.map(drop).map_err(|error| error.to_string()).unwrap_err()
    }

    /// A vault on the real disk with a token and a person; every file and directory in it.
    fn filled(directory: &Path) -> Vec<PathBuf> {
        let vault = real(directory).unwrap_or_else(|error| panic!("{error}"));
        vault.keep_token(&token_id(1), &kept_token(1)).unwrap();
        vault.keep_person(&person_id(1), &person("ada", None, None)).unwrap();
        let mut paths = vec![directory.to_path_buf()];
        let mut at = 0;
        while let Some(path) = paths.get(at).cloned() {
            at += 1;
            if path.is_dir() {
                paths.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
        paths
    }

    #[test]
    fn directories_and_files_are_their_owners_alone() {
        let data = tempfile::tempdir().unwrap();
        let paths = filled(&data.path().join("identity"));
        assert_eq!(paths.len(), 10, "{paths:?}");
        for path in paths {
            assert_eq!(mode(&path), if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        }
    }

    #[test]
    fn what_lets_in_others_is_not_used_and_the_error_says_what_to_do() {
        let data = tempfile::tempdir().unwrap();
        let directory = data.path().join("identity");
        for path in filled(&directory) {
            let right = mode(&path);
            for wrong in [right | 0o040, right | 0o004, right | 0o020, right | 0o002] {
                set_mode(&path, wrong);
                let told = match real(&directory) {
                    Err(error) => error.to_string(),
                    Ok(vault) if path.starts_with(directory.join("tokens")) => {
                        told(vault.token(&token_id(1)))
                    }
                    Ok(vault) => told(vault.person_of("ada")),
                };
                let wanted = format!("run `chmod {right:o} {}`", path.display());
                assert!(told.contains(&wanted), "{told}");
                assert!(told.contains(&format!("(mode {wrong:04o})")), "{told}");
            }
            set_mode(&path, right);
        }
        assert!(real(&directory).is_ok());
    }

    #[test]
    fn the_lock_is_waited_for_and_not_for_ever() {
        let disk = SimDisk::new(1);
        opened(&disk);
        let files = || Files::new(Arc::new(disk.clone()), DIRECTORY.into());
        let (one, other) = (files(), files());
        let held = one.hold().unwrap();
        let refused = other.hold_within(Duration::from_millis(20)).map(drop).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
        assert!(refused.to_string().contains("/data/identity/LOCK"), "{refused}");
        thread::scope(|scope| {
            let waiting = scope.spawn(|| other.hold().map(drop));
            thread::sleep(Duration::from_millis(20));
            assert!(!waiting.is_finished());
            drop(held);
            waiting.join().unwrap().unwrap();
        });
    }

    #[test]
    fn what_a_killed_process_left_unfinished_is_removed_at_a_start() {
        let disk = SimDisk::new(1);
        opened(&disk);
        let left = ["vault.json.tmp", "tokens/a.json.tmp", "persons/a.json.tmp", "logins/a.tmp"];
        for name in left {
            disk.put(Path::new(DIRECTORY).join(name), b"secret");
        }
        opened(&disk);
        assert!(left.iter().all(|name| disk.file(Path::new(DIRECTORY).join(name)).is_none()));
    }

    #[test]
    fn what_is_left_over_is_swept_once_it_is_old() {
        let data = tempfile::tempdir().unwrap();
        let directory = data.path().join("identity");
        let vault = real(&directory).unwrap_or_else(|error| panic!("{error}"));
        for number in 1..=4 {
            vault.keep_token(&token_id(number), &kept_token(1)).unwrap();
        }
        let path = |number| directory.join("tokens").join(format!("{}.json", token_id(number)));
        let written = |number, seconds| {
            let at = std::time::UNIX_EPOCH + Duration::from_secs(seconds);
            fs::File::open(path(number)).unwrap().set_modified(at).unwrap();
        };
        for (number, at) in [(1, 999), (2, 1_000), (3, 999)] {
            written(number, at);
        }
        let elsewhere = directory.join("tokens/readme.json");
        fs::write(&elsewhere, "").unwrap();
        let before = Timestamp::from_milliseconds(1_000_000);
        let is_useless = |id: &TokenId| *id != token_id(3);
        assert_eq!(vault.sweep_tokens(&is_useless, before).unwrap(), 1);
        let left = [1, 2, 3, 4].map(|number| path(number).exists());
        assert_eq!(left, [false, true, true, true], "the others are too young, or in use");
        assert!(elsewhere.exists() && vault.token(&token_id(1)).unwrap().is_none());
        assert_eq!(vault.sweep_tokens(&is_useless, before).unwrap(), 0);
    }
}
