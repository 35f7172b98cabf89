//! Logins: a person's login and password, compared with what the vault keeps.
//!
//! Comparing takes some 30 ms of a processor, on threads of the vault that are few and of low priority. A credential that was
//! right is remembered for a while in memory, for programs that send it with every request; one that was wrong never is. What
//! is remembered is a keyed hash over the credential and what is kept of the password, so a change of the password is a
//! change of the hash.

use crate::edge::attempts::Attempts;
use crate::response::code::Code;
use crate::response::problem::Problem;
use onhand_app::blocking;
use onhand_app::ports::{KeepError, KeptPerson, Vault};
use onhand_domain::identity::PrincipalId;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a credential that was right is remembered.
const REMEMBERED: Duration = Duration::from_secs(300);
/// Passwords that are compared, or wait for it, for one network: far fewer than wait in all, so that no network keeps others out.
const OF_NETWORK_MAX: usize = 8;
/// Credentials that are remembered; with one more, all are forgotten.
const REMEMBERED_MAX: usize = 4_096;

/// Compares logins and passwords.
pub(crate) struct Logins {
    vault: Arc<dyn Vault>,
    attempts: Attempts,
    comparing: Arc<Mutex<HashMap<Option<IpAddr>, usize>>>,
    right: Mutex<HashMap<[u8; 32], Instant>>,
}

/// The person of a login, with what the vault keeps.
type Known = Option<(PrincipalId, KeptPerson)>;

impl Logins {
    pub(crate) fn new(vault: Arc<dyn Vault>) -> Self {
        Self { vault, attempts: Attempts::default(), comparing: Arc::default(), right: Mutex::default() }
    }

    /// The person with this login and password. Whether they are disabled is for the caller to ask.
    ///
    /// # Errors
    /// 401 whatever is wrong; 429 after too many wrong passwords for the login from that network; 503 while too many are
    /// compared.
    pub(crate) async fn verify(
        &self,
        login: &str,
        password: &str,
        network: Option<IpAddr>,
    ) -> Result<(PrincipalId, KeptPerson), Problem> {
        let pair = self.pair(login, network);
        let place = self.place_of(network)?;
        self.attempts.begin(pair).map_err(too_many)?;
        let compared = self.compare(login, password, place).await;
        match &compared {
            Ok(_) => self.attempts.succeed(pair),
            // It was not compared, so it was not wrong.
            Err(problem) if problem.code() != Code::Unauthorized => self.attempts.take_back(pair),
            Err(_) => self.attempts.fail(pair),
        }
        compared
    }

    /// As [`Logins::verify`], for a credential that comes with every request.
    pub(crate) async fn verify_often(
        &self,
        login: &str,
        password: &str,
        network: Option<IpAddr>,
    ) -> Result<PrincipalId, Problem> {
        if let Some((id, person)) = self.known(login).await? {
            let remembered = self.hash(login, password, &person);
            if self.right.lock().get(&remembered).is_some_and(|until| Instant::now() < *until) {
                return Ok(id);
            }
        }
        let (id, person) = self.verify(login, password, network).await?;
        let mut right = self.right.lock();
        if right.len() >= REMEMBERED_MAX {
            right.clear();
        }
        right.insert(self.hash(login, password, &person), Instant::now() + REMEMBERED);
        Ok(id)
    }

    /// Counts a registration from a network as a try for a login that nobody has: many in a row have to wait.
    pub(crate) fn count_registration(&self, network: Option<IpAddr>) -> Result<(), Problem> {
        self.attempts.begin(self.pair("", network)).map_err(too_many)
    }

    /// The work of a registration from a network has ended: the wait for the next one begins.
    pub(crate) fn end_registration(&self, network: Option<IpAddr>) {
        self.attempts.fail(self.pair("", network));
    }

    async fn compare(
        &self,
        login: &str,
        password: &str,
        place: Place,
    ) -> Result<(PrincipalId, KeptPerson), Problem> {
        let known = self.known(login).await?;
        let (vault, password) = (Arc::clone(&self.vault), password.to_owned());
        blocking(move || {
            let _place = place;
            let kept = known.as_ref().and_then(|(_, person)| person.password.as_deref());
            let found = vault.verify_password(&password, kept).map_err(|error| busy().because(&error))?;
            let (id, mut person) =
                known.filter(|_| found.ok).ok_or_else(|| Problem::plain(Code::Unauthorized))?;
            if found.needs_rehash {
                strengthen(&*vault, &id, &mut person, &password);
            }
            Ok((id, person))
        })
        .await
    }

    /// A place for a comparison, until it is dropped.
    fn place_of(&self, network: Option<IpAddr>) -> Result<Place, Problem> {
        let mut comparing = self.comparing.lock();
        let of_network = comparing.entry(network).or_default();
        if *of_network >= OF_NETWORK_MAX {
            return Err(busy());
        }
        *of_network += 1;
        Ok(Place { comparing: Arc::clone(&self.comparing), network })
    }

    async fn known(&self, login: &str) -> Result<Known, Problem> {
        let (vault, login) = (Arc::clone(&self.vault), login.to_owned());
        let known = blocking(move || -> io::Result<Known> {
            let Some(id) = vault.person_of(&login)? else { return Ok(None) };
            Ok(vault.person(&id)?.map(|person| (id, person)))
        });
        known.await.map_err(|error| Problem::of_vault(&error))
    }

    fn pair(&self, login: &str, network: Option<IpAddr>) -> [u8; 32] {
        self.vault.keyed_hash(&[b"pair", login.to_lowercase().as_bytes(), format!("{network:?}").as_bytes()])
    }

    fn hash(&self, login: &str, password: &str, person: &KeptPerson) -> [u8; 32] {
        let kept = person.password.as_deref().unwrap_or_default();
        self.vault.keyed_hash(&[b"right", login.as_bytes(), password.as_bytes(), kept.as_bytes()])
    }
}

/// A place of a network for a comparison. The comparison has it, which goes on when its caller has gone.
struct Place {
    comparing: Arc<Mutex<HashMap<Option<IpAddr>, usize>>>,
    network: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut comparing = self.comparing.lock();
        if let Some(of_network) = comparing.get_mut(&self.network) {
            *of_network -= 1;
            if *of_network == 0 {
                comparing.remove(&self.network);
            }
        }
    }
}

/// Keeps a password better than before. When that fails, the next login tries again.
fn strengthen(vault: &dyn Vault, id: &PrincipalId, person: &mut KeptPerson, password: &str) {
    // What a file declares is changed by that file alone.
    if vault.managed().is_ok_and(|managed| managed.persons.contains(id)) {
        return;
    }
    let Ok(better) = vault.hash_password(password) else { return };
    // Unless it was changed meanwhile.
    let verified = person.password.clone();
    let change = |kept: &mut KeptPerson| {
        if kept.password == verified {
            kept.password = Some(better.clone());
        }
    };
    match vault.change_person(id, &change) {
        Ok(_) => person.password = Some(better),
        Err(KeepError::LoginTaken) => {}
        Err(KeepError::Disk(error)) => {
            tracing::warn!(principal = %id, %error, "a password is kept as before");
        }
    }
}

fn too_many(wait: Duration) -> Problem {
    let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
    Problem::plain(Code::TooManyAttempts).with(|facts| facts.retry_after_ms = Some(wait_ms))
}

fn busy() -> Problem {
    Problem::new(Code::Overloaded, "Too many passwords are being compared; try again after Retry-After.")
}
