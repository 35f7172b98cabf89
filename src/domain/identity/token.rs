//! Tokens: whose, of which kind, since when, until when. The secret itself is nowhere; its hash is in the vault.

use crate::identity::admins::Admins;
use crate::identity::ids::{PrincipalId, PrincipalKind, TokenId};
use crate::identity::permission::PermissionSet;
use crate::identity::principal::{Principal, PrincipalCommand};
use crate::identity::{Access, Denied, Permission};
use crate::master::{Master, MasterAfter, NOT_IN_CATALOGUE, master_kind};
use crate::{Decide, Draft, EventKind, Expected, Fact, Key, Kind, Misfit, Refusal, Rejection, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// The kind of a token, which its text shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// `ohs_`: a program.
    Service,
    /// `oht_`: a till.
    Till,
    /// `ohm_`: a team of an exercise.
    Team,
    /// `ohn_`: another node.
    Node,
}

/// The metadata of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Token {
    /// The principal it is of.
    pub principal_id: PrincipalId,
    /// The kind.
    pub kind: TokenKind,
    /// When it was issued.
    pub created_at: Timestamp,
    /// From when on it is expired.
    pub expires_at: Timestamp,
    /// True when it was revoked, before or after it expired.
    pub revoked: bool,
}

/// `TOKEN`: the metadata of the token from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenFact {
    /// The public id of the token.
    pub token_id: TokenId,
    /// All metadata.
    pub token: Token,
}

/// A token in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Master, under their names")]
pub struct TokenRecord {
    pub token_id: TokenId,
    pub token: Token,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// What happens to a token.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenChange {
    /// It is issued for a new principal.
    Issue(Token, Box<PrincipalCommand>),
    /// It is issued in place of another token of its principal, which expires at that time at the latest.
    Replace(Token, TokenId, Timestamp),
    /// It is revoked; see [`Revocation`].
    Revoke(Revocation),
    /// Its metadata is what the file of identity says, also that of one that was revoked.
    Declare(Token),
}

/// What is left to administrators when a token is revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// Refused when no administrator could log in any more: by another token, or with a password, which these persons have.
    KeepsAdmin(Vec<PrincipalId>),
    /// Of the last token too: the owner of the data directory can make another administrator.
    OfLastToo,
}

/// A change of a token.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenCommand {
    /// The public id of the token.
    pub token_id: TokenId,
    /// The condition on its version.
    pub expected: Expected,
    /// The principal that the token is of.
    pub principal_id: PrincipalId,
    /// The change.
    pub change: TokenChange,
    /// The access of the caller, who changes no token of a principal that may do more.
    pub granter: Access,
}

impl TokenKind {
    /// The letter behind `oh` in the text of such a token.
    pub const fn letter(self) -> char {
        match self {
            Self::Service => 's',
            Self::Till => 't',
            Self::Team => 'm',
            Self::Node => 'n',
        }
    }

    /// The kind of the principal that such a token is of.
    pub const fn principal_kind(self) -> PrincipalKind {
        match self {
            Self::Service | Self::Till => PrincipalKind::Service,
            Self::Team => PrincipalKind::Team,
            Self::Node => PrincipalKind::Node,
        }
    }
}

impl Token {
    /// True when the token is good at a time.
    pub fn is_good(&self, now: Timestamp) -> bool {
        !self.revoked && now < self.expires_at
    }
}

