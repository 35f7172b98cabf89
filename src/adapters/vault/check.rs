//! A check of every file of a vault, which may be in use: nothing is changed, and no lock is held.

use crate::error::{Remedy, VaultError};
use crate::files::Files;
use crate::personal;
use crate::record::{
    CentralKeysRecord, KeysRecord, LoginRecord, ManagedRecord, PersonRecord, SessionRecord, TokenRecord,
};
use onhand_disk::Disk;
use onhand_domain::identity::{PrincipalId, TokenId};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What a vault has, and what is wrong with it.
#[derive(Debug, Default)]
pub struct VaultCheck {
    /// The persons.
    pub persons: BTreeSet<PrincipalId>,
    /// The tokens that have a verifier.
    pub tokens: BTreeSet<TokenId>,
    /// How many sessions and links there are, those that have ended among them.
    pub sessions: usize,
    /// How many subjects have a key of their personal data.
    pub personal_keys: usize,
    /// Each file that cannot be used, as a sentence.
    pub wrong: Vec<String>,
}

/// Checks the vault in `directory`; nothing is there when there is none.
///
/// # Errors
/// What the disk says of a directory. What it says of a file is a part of the answer.
pub fn check(disk: Arc<dyn Disk>, directory: PathBuf) -> io::Result<VaultCheck> {
    let personal_keys = personal::check(Arc::clone(&disk), directory.clone());
    let files = Files::new(disk, directory);
    let mut found = VaultCheck::default();
    if !files.is_there()? {
        return Ok(found);
    }
    found.wrong.extend(files.key().err().map(|error| error.to_string()));
    for id in files.ids("persons", PrincipalId::new)? {
        let read = files.read::<PersonRecord>(&files.person(&id), Remedy::NewPerson);
        if found.is_good(read, |record| record.principal_id == id, "person") {
            found.persons.insert(id);
        }
    }
    for id in files.ids("tokens", TokenId::new)? {
        let read = files.read::<TokenRecord>(&files.token(&id), Remedy::NewToken);
        if found.is_good(read, |record| record.token_id == id, "token") {
            found.tokens.insert(id);
        }
    }
    for id in files.all_sessions()? {
        let read = files.read::<SessionRecord>(&files.session(&id), Remedy::LogInAgain);
        found.sessions += usize::from(found.is_good(read, |record| record.session_id == id, "session"));
    }
    for path in files.all_logins()? {
        found.is_good(files.read::<LoginRecord>(&path, Remedy::SavePersonAgain), |_| true, "login");
    }
    found.is_good(files.read::<KeysRecord>(&files.keys(), Remedy::NewKeys), |_| true, "keys");
    found.is_good(files.read::<ManagedRecord>(&files.managed(), Remedy::DeclareAgain), |_| true, "list");
    let central = files.read::<CentralKeysRecord>(&files.central_keys(), Remedy::FetchAgain);
    found.is_good(central, |_| true, "list of keys");
    match personal_keys {
        Ok(count) => found.personal_keys = count,
        Err(error) => found.is_wrong(error, "keys of personal data"),
    }
    Ok(found)
}

impl VaultCheck {
    /// True when a file is there and good. One that has gone since its name was read is neither good nor wrong.
    fn is_good<T: DeserializeOwned>(
        &mut self,
        read: io::Result<Option<T>>,
        fits: impl FnOnce(&T) -> bool,
        what: &str,
    ) -> bool {
        match read {
            Ok(Some(record)) if fits(&record) => true,
            Ok(Some(_)) => {
                self.wrong.push(format!("the file of a {what} is about another {what} than its name says"));
                false
            }
            Ok(None) => false,
            Err(error) => {
                self.is_wrong(error, &format!("a {what}"));
                false
            }
        }
    }

    fn is_wrong(&mut self, error: io::Error, what: &str) {
        self.wrong.push(match error.downcast::<VaultError>() {
            Ok(error) => error.to_string(),
            Err(error) => format!("the file of {what} cannot be read: {error}"),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::personal::PersonalKeyFile;
    use crate::testing::{DIRECTORY, files_with, kept_token, opened, person, person_id, token_id};
    use onhand_app::ports::{PersonalKeys, SessionUse, Vault};
    use onhand_domain::Timestamp;
    use onhand_sim_machine::disk::SimDisk;

    fn checked(disk: &SimDisk) -> VaultCheck {
        check(Arc::new(disk.clone()), DIRECTORY.into()).unwrap()
    }

    #[test]
    fn every_file_is_read_and_each_damage_is_named() {
        let disk = SimDisk::new(1);
        assert!(checked(&disk).persons.is_empty(), "there is no vault");
        let vault = opened(&disk);
        vault.keep_person(&person_id(1), &person("ada", None, None)).unwrap();
        vault.keep_token(&token_id(1), &kept_token(1)).unwrap();
        vault.begin_session(&person_id(1), SessionUse::Browser, Timestamp::EPOCH).unwrap();
        vault.rotate_keys(false, Timestamp::EPOCH).unwrap();
        let keys = PersonalKeyFile::open(Arc::new(disk.clone()), DIRECTORY.into())
            .unwrap_or_else(|error| panic!("{error}"));
        keys.seal("c-1", "order o-1", b"Ada L.").unwrap();
        let sound = checked(&disk);
        assert_eq!((sound.persons.len(), sound.tokens.len(), sound.sessions), (1, 1, 1));
        assert_eq!(sound.personal_keys, 1);
        assert_eq!(sound.wrong, Vec::<String>::new());
        let files = files_with(&disk, "\"crc\"");
        assert_eq!(files.len(), 7);
        for path in files {
            let disk = disk.fork();
            disk.corrupt(&path, 30, b'#').unwrap();
            let found = checked(&disk);
            assert_eq!(found.wrong.len(), 1, "{}: {:?}", path.display(), found.wrong);
            assert!(found.wrong[0].contains(path.to_str().unwrap()), "{:?}", found.wrong);
        }
    }
}
