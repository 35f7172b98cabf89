//! People and tokens that a file declares. What it names is changed by the file alone; what it no longer names may do nothing.

pub(crate) mod apply;
pub(crate) mod apply_error;
mod change;

use crate::identity::central_logins::DeclaredCentral;
use crate::ports::{KeptPerson, KeptToken};
use onhand_domain::Timestamp;
use onhand_domain::identity::{Grant, TokenId, TokenKind};

/// Everybody and everything that a file declares. No login, e-mail address or token id twice.
#[derive(Clone, Default)]
pub struct Declared {
    /// The people.
    pub people: Vec<DeclaredPerson>,
    /// The tokens.
    pub tokens: Vec<DeclaredToken>,
    /// Central, whose logins are good here too; none without.
    pub central: Option<DeclaredCentral>,
}

/// A person, with at least one grant and a password.
#[derive(Clone)]
pub struct DeclaredPerson {
    /// Login, name, address and verifier.
    pub kept: KeptPerson,
    /// What is granted.
    pub grants: Vec<Grant>,
}

/// A token, with at least one grant. It is of a principal of its own.
#[derive(Clone)]
pub struct DeclaredToken {
    /// The public id.
    pub token_id: TokenId,
    /// The kind.
    pub kind: TokenKind,
    /// Name and verifier.
    pub kept: KeptToken,
    /// What is granted.
    pub grants: Vec<Grant>,
    /// When it expires; without, it is good for as long as the file names it.
    pub expires_at: Option<Timestamp>,
}
