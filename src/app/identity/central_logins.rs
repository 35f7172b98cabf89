//! Logins of central: access tokens that central has signed for this node, with the grants of the person in them.
//!
//! The node verifies them with the public keys of central alone, which it keeps in its vault: while the line to central is down,
//! people go on working. What such a person may do is what both allow, their grants at central and the ceiling that this node sets.
//!
//! Such a token names this node as its audience, and is good nowhere else, not even at central: the operator of a shop
//! cannot use it elsewhere. Central signs for any audience, so a program must know the issuer of its node from a trusted source.
//!
//! A token is good here for the minutes that it lives: this node does not hear that its session has ended. Keys that have not
//! been fetched for [`KEPT_DAYS`] are worth nothing any more, so that one that central has revoked does not live on for ever.
//!
//! All times here are of the wall clock: the clocks of two nodes have nothing else in common.

use crate::identity::Authority;
use crate::ports::{CentralKeys, PublicKey, Vault};
use crate::{Ledger, blocking};
use onhand_domain::Timestamp;
use onhand_domain::identity::{Grant, Mode, Principal, PrincipalId, PrincipalKind, Role, TokenId};
use onhand_planted::{Bug, planted};
use parking_lot::RwLock;
use serde::Deserialize;
use std::io;
use std::sync::Arc;
use tokio::sync::watch;

/// How long keys are believed after they were last fetched.
const KEPT_DAYS: i64 = 7;
const DAY_SECONDS: i64 = 86_400;
/// The longest life of a token that is believed, in seconds. Central gives ten minutes.
const LIFE_SECONDS_MAX: i64 = 3_600;
/// How often the time of the last fetch is written down, in seconds.
const NOTED_SECONDS: i64 = 3_600;

/// Whose logins are good here, and as far as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredCentral {
    /// The address of central, without a slash at its end.
    pub url: String,
    /// The ceiling: nobody of central may do more here than these grants give.
    pub ceiling: Vec<Grant>,
}

/// The logins of central that are good here. Without a declaration there are none.
pub struct CentralLogins {
    vault: Arc<dyn Vault>,
    known: RwLock<Known>,
    declared: watch::Sender<Option<DeclaredCentral>>,
}

/// A login that is good here.
#[derive(Debug, Clone)]
pub struct CentralLogin {
    /// What the person may do.
    pub authority: Arc<Authority>,
    /// What it rests on.
    pub basis: CentralBasis,
}

/// What a login of central rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentralBasis {
    /// The session at central.
    pub session_id: TokenId,
    /// When the token expires.
    pub until: Timestamp,
    /// The grants of the person at central, without those that this version does not know.
    pub grants: Vec<Grant>,
    mode: Mode,
    epoch: u64,
}

#[derive(Default)]
struct Known {
    /// Of the address that is declared.
    keys: Option<Arc<CentralKeys>>,
    /// Counts the changes of the declaration and of the keys.
    epoch: u64,
    /// True when the file has older keys than were in memory, because it could not be written.
    stale_file: bool,
}

