//! What the vault keeps of a person's sessions and one-use links, and the claims of the tokens that it signs.

use onhand_domain::Timestamp;
use onhand_domain::identity::{PrincipalId, TokenId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How much the clock of another process may be ahead, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// What a session, or a link, is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionUse {
    /// A browser, by a cookie.
    Browser,
    /// A program, by a refresh token that is replaced at each use, and the access tokens that it gets.
    Refresh,
    /// A link that sets a password once: an invitation, or a reset.
    Link,
}

/// The longest times of a session of one use, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLife {
    /// Without any use.
    pub idle: i64,
    /// In total.
    pub total: i64,
}

/// What the vault keeps of a session or link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSession {
    /// The person.
    pub principal_id: PrincipalId,
    /// What it is for.
    pub usage: SessionUse,
    /// When it was last used, to some minutes.
    pub used_at: Timestamp,
    /// When it ends, whatever happens.
    pub expires_at: Timestamp,
}

/// A secret that was made for a session or link. The text exists nowhere else.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSession {
    /// The public id.
    pub session_id: TokenId,
    /// The text of the cookie, refresh token or link.
    pub text: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What came of a refresh token.
pub enum Refreshed {
    /// It was good; the session has another one now.
    Renewed(KeptSession, NewSession),
    /// It had been replaced long before: somebody has a copy. The session has ended.
    Reused(PrincipalId),
    /// There is no session of it.
    Unknown,
}

/// The claims of a signed token (RFC 7519), times in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// The issuer: the ledger.
    pub iss: String,
    /// The audience.
    pub aud: String,
    /// The principal.
    pub sub: PrincipalId,
    /// The session of an access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<TokenId>,
    /// The id of a team's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<TokenId>,
    /// Issued at.
    pub iat: i64,
    /// Expires at.
    pub exp: i64,
    /// The grants of the person, as JSON, where another node is the audience; a later version may know more of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Value>,
}

/// The public half of a signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// Its id.
    pub key_id: String,
    /// The Ed25519 key, 32 bytes in base64url without padding.
    pub x: String,
}

/// The public keys of central, as they were last fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CentralKeys {
    /// The address they were fetched from.
    pub url: String,
    /// The issuer of the tokens that they sign.
    pub issuer: String,
    /// The keys.
    pub keys: Vec<PublicKey>,
    /// When they were last fetched.
    pub fetched_at: Timestamp,
}

/// What a password was found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordMatch {
    /// It is the right one.
    pub ok: bool,
    /// It is the right one, and what is kept of it is weaker than what would be kept now.
    pub needs_rehash: bool,
}

/// So many passwords wait to be compared that no other can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords wait to be compared")]
pub struct PasswordsBusy;

impl Claims {
    /// True when a token is neither of the future nor expired, with some leave for the clock of another process.
    pub const fn is_in_time(&self, now: Timestamp) -> bool {
        let seconds = now.milliseconds().div_euclid(1_000);
        self.iat <= seconds.saturating_add(CLOCK_SKEW_SECONDS) && seconds < self.exp
    }
}

impl SessionUse {
    /// The longest times of such a session.
    pub const fn life(self) -> SessionLife {
        const HOUR: i64 = 3_600;
        const DAY: i64 = 24 * HOUR;
        match self {
            Self::Browser => SessionLife { idle: 12 * HOUR, total: 7 * DAY },
            Self::Refresh => SessionLife { idle: 14 * DAY, total: 30 * DAY },
            Self::Link => SessionLife { idle: HOUR / 2, total: HOUR / 2 },
        }
    }
}

impl KeptSession {
    /// True when the session has not ended.
    pub fn is_good(&self, now: Timestamp) -> bool {
        now < self.expires_at && now < self.used_at.plus_seconds(self.usage.life().idle)
    }
}
