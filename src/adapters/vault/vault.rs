//! The vault over a disk.

use crate::ended::Ended;
use crate::error::{Remedy, VaultError};
use crate::files::Files;
use crate::hmac::hmac;
use crate::keys::{Keys, claims_by};
use crate::password;
use crate::persons::Persons;
use crate::random::{RandomSource, of_machine};
use crate::record::{CentralKeysRecord, ManagedRecord};
use crate::sessions::Sessions;
use crate::token::TokenText;
use crate::tokens::Tokens;
use crate::workers::Workers;
use onhand_app::ports::{
    CentralKeys, Claims, KeepError, KeptPerson, KeptSession, KeptToken, Managed, NewSession, PasswordMatch,
    PasswordsBusy, PublicKey, Refreshed, SessionUse, Vault,
};
use onhand_disk::Disk;
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, TokenId, TokenKind};
use parking_lot::RwLock;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// [`Vault`] in the directory `identity/` of a data directory.
pub struct FileVault {
    files: Files,
    key: [u8; 32],
    tokens: Tokens,
    /// Sessions that were ended here, for answers that go on.
    ended: RwLock<Ended>,
    workers: Workers,
    /// Of what is compared in memory.
    secret: [u8; 32],
    random: RandomSource,
}

impl FileVault {
    /// Opens the vault in `directory`, which is made when it is missing.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn open(disk: Arc<dyn Disk>, directory: PathBuf) -> Result<Self, VaultError> {
        Self::open_with(disk, directory, of_machine()?)
    }

    /// As [`FileVault::open`], with another source of random bytes than the machine's.
    ///
    /// # Errors
    /// [`VaultError`].
    pub fn open_with(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        random: RandomSource,
    ) -> Result<Self, VaultError> {
        let files = Files::new(disk, directory);
        let key = files.prepare(&random).map_err(VaultError::at(files.directory()))?;
        let (tokens, ended, workers, secret) =
            (Tokens::default(), RwLock::default(), Workers::default(), random());
        Ok(Self { files, key, tokens, ended, workers, secret, random })
    }

    fn new_id(&self) -> TokenId {
        TokenId::of_random(&self.random())
    }

    fn sessions(&self) -> Sessions<'_> {
        Sessions { files: &self.files, key: &self.key }
    }

    fn keys(&self) -> Keys<'_> {
        Keys { files: &self.files }
    }

    /// Ends the sessions that `ends` names, also for the answers of this process that go on.
    fn end(&self, ends: &dyn Fn(&TokenId, &KeptSession) -> bool) -> io::Result<()> {
        let noted = |id: &TokenId, session: &KeptSession| {
            let goes = ends(id, session);
            if goes {
                self.ended.write().insert(id.clone());
            }
            goes
        };
        self.sessions().end_all(&noted)
    }

    /// How many sessions and links have a file.
    #[cfg(test)]
    pub(crate) fn sessions_kept(&self) -> usize {
        self.files.all_sessions().map_or(0, |ids| ids.len())
    }

    fn persons(&self) -> Persons<'_> {
        Persons { files: &self.files, key: &self.key }
    }
}

impl Vault for FileVault {
    fn issue_token(&self, kind: TokenKind, name: &str) -> io::Result<(TokenId, String)> {
        let id = self.new_id();
        let text = TokenText::issue(kind, &id, self.random());
        self.keep_token(&id, &KeptToken { name: name.to_owned(), sha256: TokenText::sha256(&text) })?;
        Ok((id, text))
    }

    fn issue_signed_token(
        &self,
        claims: Claims,
        name: &str,
        now: Timestamp,
    ) -> io::Result<(TokenId, String)> {
        let id = self.new_id();
        let text = self.sign(&Claims { jti: Some(id.clone()), ..claims }, now)?;
        self.keep_token(&id, &KeptToken { name: name.to_owned(), sha256: TokenText::sha256(&text) })?;
        Ok((id, text))
    }

    fn id_in(&self, text: &str) -> Option<TokenId> {
        TokenText::parse(text).ok().map(|presented| presented.id().clone())
    }