impl Decide for TokenCommand {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        access.permit(Permission::IdentityManage)
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(Key::Token(self.token_id.clone()));
        keys.push(Key::Principal(self.principal_id.clone()));
        // As by every change of a principal: no two changes at once take the last administrators their tokens.
        keys.push(Key::Mode);
        match &self.change {
            TokenChange::Issue(_, principal) => principal.add_keys(keys),
            TokenChange::Replace(_, old, _) => keys.push(Key::Token(old.clone())),
            TokenChange::Revoke(_) | TokenChange::Declare(_) => {}
        }
    }

    /// The version is checked first. A token that was revoked stays so, unless it is declared.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let master = draft.state::<Token>(&Key::Token(self.token_id.clone()));
        master.check(self.expected)?;
        let token = match (&self.change, master.details.clone()) {
            (TokenChange::Revoke(_), Some(token)) => Token { revoked: true, ..token },
            (TokenChange::Declare(token), Some(known)) if known.principal_id == token.principal_id => {
                token.clone()
            }
            (TokenChange::Revoke(_), None) | (TokenChange::Declare(_), _) => {
                return Err(Rejection::TokenNotFound.into());
            }
            (_, Some(_)) => {
                return Err(Rejection::TokenExists { current_version: master.version }.into());
            }
            (TokenChange::Issue(token, principal), None) => {
                principal.decide(draft)?;
                token.clone()
            }
            (TokenChange::Replace(token, old, at), None) => {
                self.retire(old, *at, draft)?;
                token.clone()
            }
        };
        self.check_granter(&token, draft)?;
        self.check_admin_left(draft)?;
        draft.record(Fact::Token(Box::new(TokenFact { token_id: self.token_id.clone(), token })));
        Ok(())
    }
}

impl TokenCommand {
    /// Refuses to revoke the last token by which an administrator can log in. A rotation leaves the new token.
    fn check_admin_left(&self, draft: &Draft<'_>) -> Result<(), Refusal> {
        let TokenChange::Revoke(Revocation::KeepsAdmin(with_password)) = &self.change else { return Ok(()) };
        let left = |admins: &Admins| admins.can_do_without(&self.token_id, with_password, draft.now());
        if draft.evidence().is_some_and(left) { Ok(()) } else { Err(Rejection::LastAdmin.into()) }
    }

    /// Records that a token expires, because another one takes its place.
    fn retire(&self, old: &TokenId, at: Timestamp, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let token = draft.state::<Token>(&Key::Token(old.clone())).details.clone();
        let is_good = |token: &Token| token.is_good(draft.now()) && token.principal_id == self.principal_id;
        let token = token.filter(is_good).ok_or(Rejection::TokenNotFound)?;
        self.check_granter(&token, draft)?;
        let token = Token { expires_at: token.expires_at.min(at), ..token };
        draft.record(Fact::Token(Box::new(TokenFact { token_id: old.clone(), token })));
        Ok(())
    }

    fn check_granter(&self, token: &Token, draft: &Draft<'_>) -> Result<(), Refusal> {
        let owner = &draft.state::<Principal>(&Key::Principal(self.principal_id.clone())).details;
        let Some(owner) = owner.as_ref().filter(|_| token.principal_id == self.principal_id) else {
            return Err(Rejection::PrincipalNotFound.into());
        };
        if self.granter.includes(&Access::of(&owner.grants, PermissionSet::NONE)) {
            Ok(())
        } else {
            Err(Rejection::GrantBeyondOwn.into())
        }
    }
}

impl Kind for Token {
    type Id = (TokenId,);
    type State = Box<Master<Token>>;
    type Fact = Box<TokenFact>;
    type After = MasterAfter;
    type Record = TokenRecord;
    type Undo = Self::State;

    master_kind!(Box<TokenFact>, Token, |fact| Some(&fact.token));

    fn id(fact: &Box<TokenFact>) -> (TokenId,) {
        (fact.token_id.clone(),)
    }

    fn record(master: &Box<Master<Token>>, (token_id,): (TokenId,)) -> TokenRecord {
        let Master { details, version, updated_at } = (**master).clone();
        TokenRecord { token_id, token: details.expect("a token is never taken out"), version, updated_at }
    }

    fn restore(record: TokenRecord) -> Result<((TokenId,), Box<Master<Token>>), Misfit> {
        let TokenRecord { token_id, token, version, updated_at } = record;
        if version == 0 {
            return Err(NOT_IN_CATALOGUE);
        }
        Ok(((token_id,), Box::new(Master { details: Some(token), version, updated_at })))
    }

    fn id_in(record: &TokenRecord) -> (TokenId,) {
        (record.token_id.clone(),)
    }

    fn updated_at_in(record: &TokenRecord) -> Timestamp {
        record.updated_at
    }
}
