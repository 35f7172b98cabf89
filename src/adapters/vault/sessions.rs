//! Sessions of persons, and links that set a password once.
//!
//! A refresh token is replaced at each use. Its successor is an HMAC of the old text with a salt that is kept, so that a client
//! whose answer was lost gets the same successor again, for [`REPEAT_MS`]; the vault alone is not enough to make either. A
//! replaced token that comes later was copied: its session ends. So that a guess ends nobody's session, half of the secret of
//! a refresh token is random, and the other half an HMAC of it with the key of the vault: every token that was ever given out
//! is known as such, though only two of them are kept.

use crate::error::{Remedy, VaultError};
use crate::files::Files;
use crate::hmac::hmac;
use crate::record::{Bytes32, Replaced, SessionRecord};
use crate::token::{TokenText, issue, letter_and_id, secret_in};
use onhand_app::ports::{KeptSession, NewSession, Refreshed, SessionUse};
use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, TokenId};
use onhand_planted::{Bug, planted};
use std::io;
use subtle::ConstantTimeEq;

/// How long a replaced refresh token gets the same successor again.
const REPEAT_MS: i64 = 10_000;
/// Half of a secret, in bytes.
const HALF: usize = 16;

/// The part of a vault that knows sessions.
pub(crate) struct Sessions<'a> {
    pub(crate) files: &'a Files,
    /// Of refresh tokens.
    pub(crate) key: &'a [u8; 32],
}

/// The letter behind `oh` in the text of such a secret.
const fn letter(usage: SessionUse) -> char {
    match usage {
        SessionUse::Browser => 'b',
        SessionUse::Refresh => 'r',
        SessionUse::Link => 'l',
    }
}

