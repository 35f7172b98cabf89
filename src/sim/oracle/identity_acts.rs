//! Changes of identity that a run requests, and the states they lead to.

/// A change of identity; principals and tokens are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are those of the commands")]
pub enum IdentityRequest {
    /// A new principal with its first token.
    Issue { token: u32, principal: u32, admin: bool },
    /// Another token of a principal in place of an old one.
    Replace { token: u32, old: u32, principal: u32 },
    /// Revokes a token, unless it is the last one of the administrators.
    Revoke { token: u32, principal: u32 },
    /// Other details of a principal.
    Change { principal: u32, admin: bool, disabled: bool },
    /// The mode: judging, or not.
    Mode(bool),
}

/// A principal: whether it is granted everything, and whether it is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentence says it")]
pub struct PrincipalModel {
    pub admin: bool,
    pub disabled: bool,
}

/// A token: its principal, whether another one has taken its place, and whether it is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentence says it")]
pub struct TokenModel {
    pub principal: u32,
    pub replaced: bool,
    pub revoked: bool,
}

impl PrincipalModel {
    /// True when it administrates.
    pub(super) fn administrates(self) -> bool {
        self.admin && !self.disabled
    }
}
