//! Reads of principals, tokens and the mode.

use crate::Ledger;
use crate::identity::authorities::Authority;
use crate::stock::ReadError;
use onhand_domain::identity::{Access, Mode, Principal, PrincipalId, Token, TokenId};
use onhand_domain::master::Master;
use onhand_domain::{Key, State};
use std::sync::Arc;

impl Ledger {
    /// What a principal may do now; nothing when there is none of that id.
    pub fn authority(&self, id: &PrincipalId) -> Option<Arc<Authority>> {
        self.projections.authorities.of(id)
    }

    /// The metadata of a token as it is now, also before it is durable.
    pub fn token_now(&self, id: &TokenId) -> Option<Token> {
        self.projections.authorities.token(id)
    }

    /// True when there is no principal: nobody can log in.
    pub fn has_no_principals(&self) -> bool {
        self.projections.authorities.is_empty()
    }

    /// What the grants of a principal give in a mode, whether it is disabled or not.
    pub fn access_in(mode: Mode, principal: &Principal) -> Access {
        mode.access(principal)
    }

    /// The ids of principals that administrate: enabled, and admin everywhere.
    pub fn administrators(&self) -> Vec<PrincipalId> {
        self.projections.authorities.administrators()
    }

    /// The mode of the installation.
    pub fn mode(&self) -> Mode {
        self.projections.authorities.mode()
    }

    /// The mode with its version, once that is durable.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub async fn mode_with_version(&self) -> Result<(Mode, u64), ReadError> {
        let seen = self.read(&Key::Mode, |state| match state {
            State::Mode(master) => (master.details.unwrap_or_default(), master.version),
            _ => Default::default(),
        });
        Ok(seen.await?.unwrap_or_default())
    }

    /// The ids of all persons, in order, those that were erased among them.
    pub fn person_ids(&self) -> Vec<PrincipalId> {
        self.projections.authorities.persons()
    }

    /// The ids of all tokens, in order.
    pub fn token_ids(&self) -> Vec<TokenId> {
        self.projections.authorities.tokens()
    }

    /// The persons that are administrators now, in order.
    pub fn admin_persons(&self) -> Vec<PrincipalId> {
        self.projections.authorities.admin_persons()
    }

    /// A principal with its version, once that is durable.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub async fn principal(&self, id: &PrincipalId) -> Result<Option<Master<Principal>>, ReadError> {
        let key = Key::Principal(id.clone());
        let seen = self.read(&key, |state| match state {
            State::Principal(master) => Some((**master).clone()),
            _ => None,
        });
        Ok(seen.await?.flatten())
    }

    /// The metadata of a token with its version, once that is durable.
    ///
    /// # Errors
    /// As [`Ledger::read`].
    pub async fn token(&self, id: &TokenId) -> Result<Option<Master<Token>>, ReadError> {
        let key = Key::Token(id.clone());
        let seen = self.read(&key, |state| match state {
            State::Token(master) => Some((**master).clone()),
            _ => None,
        });
        Ok(seen.await?.flatten())
    }
}