impl Sessions<'_> {
    /// The id of the session of a refresh token.
    pub(crate) fn id_in(text: &str) -> Option<TokenId> {
        let (found, id) = letter_and_id(text)?;
        (found == letter(SessionUse::Refresh)).then_some(id)
    }

    /// Begins a session; `random` gives the id and the secret.
    pub(crate) fn begin(
        &self,
        principal_id: &PrincipalId,
        usage: SessionUse,
        now: Timestamp,
        random: &dyn Fn() -> [u8; 32],
    ) -> io::Result<NewSession> {
        let session_id = TokenId::of_random(&random());
        let text = match usage {
            SessionUse::Refresh => self.refresh_token(&session_id, &random()),
            SessionUse::Browser | SessionUse::Link => issue(letter(usage), &session_id, random()),
        };
        let expires_at = now.plus_seconds(usage.life().total);
        let record = SessionRecord {
            session_id: session_id.clone(),
            principal_id: principal_id.clone(),
            usage,
            sha256: Bytes32(TokenText::sha256(&text)),
            replaced: None,
            created_at: now,
            used_at: now,
            expires_at,
        };
        let _held = self.files.hold()?;
        self.files.put(&self.files.session(&session_id), &record)?;
        Ok(NewSession { session_id, text, expires_at })
    }

    /// The good session of an id.
    pub(crate) fn get(&self, id: &TokenId, now: Timestamp) -> io::Result<Option<KeptSession>> {
        let record = self.record(id)?;
        Ok(record.map(|record| record.session()).filter(|session| session.is_good(now)))
    }

    /// The good session of a cookie or link. A use of a cookie is noted as far as that is possible at once: a full disk, or
    /// another process that holds the lock, fails no request.
    pub(crate) fn of_text(
        &self,
        usage: SessionUse,
        text: &str,
        now: Timestamp,
    ) -> io::Result<Option<(TokenId, KeptSession)>> {
        let Some((id, record)) = self.matching(usage, text, now)? else { return Ok(None) };
        if record.is_use_due(now)
            && let Err(error) = self.note_use(&id, now)
        {
            tracing::debug!(session = %id, %error, "the use of a session is not noted");
        }
        Ok(Some((id, record.session())))
    }

    /// Replaces a refresh token.
    pub(crate) fn renew(
        &self,
        text: &str,
        now: Timestamp,
        random: &dyn Fn() -> [u8; 32],
    ) -> io::Result<Refreshed> {
        // Without the lock first: invented tokens must not make other requests wait.
        let Some(id) = Self::id_in(text) else { return Ok(Refreshed::Unknown) };
        if self.record(&id)?.is_none() {
            return Ok(Refreshed::Unknown);
        }
        let _held = self.files.hold()?;
        let Some(record) = self.record(&id)?.filter(|record| record.session().is_good(now)) else {
            return Ok(Refreshed::Unknown);
        };
        let presented = TokenText::sha256(text);
        let is = |kept: &Bytes32| bool::from(kept.0.ct_eq(&presented));
        let renewed = |record: &SessionRecord, text| {
            let new = NewSession { session_id: id.clone(), text, expires_at: record.expires_at };
            Refreshed::Renewed(record.session(), new)
        };
        if is(&record.sha256) {
            let salt = random();
            let successor = self.successor(&id, text, &salt);
            let replaced = Replaced { sha256: Bytes32(presented), salt: Bytes32(salt), at: now };
            let sha256 = Bytes32(TokenText::sha256(&successor));
            let record = SessionRecord { sha256, replaced: Some(replaced), used_at: now, ..record };
            self.files.put(&self.files.session(&id), &record)?;
            return Ok(renewed(&record, successor));
        }
        match &record.replaced {
            Some(replaced) if is(&replaced.sha256) && now < replaced.at.plus_milliseconds(REPEAT_MS) => {
                Ok(renewed(&record, self.successor(&id, text, &replaced.salt.0)))
            }
            _ if self.was_given_out(&id, text) && !planted(Bug::ForgetRefreshReuse) => {
                self.files.remove(&self.files.session(&id))?;
                Ok(Refreshed::Reused(record.principal_id))
            }
            _ => Ok(Refreshed::Unknown),
        }
    }

    /// Takes a link, which nobody else can take then.
    pub(crate) fn take_link(&self, text: &str, now: Timestamp) -> io::Result<Option<PrincipalId>> {
        let _held = self.files.hold()?;
        let Some((id, record)) = self.matching(SessionUse::Link, text, now)? else { return Ok(None) };
        self.files.remove(&self.files.session(&id))?;
        Ok(Some(record.principal_id))
    }

    /// Ends a session.
    pub(crate) fn end(&self, id: &TokenId) -> io::Result<()> {
        let _held = self.files.hold()?;
        self.files.remove(&self.files.session(id))
    }

    /// Ends the sessions and links that `ends` names. The files that cannot be read go too: nobody can use them.
    pub(crate) fn end_all(&self, ends: &dyn Fn(&TokenId, &KeptSession) -> bool) -> io::Result<()> {
        let _held = self.files.hold()?;
        let mut ended = Vec::new();
        for id in self.files.all_sessions()? {
            let goes = match self.record(&id) {
                Ok(record) => record.is_some_and(|record| ends(&id, &record.session())),
                Err(error) => {
                    tracing::warn!(session = %id, %error, "a session that cannot be read ends");
                    true
                }
            };
            ended.extend(goes.then(|| self.files.session(&id)));
        }
        if ended.is_empty() { Ok(()) } else { self.files.remove_all(&self.files.sessions(), &ended) }
    }

    fn note_use(&self, id: &TokenId, now: Timestamp) -> io::Result<()> {
        let Some(_held) = self.files.try_hold()? else { return Ok(()) };
        // It may have ended meanwhile, or another request has noted its use.
        match self.record(id)?.filter(|record| record.is_use_due(now)) {
            Some(record) => {
                self.files.put(&self.files.session(id), &SessionRecord { used_at: now, ..record })
            }
            None => Ok(()),
        }
    }

    fn matching(
        &self,
        usage: SessionUse,
        text: &str,
        now: Timestamp,
    ) -> io::Result<Option<(TokenId, SessionRecord)>> {
        let Some((_, id)) = letter_and_id(text).filter(|(found, _)| *found == letter(usage)) else {
            return Ok(None);
        };
        let presented = TokenText::sha256(text);
        let fits = |record: &SessionRecord| {
            record.usage == usage
                && record.session().is_good(now)
                && bool::from(record.sha256.0.ct_eq(&presented))
        };
        Ok(self.record(&id)?.filter(fits).map(|record| (id, record)))
    }

    /// The refresh token that takes the place of another one.
    fn successor(&self, id: &TokenId, text: &str, salt: &[u8; 32]) -> String {
        self.refresh_token(id, &hmac(text.as_bytes(), &[salt]))
    }

    /// A refresh token of the first half of some random bytes.
    fn refresh_token(&self, id: &TokenId, random: &[u8; 32]) -> String {
        let mut secret = *random;
        let (half, seal) = secret.split_at_mut(HALF);
        seal.copy_from_slice(self.seal(id, half).split_at(HALF).0);
        issue(letter(SessionUse::Refresh), id, secret)
    }

    fn was_given_out(&self, id: &TokenId, text: &str) -> bool {
        let secret = secret_in(text).unwrap_or_default();
        let (half, seal) = secret.split_at(HALF);
        self.seal(id, half).split_at(HALF).0.ct_eq(seal).into()
    }

    fn seal(&self, id: &TokenId, half: &[u8]) -> [u8; 32] {
        hmac(self.key, &[b"refresh token", id.as_str().as_bytes(), half])
    }

    fn record(&self, id: &TokenId) -> io::Result<Option<SessionRecord>> {
        let path = self.files.session(id);
        let Some(record) = self.files.read::<SessionRecord>(&path, Remedy::LogInAgain)? else {
            return Ok(None);
        };
        if record.session_id != *id {
            let reason = format!("it is about {}", record.session_id);
            return Err(VaultError::Damaged { path, reason, remedy: Remedy::LogInAgain }.into());
        }
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{DIRECTORY, files_with, opened, person_id, stop_at_every_operation};
    use crate::vault::FileVault;
    use onhand_app::ports::Vault;
    use onhand_disk::{Disk, LockOutcome, OpenMode};
    use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection, SimDisk};
    use std::path::Path;

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::EPOCH.plus_seconds(1_000_000 + seconds)
    }

    fn begun(vault: &FileVault, usage: SessionUse) -> NewSession {
        vault.begin_session(&person_id(1), usage, at(0)).unwrap()
    }

    fn renewed(vault: &FileVault, text: &str, now: Timestamp) -> Option<String> {
        match vault.renew_session(text, now).unwrap() {
            Refreshed::Renewed(_, new) => Some(new.text),
            Refreshed::Reused(_) | Refreshed::Unknown => None,
        }
    }

    #[test]
    fn a_cookie_is_good_until_it_was_not_used_for_long_or_is_old() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        let cookie = begun(&vault, SessionUse::Browser);
        let is_good = |vault: &FileVault, seconds| {
            vault.session_of(SessionUse::Browser, &cookie.text, at(seconds)).unwrap().is_some()
        };
        assert!(is_good(&vault, 0) && !is_good(&vault, DAY / 2));
        let mut time = 0;
        while time + DAY / 4 < 7 * DAY {
            time += DAY / 4;
            disk.crash(Crash::DropUnsynced);
            assert!(is_good(&opened(&disk), time), "{time}");
        }
        assert!(!is_good(&vault, 7 * DAY));
        assert!(vault.session_of(SessionUse::Link, &cookie.text, at(0)).unwrap().is_none(), "another use");
        assert!(vault.session_of(SessionUse::Browser, "ohb_", at(0)).unwrap().is_none());
        let guess = issue('b', &cookie.session_id, [7; 32]);
        assert!(vault.session_of(SessionUse::Browser, &guess, at(0)).unwrap().is_none());
    }

    #[test]
    fn a_cookie_is_good_though_its_use_cannot_be_noted() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        let cookie = begun(&vault, SessionUse::Browser);
        let is_good =
            |seconds| vault.session_of(SessionUse::Browser, &cookie.text, at(seconds)).unwrap().is_some();
        disk.inject(Injection::at(1, Fault::NoSpace).only(DiskOperation::WriteAt).sticky());
        assert!(is_good(DAY / 4), "the disk is full");
        disk.clear_faults();
        let other = disk.of(2).open(&Path::new(DIRECTORY).join("LOCK"), OpenMode::OpenOrCreate).unwrap();
        assert_eq!(other.try_lock().unwrap(), LockOutcome::Acquired);
        let operations = disk.operations();
        assert!(is_good(DAY / 3), "another process holds the lock");
        assert!(disk.operations() - operations < 20, "it waited for the lock");
        drop(other);
        assert!(is_good(DAY / 3) && is_good(DAY / 3 + DAY / 4), "its use is noted again");
    }

    #[test]
    fn a_refresh_token_is_replaced_and_a_lost_answer_is_given_again() {
        let vault = opened(&SimDisk::new(1));
        let first = begun(&vault, SessionUse::Refresh);
        let second = renewed(&vault, &first.text, at(60)).unwrap();
        assert_ne!(first.text, second);
        assert_eq!(renewed(&vault, &first.text, at(69)), Some(second.clone()), "the same one again");
        let third = renewed(&vault, &second, at(70)).unwrap();
        assert_eq!(renewed(&vault, &second, at(79)), Some(third.clone()));
        assert!(vault.session(&first.session_id, at(79)).unwrap().is_some());
    }

    #[test]
    fn a_refresh_token_that_was_copied_ends_its_session() {
        for (generations, late) in [(1, 10), (1, 1_000), (2, 1), (5, 1)] {
            let vault = opened(&SimDisk::new(1));
            let first = begun(&vault, SessionUse::Refresh);
            let mut newest = first.text.clone();
            for _ in 0..generations {
                newest = renewed(&vault, &newest, at(60)).unwrap();
            }
            let reused = vault.renew_session(&first.text, at(60 + late)).unwrap();
            assert!(
                matches!(reused, Refreshed::Reused(person) if person == person_id(1)),
                "{generations} {late}"
            );
            assert!(renewed(&vault, &newest, at(61 + late)).is_none(), "the session has ended");
            assert!(vault.session(&first.session_id, at(61 + late)).unwrap().is_none());
        }
    }

    #[test]
    fn a_guess_ends_nobodys_session() {
        let vault = opened(&SimDisk::new(1));
        let first = begun(&vault, SessionUse::Refresh);
        let second = renewed(&vault, &first.text, at(1)).unwrap();
        let guess = issue('r', &first.session_id, [9; 32]);
        assert!(matches!(vault.renew_session(&guess, at(100)).unwrap(), Refreshed::Unknown));
        assert!(renewed(&vault, &second, at(101)).is_some());
    }

    #[test]
    fn two_processes_renew_one_refresh_token_once() {
        let disk = SimDisk::new(1);
        let (here, there) = (opened(&disk), opened(&disk.of(2)));
        let first = begun(&here, SessionUse::Refresh);
        let renewals = std::thread::scope(|scope| {
            let renewals = [&here, &there].map(|vault| scope.spawn(|| renewed(vault, &first.text, at(1))));
            renewals.map(|renewal| renewal.join().unwrap())
        });
        assert!(renewals[0].is_some() && renewals[0] == renewals[1]);
    }

    #[test]
    fn a_link_is_taken_once() {
        let vault = opened(&SimDisk::new(1));
        let (link, late) = (begun(&vault, SessionUse::Link), begun(&vault, SessionUse::Link));
        let taken: Vec<_> = std::thread::scope(|scope| {
            let takes: Vec<_> = (0..4).map(|_| scope.spawn(|| vault.take_link(&link.text, at(1)))).collect();
            takes.into_iter().filter_map(|take| take.join().unwrap().unwrap()).collect()
        });
        assert_eq!(taken, [person_id(1)]);
        assert!(vault.take_link(&late.text, at(1_800)).unwrap().is_none());
    }

    #[test]
    fn all_sessions_of_a_person_end_with_them() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        let (one, two) = (begun(&vault, SessionUse::Browser), begun(&vault, SessionUse::Refresh));
        let other = vault.begin_session(&person_id(2), SessionUse::Browser, at(0)).unwrap();
        vault.end_sessions_of(&person_id(1), Some(&two.session_id)).unwrap();
        let good = |session: &NewSession| vault.session(&session.session_id, at(1)).unwrap().is_some();
        assert_eq!([good(&one), good(&two), good(&other)], [false, true, true]);
        vault.erase_person(&person_id(1)).unwrap();
        assert_eq!([good(&one), good(&two), good(&other)], [false, false, true]);
        assert!(files_with(&disk, person_id(1).as_str()).is_empty());
        assert!(files_with(&disk, two.session_id.as_str()).is_empty());
    }

    #[test]
    fn an_ended_session_is_known_until_the_second_upkeep() {
        let vault = opened(&SimDisk::new(1));
        let session = begun(&vault, SessionUse::Browser).session_id;
        vault.upkeep(at(1)).unwrap();
        assert!(!vault.has_ended(&session));
        vault.end_session(&session).unwrap();
        vault.upkeep(at(2)).unwrap();
        assert!(vault.has_ended(&session));
        vault.upkeep(at(3_602)).unwrap();
        assert!(!vault.has_ended(&session));
    }

    #[test]
    fn what_has_ended_is_swept() {
        let disk = SimDisk::new(1);
        let vault = opened(&disk);
        let (cookie, _) = (begun(&vault, SessionUse::Browser), begun(&vault, SessionUse::Link));
        vault.upkeep(at(DAY / 4)).unwrap();
        assert_eq!(files_with(&disk, "/sessions/").len(), 1);
        assert!(vault.session(&cookie.session_id, at(DAY / 4)).unwrap().is_some());
        vault.upkeep(at(DAY)).unwrap();
        assert!(files_with(&disk, "/sessions/").is_empty());
    }

    #[test]
    fn a_change_of_a_session_happens_or_does_not() {
        let nothing = |_: &FileVault| {};
        let with_one = |vault: &FileVault| drop(begun(vault, SessionUse::Refresh));
        let begin =
            |vault: &FileVault| vault.begin_session(&person_id(1), SessionUse::Refresh, at(0)).is_ok();
        let end = |vault: &FileVault| vault.end_sessions_of(&person_id(1), None).is_ok();
        stop_at_every_operation(&nothing, &begin);
        stop_at_every_operation(&with_one, &end);
    }
}