impl CentralLogins {
    /// No logins, until some are declared.
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        Self { vault, known: RwLock::default(), declared: watch::Sender::new(None) }
    }

    /// The logins that are good from now on. Keys that were fetched from there before are good at once; nothing changes when the
    /// declaration is the same.
    pub async fn declare(&self, declared: Option<DeclaredCentral>) {
        if *self.declared.borrow() == declared {
            return;
        }
        let vault = Arc::clone(&self.vault);
        let kept = blocking(move || vault.central_keys()).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the keys of central cannot be read; they are fetched again");
            None
        });
        let url = declared.as_ref().map(|declared| declared.url.as_str());
        // One lock around both: keys and ceiling are of one declaration.
        let mut known = self.known.write();
        let same_url = known.keys.as_ref().is_some_and(|keys| Some(keys.url.as_str()) == url);
        if !same_url {
            let kept = kept.filter(|kept| !known.stale_file && Some(kept.url.as_str()) == url);
            known.keys = kept.map(Arc::new);
        }
        known.epoch += 1;
        self.declared.send_replace(declared);
    }

    /// Tells of the declarations.
    pub fn declarations(&self) -> watch::Receiver<Option<DeclaredCentral>> {
        self.declared.subscribe()
    }

    /// When the keys were fetched, to an hour; nothing where there are none.
    pub fn fetched_at(&self) -> Option<Timestamp> {
        self.known.read().keys.as_ref().map(|keys| keys.fetched_at)
    }

    /// Takes over keys that were fetched from `url` now, by the wall clock, and keeps them.
    ///
    /// # Errors
    /// What the disk says; they are good until the process ends then.
    pub async fn learn(
        &self,
        url: &str,
        issuer: String,
        keys: Vec<PublicKey>,
        now: Timestamp,
    ) -> io::Result<()> {
        let fetched = CentralKeys { url: url.to_owned(), issuer, keys, fetched_at: now };
        {
            let mut known = self.known.write();
            if self.declared.borrow().as_ref().is_none_or(|declared| declared.url != url) {
                // Another one was declared meanwhile.
                return Ok(());
            }
            let same = known.keys.as_ref().filter(|had| is_same(had, &fetched));
            if !known.stale_file && same.is_some_and(|had| had.was_fetched_within(NOTED_SECONDS, now)) {
                return Ok(());
            }
            known.epoch += u64::from(same.is_none());
            known.keys = Some(Arc::new(fetched.clone()));
            // Until the file has them, every fetch tries again.
            known.stale_file = true;
        }
        let (vault, kept) = (Arc::clone(&self.vault), fetched.clone());
        blocking(move || vault.keep_central_keys(&kept)).await?;
        let mut known = self.known.write();
        // Another fetch may have brought newer ones meanwhile.
        known.stale_file &= known.keys.as_deref() != Some(&fetched);
        Ok(())
    }

    /// The login of a token that was signed for `audience`; nothing when it is not good here.
    pub fn login(&self, ledger: &Ledger, text: &str, audience: &str) -> Option<CentralLogin> {
        let now = ledger.wall_clock();
        let (keys, epoch, ceiling) = {
            let known = self.known.read();
            let ceiling = self.declared.borrow().as_ref()?.ceiling.clone();
            (known.keys.clone()?, known.epoch, ceiling)
        };
        if !keys.was_fetched_within(KEPT_DAYS * DAY_SECONDS, now) {
            return None;
        }
        let claims = self.vault.claims_by(&keys.keys, text)?;
        if claims.iss != keys.issuer
            || claims.aud != audience
            || claims.jti.is_some()
            || !claims.is_in_time(now)
        {
            return None;
        }
        if claims.exp.saturating_sub(claims.iat) > LIFE_SECONDS_MAX {
            return None;
        }
        let session_id = claims.sid.clone()?;
        // One that this node knows itself is believed in no other way: central cannot act in the name of its people.
        let is_person = claims.sub.as_str().starts_with(PrincipalKind::Person.prefix());
        let is_stranger = is_person && ledger.authority(&claims.sub).is_none();
        if !is_stranger {
            return None;
        }
        let mode = ledger.mode();
        let grants: Vec<Grant> =
            claims.grants.iter().filter_map(|grant| Grant::deserialize(grant).ok()).collect();
        let authority = Arc::new(authority(claims.sub, grants.clone(), ceiling, mode));
        let until = Timestamp::EPOCH.plus_seconds(claims.exp);
        Some(CentralLogin { authority, basis: CentralBasis { session_id, until, grants, mode, epoch } })
    }

    /// True as long as nothing has changed about a login: what it rests on, and the mode.
    pub fn holds(&self, basis: &CentralBasis, authority: &Authority, ledger: &Ledger) -> bool {
        basis.epoch == self.known.read().epoch
            && basis.mode == ledger.mode()
            && ledger.wall_clock() < basis.until
            && ledger.authority(&authority.principal_id).is_none()
    }
}

impl CentralKeys {
    /// True when they were fetched in the last so many seconds. One that the clock has not reached yet is as good as one long ago.
    fn was_fetched_within(&self, seconds: i64, now: Timestamp) -> bool {
        now < self.fetched_at.plus_seconds(seconds) && self.fetched_at < now.plus_seconds(seconds)
    }
}

fn is_same(had: &CentralKeys, fetched: &CentralKeys) -> bool {
    (&had.url, &had.issuer, &had.keys) == (&fetched.url, &fetched.issuer, &fetched.keys)
}

/// What the grants in a token give below a ceiling.
fn authority(principal_id: PrincipalId, grants: Vec<Grant>, ceiling: Vec<Grant>, mode: Mode) -> Authority {
    let roles_of = |grants: &[Grant]| grants.iter().filter_map(Grant::named_role).collect::<Vec<Role>>();
    let allowed = roles_of(&ceiling);
    let roles = roles_of(&grants).into_iter().filter(|role| allowed.contains(role)).collect();
    let principal = Principal { kind: PrincipalKind::Person, grants, disabled: false };
    let ceiling = Principal { kind: PrincipalKind::Person, grants: ceiling, disabled: false };
    let below = |mode: Mode| {
        let access = mode.access(&principal);
        if planted(Bug::ForgetCeiling) { access } else { access.and(&mode.access(&ceiling)) }
    };
    Authority {
        principal_id,
        kind: PrincipalKind::Person,
        access: below(mode),
        roles,
        unmasked: below(Mode::Development),
        disabled: false,
    }
}
