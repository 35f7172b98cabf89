//! Changes of identity as commands of the ledger, and the ledger's view of identity.

use crate::oracle::{IdentityModel, IdentityRequest, PrincipalModel, TokenModel, Versioned};
use onhand_app::Ledger;
use onhand_app::stock::ReadError;
use onhand_domain::identity::{
    Access, Grant, Mode, ModeCommand, Principal, PrincipalCommand, PrincipalId, PrincipalKind, Revocation,
    Role, Token, TokenChange, TokenCommand, TokenId, TokenKind,
};
use onhand_domain::master::Master;
use onhand_domain::{Command, Expected, StoreId, Timestamp};
use std::collections::BTreeSet;

/// Digits of ids (Crockford's base 32).
const DIGITS: &str = "0123456789abcdefghjkmnpqrstvwxyz";
/// The expiry of every token: beyond any run, in milliseconds.
const EXPIRES_AT_MS: i64 = 4_000_000_000_000;
/// The expiry of one that was replaced.
const REPLACED_UNTIL_MS: i64 = EXPIRES_AT_MS - 1;

/// A change as a command.
pub(super) fn command(request: IdentityRequest) -> Command {
    let token = |number: u32, principal: u32, change: TokenChange| {
        Command::Token(TokenCommand {
            token_id: TokenId::of_bits(number.into()),
            expected: Expected::Any,
            principal_id: principal_id(principal),
            change,
            granter: Access::FULL,
        })
    };
    match request {
        IdentityRequest::Issue { token: number, principal, admin } => {
            let owner = principal_command(principal, true, PrincipalModel { admin, disabled: false });
            token(number, principal, TokenChange::Issue(issued(principal), Box::new(owner)))
        }
        IdentityRequest::Replace { token: number, old, principal } => {
            let until = Timestamp::from_milliseconds(REPLACED_UNTIL_MS);
            let change = TokenChange::Replace(issued(principal), TokenId::of_bits(old.into()), until);
            token(number, principal, change)
        }
        IdentityRequest::Revoke { token: number, principal } => {
            token(number, principal, TokenChange::Revoke(Revocation::KeepsAdmin(Vec::new())))
        }
        IdentityRequest::Change { principal, admin, disabled } => {
            Command::Principal(principal_command(principal, false, PrincipalModel { admin, disabled }))
        }
        IdentityRequest::Mode(judging) => {
            let mode = if judging { Mode::Judging } else { Mode::Development };
            Command::Mode(ModeCommand { expected: Expected::Any, mode })
        }
    }
}

fn principal_command(number: u32, create: bool, model: PrincipalModel) -> PrincipalCommand {
    let granted = if model.admin {
        Grant::role(Role::Admin)
    } else {
        let store = StoreId::new("LONDON").expect("a store's id");
        Grant::new(Some(Role::Till), None, Some(vec![store]), None)
    };
    let grants = vec![granted.expect("the role is granted so")];
    PrincipalCommand {
        principal_id: principal_id(number),
        expected: Expected::Any,
        create,
        principal: Principal { kind: PrincipalKind::Service, grants, disabled: model.disabled },
        granter: Access::FULL,
    }
}

fn issued(principal: u32) -> Token {
    Token {
        principal_id: principal_id(principal),
        kind: TokenKind::Service,
        created_at: Timestamp::EPOCH,
        expires_at: Timestamp::from_milliseconds(EXPIRES_AT_MS),
        revoked: false,
    }
}

fn principal_id(number: u32) -> PrincipalId {
    PrincipalId::of_bits(PrincipalKind::Service, number.into())
}

/// The number in an id of a principal.
pub(super) fn principal_number(id: &PrincipalId) -> u32 {
    number(id.as_str().get(2..).unwrap_or_default())
}

/// The number in an id of a token.
pub(super) fn token_number(id: &TokenId) -> u32 {
    number(id.as_str())
}

fn number(digits: &str) -> u32 {
    let value = |digit: char| u32::try_from(DIGITS.find(digit).expect("a digit of ids")).expect("below 32");
    digits.chars().fold(0, |number, digit| (number << 5) | value(digit))
}

/// A principal in the form of the oracle.
pub(super) fn principal_of(principal: &Principal) -> PrincipalModel {
    let admin = principal.grants.iter().any(Grant::is_admin);
    PrincipalModel { admin, disabled: principal.disabled }
}

/// A token in the form of the oracle.
pub(super) fn token_of(token: &Token) -> TokenModel {
    let replaced = token.expires_at.milliseconds() == REPLACED_UNTIL_MS;
    TokenModel { principal: principal_number(&token.principal_id), replaced, revoked: token.revoked }
}

/// A ledger's view of identity.
#[derive(Debug, PartialEq)]
pub(crate) struct IdentitySeen {
    /// What is durable.
    model: IdentityModel,
    /// The tokens that the door lets in, also by what is not durable yet.
    open: BTreeSet<u32>,
}

impl IdentitySeen {
    /// True when the view is the oracle's: nothing granted is lost, and no token that was revoked, or whose principal was disabled, is
    /// let in.
    pub(crate) fn fits(&self, oracle: &IdentityModel) -> bool {
        let closed = |token: &u32| oracle.tokens.contains_key(token) && !oracle.is_good(*token);
        self.model == *oracle && !self.open.iter().any(closed)
    }

    /// True when nobody has to log in, or an administrator can.
    pub(crate) fn is_governed(&self) -> bool {
        self.model.is_governed()
    }
}

/// The view of a ledger.
///
/// # Errors
/// [`ReadError`], as the ledger.
pub(crate) async fn identity_seen(ledger: &Ledger) -> Result<IdentitySeen, ReadError> {
    // As the door does before each request.
    ledger.catch_up().await?;
    let ids = ledger.token_ids();
    let is_open = |id: &&TokenId| {
        let token = ledger.token_now(id).filter(|token| token.is_good(ledger.now()));
        let authority = token.and_then(|token| ledger.authority(&token.principal_id));
        authority.is_some_and(|authority| !authority.disabled)
    };
    let open = ids.iter().filter(is_open).map(token_number).collect();
    let mut model = IdentityModel::default();
    for id in ids {
        let Some(Master { details: Some(token), version, .. }) = ledger.token(&id).await? else { continue };
        model.tokens.insert(token_number(&id), Versioned { details: Some(token_of(&token)), version });
        let owner = &token.principal_id;
        if let Some(Master { details: Some(principal), version, .. }) = ledger.principal(owner).await? {
            let details = Some(principal_of(&principal));
            model.principals.insert(principal_number(owner), Versioned { details, version });
        }
    }
    let (mode, version) = ledger.mode_with_version().await?;
    let details = (version > 0).then_some(mode == Mode::Judging);
    model.mode = Versioned { details, version };
    Ok(IdentitySeen { model, open })
}
