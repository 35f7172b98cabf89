//! The rules of principals, tokens and the mode. Every token lasts longer than any run.

use crate::oracle::acts::What;
use crate::oracle::catalogue::Versioned;
use crate::oracle::identity_acts::{IdentityRequest, PrincipalModel, TokenModel};
use std::collections::BTreeMap;

/// Principals and tokens by number, and the mode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IdentityModel {
    /// Nobody is ever removed.
    pub principals: BTreeMap<u32, Versioned<PrincipalModel>>,
    /// As above.
    pub tokens: BTreeMap<u32, Versioned<TokenModel>>,
    /// True while teams are judged.
    pub mode: Versioned<bool>,
}

impl IdentityModel {
    /// True when the token opens the door.
    pub fn is_good(&self, token: u32) -> bool {
        let token = self.token(token).filter(|token| !token.revoked);
        token.and_then(|token| self.principal(token.principal)).is_some_and(|principal| !principal.disabled)
    }

    /// True when nobody has to log in, or an administrator can.
    pub fn is_governed(&self) -> bool {
        self.principals.is_empty() || self.tokens.keys().any(|token| self.opens_all(*token))
    }

    fn opens_all(&self, token: u32) -> bool {
        let owner = self.token(token).and_then(|token| self.principal(token.principal));
        self.is_good(token) && owner.is_some_and(PrincipalModel::administrates)
    }

    fn principal(&self, number: u32) -> Option<PrincipalModel> {
        self.principals.get(&number)?.details
    }

    fn token(&self, number: u32) -> Option<TokenModel> {
        self.tokens.get(&number)?.details
    }

    /// The states after a change with their versions, or the code of the rejection; then nothing changes.
    pub(super) fn change(&mut self, request: IdentityRequest) -> Result<Vec<(What, u64)>, &'static str> {
        match request {
            IdentityRequest::Issue { token, principal, admin } => {
                if self.token(token).is_some() {
                    return Err("token-exists");
                }
                if self.principal(principal).is_some() {
                    return Err("principal-exists");
                }
                if !admin && !self.others(principal).any(PrincipalModel::administrates) {
                    return Err("last-admin");
                }
                let made = self.put_principal(principal, PrincipalModel { admin, disabled: false });
                let issued = TokenModel { principal, replaced: false, revoked: false };
                Ok(vec![made, self.put_token(token, issued)])
            }
            IdentityRequest::Replace { token, old, principal } => {
                if self.token(token).is_some() {
                    return Err("token-exists");
                }
                let known = self.token(old).filter(|known| known.principal == principal && !known.revoked);
                let known = known.ok_or("token-not-found")?;
                let retired = self.put_token(old, TokenModel { replaced: true, ..known });
                let issued = TokenModel { principal, replaced: false, revoked: false };
                Ok(vec![retired, self.put_token(token, issued)])
            }
            IdentityRequest::Revoke { token, principal } => {
                let known = self.token(token).ok_or("token-not-found")?;
                if known.principal != principal {
                    return Err("principal-not-found");
                }
                let others = || self.tokens.keys().any(|other| *other != token && self.opens_all(*other));
                if self.opens_all(token) && !others() {
                    return Err("last-admin");
                }
                Ok(vec![self.put_token(token, TokenModel { revoked: true, ..known })])
            }
            IdentityRequest::Change { principal, admin, disabled } => {
                let was = self.principal(principal).ok_or("principal-not-found")?;
                let is = PrincipalModel { admin, disabled };
                if !is.administrates() && !self.leaves_admin(principal, was) {
                    return Err("last-admin");
                }
                Ok(vec![self.put_principal(principal, is)])
            }
            IdentityRequest::Mode(judging) => {
                let version = self.mode.turn(Some(judging));
                Ok(vec![(What::Mode(judging), version)])
            }
        }
    }

    /// True when another administrator is left; one with a token that is good, where the principal was one itself.
    fn leaves_admin(&self, principal: u32, was: PrincipalModel) -> bool {
        if !was.administrates() {
            return self.others(principal).any(PrincipalModel::administrates);
        }
        let of_another = |token: &u32| self.token(*token).is_some_and(|token| token.principal != principal);
        self.tokens.keys().any(|token| of_another(token) && self.opens_all(*token))
    }

    fn others(&self, than: u32) -> impl Iterator<Item = PrincipalModel> {
        self.principals
            .iter()
            .filter(move |(number, _)| **number != than)
            .filter_map(|(_, said)| said.details)
    }

    fn put_principal(&mut self, number: u32, principal: PrincipalModel) -> (What, u64) {
        let version = self.principals.entry(number).or_default().turn(Some(principal));
        (What::Principal(number, principal), version)
    }

    fn put_token(&mut self, number: u32, token: TokenModel) -> (What, u64) {
        (What::Token(number, token), self.tokens.entry(number).or_default().turn(Some(token)))
    }
}
