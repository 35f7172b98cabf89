//! One person or token of a file: found or made, changed where it differs, disabled or revoked.

use super::{Declared, DeclaredPerson, DeclaredToken};
use crate::identity::declared::apply_error::ApplyError;
use crate::ports::{KeepError, KeptPerson, Managed, Vault};
use crate::{Ledger, Meta, blocking};
use onhand_domain::identity::{
    Access, Grant, Principal, PrincipalCommand, PrincipalId, PrincipalKind, Revocation, Token, TokenChange,
    TokenCommand, TokenId,
};
use onhand_domain::{Command, Expected, Timestamp};
use std::io;
use std::sync::Arc;

/// An entry of the file, and the principal it is about.
pub(super) struct Named<'a> {
    pub(super) id: PrincipalId,
    entry: Entry<'a>,
}

enum Entry<'a> {
    /// With its place in the file, from 1.
    Person(&'a DeclaredPerson, usize),
    Token(&'a DeclaredToken),
}

/// Ledger and vault, which are changed.
pub(super) struct Changes<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) vault: &'a Arc<dyn Vault>,
}

impl Named<'_> {
    fn grants(&self) -> &[Grant] {
        match self.entry {
            Entry::Person(person, _) => &person.grants,
            Entry::Token(token) => &token.grants,
        }
    }

    /// True when it administrates, and its token has not expired.
    pub(super) fn is_admin(&self, now: Timestamp) -> bool {
        let has_expired = match self.entry {
            Entry::Person(..) => false,
            Entry::Token(token) => token.expires_at.is_some_and(|at| at <= now),
        };
        !has_expired && self.grants().iter().any(Grant::is_admin)
    }

    /// Notes the entry in a list of what the file declares.
    pub(super) fn note(&self, managed: &mut Managed) {
        match self.entry {
            Entry::Person(..) => drop(managed.persons.insert(self.id.clone())),
            Entry::Token(token) => drop(managed.tokens.insert(token.token_id.clone())),
        }
    }
}