    fn is_known_token(&self, id: &TokenId, text: &str) -> Option<bool> {
        self.tokens.is_known(id, text)
    }

    fn is_token(&self, id: &TokenId, text: &str) -> io::Result<bool> {
        let presented = TokenText::sha256(text);
        Ok(self.token(id)?.is_some_and(|token| bool::from(token.sha256.ct_eq(&presented))))
    }

    fn keep_token(&self, id: &TokenId, token: &KeptToken) -> io::Result<()> {
        self.tokens.keep(&self.files, id, token)
    }

    fn token(&self, id: &TokenId) -> io::Result<Option<KeptToken>> {
        self.tokens.get(&self.files, id)
    }

    fn erase_token(&self, id: &TokenId) -> io::Result<()> {
        self.tokens.erase(&self.files, id)
    }

    fn sweep_tokens(&self, is_useless: &dyn Fn(&TokenId) -> bool, before: Timestamp) -> io::Result<usize> {
        self.tokens.sweep(&self.files, is_useless, before)
    }

    fn sweep_persons(
        &self,
        is_useless: &dyn Fn(&PrincipalId) -> bool,
        before: Timestamp,
    ) -> io::Result<usize> {
        let mut swept = 0;
        for id in self.files.ids("persons", PrincipalId::new)?.iter().filter(|id| is_useless(id)) {
            if self.files.modified(&self.files.person(id))?.is_some_and(|at| at < before) {
                self.erase_person(id)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    fn keep_person(&self, id: &PrincipalId, person: &KeptPerson) -> Result<(), KeepError> {
        self.persons().keep(id, person)
    }

    fn change_person(&self, id: &PrincipalId, change: &dyn Fn(&mut KeptPerson)) -> Result<bool, KeepError> {
        self.persons().change(id, change)
    }

    fn person(&self, id: &PrincipalId) -> io::Result<Option<KeptPerson>> {
        self.persons().get(id)
    }

    fn person_of(&self, login: &str) -> io::Result<Option<PrincipalId>> {
        self.persons().of_login(login)
    }

    fn erase_person(&self, id: &PrincipalId) -> io::Result<()> {
        self.persons().erase(id)?;
        self.end_sessions_of(id, None)
    }

    fn begin_session(&self, id: &PrincipalId, usage: SessionUse, now: Timestamp) -> io::Result<NewSession> {
        self.sessions().begin(id, usage, now, &*self.random)
    }

    fn session(&self, id: &TokenId, now: Timestamp) -> io::Result<Option<KeptSession>> {
        self.sessions().get(id, now)
    }

    fn session_of(
        &self,
        usage: SessionUse,
        text: &str,
        now: Timestamp,
    ) -> io::Result<Option<(TokenId, KeptSession)>> {
        self.sessions().of_text(usage, text, now)
    }

    fn renew_session(&self, text: &str, now: Timestamp) -> io::Result<Refreshed> {
        let renewed = self.sessions().renew(text, now, &*self.random)?;
        if let (Refreshed::Reused(_), Some(id)) = (&renewed, Sessions::id_in(text)) {
            self.ended.write().insert(id);
        }
        Ok(renewed)
    }

    fn take_link(&self, text: &str, now: Timestamp) -> io::Result<Option<PrincipalId>> {
        self.sessions().take_link(text, now)
    }

    fn end_session(&self, id: &TokenId) -> io::Result<()> {
        self.ended.write().insert(id.clone());
        self.sessions().end(id)
    }

    fn end_sessions_of(&self, id: &PrincipalId, but: Option<&TokenId>) -> io::Result<()> {
        self.end(&|session_id, session| session.principal_id == *id && but != Some(session_id))
    }

    fn end_links_of(&self, id: &PrincipalId) -> io::Result<()> {
        self.end(&|_, session| session.principal_id == *id && session.usage == SessionUse::Link)
    }

    fn has_ended(&self, id: &TokenId) -> bool {
        self.ended.read().contains(id)
    }

    fn sign(&self, claims: &Claims, now: Timestamp) -> io::Result<String> {
        self.keys().sign(claims, now, &*self.random)
    }

    fn claims_in(&self, text: &str) -> io::Result<Option<Claims>> {
        self.keys().claims_in(text)
    }

    fn claims_by(&self, keys: &[PublicKey], text: &str) -> Option<Claims> {
        claims_by(keys, text)
    }

    fn keep_central_keys(&self, keys: &CentralKeys) -> io::Result<()> {
        let _held = self.files.hold()?;
        self.files.put(&self.files.central_keys(), &CentralKeysRecord::new(keys))
    }

    fn central_keys(&self) -> io::Result<Option<CentralKeys>> {
        let record = self.files.read::<CentralKeysRecord>(&self.files.central_keys(), Remedy::FetchAgain)?;
        Ok(record.map(CentralKeysRecord::keys))
    }

    fn public_keys(&self) -> io::Result<Vec<PublicKey>> {
        self.keys().published()
    }

    fn rotate_keys(&self, revokes: bool, now: Timestamp) -> io::Result<String> {
        self.keys().rotate(revokes, now, &*self.random)
    }

    fn upkeep(&self, now: Timestamp) -> io::Result<()> {
        self.ended.write().forget();
        self.sessions().end_all(&|_, session| !session.is_good(now))?;
        self.keys().upkeep(now, &*self.random)
    }

    fn check_password(&self, password: &str, logins: &[&str]) -> Result<(), String> {
        password::check(password, logins).map_err(|fault| fault.to_string())
    }

    fn hash_password(&self, password: &str) -> Result<String, PasswordsBusy> {
        self.workers.hash(password)
    }

    fn verify_password(&self, password: &str, kept: Option<&str>) -> Result<PasswordMatch, PasswordsBusy> {
        self.workers.verify(password, kept)
    }

    fn managed(&self) -> io::Result<Managed> {
        let record = self.files.read::<ManagedRecord>(&self.files.managed(), Remedy::DeclareAgain)?;
        Ok(record.map(ManagedRecord::managed).unwrap_or_default())
    }

    fn keep_managed(&self, managed: &Managed) -> io::Result<()> {
        let _held = self.files.hold()?;
        self.files.put(&self.files.managed(), &ManagedRecord::new(managed))
    }

    fn random(&self) -> [u8; 32] {
        (self.random)()
    }

    fn personal_hash(&self, data: &[u8]) -> [u8; 32] {
        hmac(&self.key, &[b"personal data", data])
    }

    fn keyed_hash(&self, parts: &[&[u8]]) -> [u8; 32] {
        // The length in front: no two lists of parts have the same bytes.
        let lengths: Vec<_> = parts.iter().map(|part| part.len().to_le_bytes()).collect();
        let framed: Vec<&[u8]> =
            lengths.iter().zip(parts).flat_map(|(length, part)| [length.as_slice(), part]).collect();
        hmac(&self.secret, &framed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{
        DIRECTORY, Prepare, crashes, fail_at_every_operation, files_with, kept_token, open, opened,
        person_id, seen, stop_at_every_operation, token_id,
    };
    use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection, SimDisk};
    use std::path::Path;

    #[test]
    fn a_token_is_kept_found_replaced_and_erased() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        assert!(vault.token(&token_id(1)).unwrap().is_none());
        vault.keep_token(&token_id(1), &kept_token(1)).unwrap();
        assert!(vault.token(&token_id(1)).unwrap() == Some(kept_token(1)));
        vault.keep_token(&token_id(1), &kept_token(2)).unwrap();
        assert!(vault.token(&token_id(1)).unwrap() == Some(kept_token(2)));
        disk.crash(Crash::DropUnsynced);
        assert!(opened(&disk).token(&token_id(1)).unwrap() == Some(kept_token(2)));
        let vault = opened(&disk);
        vault.erase_token(&token_id(1)).unwrap();
        vault.erase_token(&token_id(1)).unwrap();
        assert!(vault.token(&token_id(1)).unwrap().is_none());
        assert!(files_with(&disk, token_id(1).as_str()).is_empty());
    }

    #[test]
    fn a_token_is_read_once_and_a_missing_one_each_time() {
        let disk = SimDisk::new(1);
        let (here, elsewhere) = (opened(&disk), opened(&disk));
        assert!(here.token(&token_id(1)).unwrap().is_none());
        elsewhere.keep_token(&token_id(1), &kept_token(1)).unwrap();
        assert!(here.token(&token_id(1)).unwrap() == Some(kept_token(1)));
        let operations = disk.operations();
        assert!(here.token(&token_id(1)).unwrap() == Some(kept_token(1)));
        assert_eq!(disk.operations(), operations);
    }

    /// A reader holds what it has read from the file, and puts it into memory only now.
    #[test]
    fn what_was_read_before_a_change_is_not_remembered_after_it() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        vault.keep_token(&token_id(1), &kept_token(1)).unwrap();
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                for _ in 0..2_000 {
                    let _ = vault.token(&token_id(1)).unwrap();
                }
            });
            for byte in 0..50 {
                vault.keep_token(&token_id(1), &kept_token(byte)).unwrap();
                assert!(vault.token(&token_id(1)).unwrap() == Some(kept_token(byte)));
            }
            vault.erase_token(&token_id(1)).unwrap();
            assert!(vault.token(&token_id(1)).unwrap().is_none());
            reader.join().unwrap();
        });
        assert!(vault.token(&token_id(1)).unwrap().is_none());
    }

    #[test]
    fn a_change_of_a_token_happens_or_does_not() {
        let nothing = |_: &FileVault| {};
        let kept = |vault: &FileVault| vault.keep_token(&token_id(1), &kept_token(1)).unwrap();
        let make = |vault: &FileVault| vault.keep_token(&token_id(1), &kept_token(1)).is_ok();
        let replace = |vault: &FileVault| vault.keep_token(&token_id(1), &kept_token(2)).is_ok();
        let erase = |vault: &FileVault| vault.erase_token(&token_id(1)).is_ok();
        stop_at_every_operation(&nothing, &make);
        stop_at_every_operation(&kept, &replace);
        stop_at_every_operation(&kept, &erase);
        fail_at_every_operation(&nothing, &make, false);
        fail_at_every_operation(&kept, &replace, false);
        fail_at_every_operation(&kept, &erase, true);
    }

    fn managed(number: u64) -> Managed {
        let persons = [person_id(number)].into();
        Managed { file: "/etc/onhand/identity.toml".to_owned(), persons, tokens: [token_id(number)].into() }
    }

    #[test]
    fn what_a_file_declares_is_kept_whole_or_as_before() {
        let disk = SimDisk::new(1);
        opened(&disk).keep_managed(&managed(1)).unwrap();
        disk.crash(Crash::DropUnsynced);
        assert_eq!(opened(&disk).managed().unwrap(), managed(1));
        let nothing = |_: &FileVault| {};
        let kept = |vault: &FileVault| vault.keep_managed(&managed(1)).unwrap();
        let replace = |vault: &FileVault| vault.keep_managed(&managed(2)).is_ok();
        for before in [&nothing as Prepare<'_>, &kept] {
            stop_at_every_operation(before, &replace);
            fail_at_every_operation(before, &replace, false);
        }
        let path = Path::new(DIRECTORY).join("managed.json");
        disk.corrupt(&path, 30, b'#').unwrap();
        let told = told(opened(&disk).managed());
        assert!(told.contains("managed.json is damaged") && told.contains("IDENTITY_FILE"), "{told}");
    }

    #[test]
    fn a_vault_is_made_whole_or_made_again() {
        for n in 1.. {
            let disk = SimDisk::new(n);
            disk.inject(Injection::at(n, Fault::Crash));
            let made = open(&disk).is_ok();
            for how in crashes() {
                let disk = disk.fork();
                disk.clear_faults();
                disk.crash(how);
                let key = opened(&disk).key;
                disk.crash(Crash::DropUnsynced);
                assert_eq!(opened(&disk).key, key, "stopped at operation {n}, {how:?}");
            }
            if made {
                assert!(n > 20, "opening has few operations: {n}");
                break;
            }
        }
        for n in 1.. {
            let disk = SimDisk::new(n);
            disk.inject(Injection::at(n, Fault::Eio));
            let made = open(&disk).map(|vault| vault.key).ok();
            disk.clear_faults();
            let key = opened(&disk).key;
            assert!(made.is_none_or(|made| made == key), "operation {n}");
            if disk.hits().is_empty() {
                break;
            }
        }
    }

    #[test]
    fn every_vault_has_a_key_of_its_own_from_the_machine() {
        let make = || {
            let disk = Arc::new(SimDisk::new(1));
            FileVault::open(disk, DIRECTORY.into()).unwrap_or_else(|error| panic!("{error}"))
        };
        let (one, other) = (make(), make());
        assert_ne!(one.key, other.key);
        assert_ne!(one.random(), one.random());
        assert_ne!(one.random(), [0; 32]);
    }

    #[test]
    fn a_reader_hears_of_an_error_and_not_that_there_is_nothing() {
        let disk = SimDisk::new(1);
        opened(&disk).keep_token(&token_id(1), &kept_token(1)).unwrap();
        for operation in [DiskOperation::Open, DiskOperation::Len, DiskOperation::ReadAt] {
            let vault = opened(&disk);
            disk.inject(Injection::at(1, Fault::Eio).only(operation));
            assert!(vault.token(&token_id(1)).is_err(), "{operation:?}");
            assert_eq!(seen(&vault).len(), 2, "the token, and the number of sessions");
        }
    }

    fn told(outcome: io::Result<impl Sized>) -> String {
        outcome.map(drop).unwrap_err().to_string()
    }

    #[test]
    fn a_damaged_token_is_told_from_a_missing_one() {
        let disk = SimDisk::new(1);
        opened(&disk).keep_token(&token_id(1), &kept_token(1)).unwrap();
        let path = Path::new(DIRECTORY).join("tokens").join(format!("{}.json", token_id(1)));
        for at in 0..disk.file(&path).unwrap().len() {
            let disk = disk.fork();
            disk.corrupt(&path, at, b'#').unwrap();
            let error = opened(&disk).token(&token_id(1)).map(drop).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "byte {at}");
            let told = error.to_string();
            assert!(told.contains(path.to_str().unwrap()) && told.contains("revoke the token"), "{told}");
        }
        let other = path.with_file_name(format!("{}.json", token_id(2)));
        disk.put(&other, &disk.file(&path).unwrap());
        assert!(told(opened(&disk).token(&token_id(2))).contains("it is about"));
    }

    #[test]
    fn a_damaged_newer_or_missing_key_is_refused() {
        let disk = SimDisk::new(1);
        opened(&disk).keep_token(&token_id(1), &kept_token(1)).unwrap();
        let path = Path::new(DIRECTORY).join("vault.json");
        let refused = |disk: &SimDisk| open(disk).err().map(|error| error.to_string()).unwrap();
        for at in 0..disk.file(&path).unwrap().len() {
            let disk = disk.fork();
            disk.corrupt(&path, at, b'#').unwrap();
            let told = refused(&disk);
            assert!(told.contains("vault.json is damaged") && told.contains("Restore it"), "{told}");
        }
        let newer = br#""format":2,"keys":["more than one"]}"#;
        let crc = crc32c::crc32c(newer);
        let line = [format!("{{\"crc\":\"{crc:08x}\",").as_bytes(), newer, b"\n"].concat();
        let later = disk.fork();
        later.put(&path, &line);
        let told = refused(&later);
        assert!(told.contains("has format 2") && told.contains("reads format 1"), "{told}");
        assert_eq!(later.file(&path).unwrap(), line, "it is left alone");
        disk.remove(&path).unwrap();
        assert!(refused(&disk).contains("vault.json is missing"), "{}", refused(&disk));
    }
}