impl Changes<'_> {
    /// The entries with their principals: those that are there already, by login or token id, else new ones.
    ///
    /// # Errors
    /// [`ApplyError::OtherKind`], or what the vault says.
    pub(super) async fn named<'d>(&self, declared: &'d Declared) -> Result<Vec<Named<'d>>, ApplyError> {
        let logins: Vec<String> = declared.people.iter().map(|person| person.kept.login.clone()).collect();
        let known = self
            .in_vault(move |vault| {
                logins.iter().map(|login| vault.person_of(login)).collect::<io::Result<Vec<_>>>()
            })
            .await?;
        let declared_ids = known.clone();
        let mut named = Vec::new();
        for (at, (person, id)) in declared.people.iter().zip(known).enumerate() {
            // Before anything is written: a file with one name that is taken changes nothing.
            if let Some(email) = person.kept.email.clone() {
                let owner = self.in_vault(move |vault| vault.person_of(&email)).await?;
                let moves = owner.as_ref().is_some_and(|owner| declared_ids.contains(&Some(owner.clone())));
                if owner.is_some() && owner != id && !moves {
                    return Err(ApplyError::LoginTaken(at + 1));
                }
            }
            let id = id.unwrap_or_else(|| self.new_id(PrincipalKind::Person));
            named.push(Named { id, entry: Entry::Person(person, at + 1) });
        }
        for token in &declared.tokens {
            let id = match self.ledger.token_now(&token.token_id) {
                Some(known) if known.kind != token.kind => {
                    return Err(ApplyError::OtherKind(token.token_id.clone()));
                }
                Some(known) => known.principal_id,
                None => self.new_id(token.kind.principal_kind()),
            };
            named.push(Named { id, entry: Entry::Token(token) });
        }
        Ok(named)
    }

    /// Makes an entry, or changes what differs. True when something did.
    pub(super) async fn make(&self, named: &Named<'_>) -> Result<bool, ApplyError> {
        match named.entry {
            Entry::Person(person, at) => {
                let kept = self.keep_person(&named.id, person, at).await?;
                let granted = self.grant(&named.id, PrincipalKind::Person, &person.grants).await?;
                Ok(kept || granted)
            }
            Entry::Token(token) => {
                let kept = self.keep_token(token).await?;
                let issued = self.issue(&named.id, token).await?;
                Ok(kept || issued)
            }
        }
    }

    /// Disables a principal. True when it was enabled.
    pub(super) async fn disable(&self, id: &PrincipalId) -> Result<bool, ApplyError> {
        let known = self.ledger.principal(id).await?.and_then(|master| master.details);
        let Some(principal) = known.filter(|principal| !principal.disabled) else { return Ok(false) };
        self.replace(id, Principal { disabled: true, ..principal }, false).await?;
        Ok(true)
    }

    /// Revokes a token, and disables its principal, which has no other. True when it was not revoked.
    pub(super) async fn revoke(&self, id: &TokenId) -> Result<bool, ApplyError> {
        let Some(token) = self.ledger.token(id).await?.and_then(|master| master.details) else {
            return Ok(false);
        };
        if !token.revoked {
            self.change_token(id, &token.principal_id, TokenChange::Revoke(Revocation::OfLastToo)).await?;
        }
        let disabled = self.disable(&token.principal_id).await?;
        // After the event, which alone makes the token useless.
        let erased = id.clone();
        self.in_vault(move |vault| vault.erase_token(&erased)).await?;
        Ok(!token.revoked || disabled)
    }

    async fn keep_person(
        &self,
        id: &PrincipalId,
        person: &DeclaredPerson,
        at: usize,
    ) -> Result<bool, ApplyError> {
        let (id, declared, now) = (id.clone(), person.kept.clone(), self.ledger.now());
        let kept = self.in_vault(move |vault| {
            let before = vault.person(&id)?;
            let created_at = before.as_ref().map_or(now, |before| before.created_at);
            let wanted = KeptPerson { created_at, ..declared };
            if before.as_ref() == Some(&wanted) {
                return Ok(false);
            }
            vault.keep_person(&id, &wanted)?;
            // Sessions that were begun with another password end.
            if before.is_some_and(|before| before.password != wanted.password) {
                vault.end_sessions_of(&id, None)?;
            }
            Ok(true)
        });
        kept.await.map_err(|error| match error {
            KeepError::LoginTaken => ApplyError::LoginTaken(at),
            KeepError::Disk(error) => error.into(),
        })
    }

    async fn keep_token(&self, token: &DeclaredToken) -> io::Result<bool> {
        let (id, wanted) = (token.token_id.clone(), token.kept.clone());
        let keep = move |vault: &dyn Vault| {
            if vault.token(&id)?.as_ref() == Some(&wanted) {
                return Ok(false);
            }
            vault.keep_token(&id, &wanted).map(|()| true)
        };
        self.in_vault(keep).await
    }

    /// Makes a principal with these grants, or grants these to the one that is there.
    async fn grant(
        &self,
        id: &PrincipalId,
        kind: PrincipalKind,
        grants: &[Grant],
    ) -> Result<bool, ApplyError> {
        let known = self.ledger.principal(id).await?.and_then(|master| master.details);
        let wanted = Principal { kind, grants: grants.to_vec(), disabled: false };
        if known.as_ref() == Some(&wanted) {
            return Ok(false);
        }
        self.replace(id, wanted, known.is_none()).await?;
        Ok(true)
    }

    async fn replace(&self, id: &PrincipalId, principal: Principal, create: bool) -> Result<(), ApplyError> {
        let command = command(id, principal, create);
        self.ledger.execute(Command::Principal(command), &Meta::default()).await?;
        Ok(())
    }

    async fn issue(&self, id: &PrincipalId, declared: &DeclaredToken) -> Result<bool, ApplyError> {
        let DeclaredToken { token_id, kind, grants, .. } = declared;
        let expires_at = declared.expires_at.unwrap_or(Timestamp::from_milliseconds(i64::MAX));
        let principal_kind = kind.principal_kind();
        let Some(known) = self.ledger.token(token_id).await?.and_then(|master| master.details) else {
            let created_at = self.ledger.now();
            let token =
                Token { principal_id: id.clone(), kind: *kind, created_at, expires_at, revoked: false };
            let owner = Principal { kind: principal_kind, grants: grants.clone(), disabled: false };
            let change = TokenChange::Issue(token, Box::new(command(id, owner, true)));
            self.change_token(token_id, id, change).await?;
            return Ok(true);
        };
        let granted = self.grant(id, principal_kind, grants).await?;
        let wanted = Token { expires_at, revoked: false, ..known.clone() };
        if wanted == known {
            return Ok(granted);
        }
        self.change_token(token_id, id, TokenChange::Declare(wanted)).await?;
        Ok(true)
    }

    async fn change_token(
        &self,
        token_id: &TokenId,
        owner: &PrincipalId,
        change: TokenChange,
    ) -> Result<(), ApplyError> {
        let (token_id, principal_id) = (token_id.clone(), owner.clone());
        let command =
            TokenCommand { token_id, expected: Expected::Any, principal_id, change, granter: Access::FULL };
        self.ledger.execute(Command::Token(command), &Meta::default()).await?;
        Ok(())
    }

    fn new_id(&self, kind: PrincipalKind) -> PrincipalId {
        PrincipalId::of_random(kind, &self.vault.random())
    }

    async fn in_vault<T: Send + 'static>(&self, work: impl FnOnce(&dyn Vault) -> T + Send + 'static) -> T {
        let vault = Arc::clone(self.vault);
        blocking(move || work(&*vault)).await
    }
}

fn command(id: &PrincipalId, principal: Principal, create: bool) -> PrincipalCommand {
    PrincipalCommand {
        principal_id: id.clone(),
        expected: Expected::Any,
        create,
        principal,
        granter: Access::FULL,
    }
}
