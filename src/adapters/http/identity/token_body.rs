//! The bodies of requests about tokens, and a token as answers show it.

use crate::request::field_rules::text;
use crate::request::optional::present;
use onhand_domain::Timestamp;
use onhand_domain::identity::{GRACE_MS_MAX, Grant, PrincipalId, TokenId, TokenKind};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use validator::Validate;

pub(super) const DAY_SECONDS: i64 = 86_400;
/// The life of a token when its request says nothing.
pub(super) const LIFE_SECONDS: i64 = 90 * DAY_SECONDS;
/// The longest life of a token.
pub(super) const LIFE_SECONDS_MAX: i64 = 400 * DAY_SECONDS;
/// The longest time that a token lives on beside the one that replaces it.
pub(super) const GRACE_SECONDS_MAX: i64 = GRACE_MS_MAX / 1_000;
/// Grants of one token.
pub(super) const GRANTS_MAX: u64 = 100;

/// `{kind, name, grants, expiresInSeconds?, jwt?}`
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TokenBody {
    pub(super) kind: TokenKind,
    #[validate(custom(function = "text"))]
    pub(super) name: SmolStr,
    #[validate(length(min = 1, max = GRANTS_MAX, message = "must be 1 to 100 grants"))]
    pub(super) grants: Vec<Grant>,
    #[serde(default, deserialize_with = "present")]
    #[validate(range(min = 60, max = LIFE_SECONDS_MAX, message = "must be 60 to 34560000 seconds"))]
    pub(super) expires_in_seconds: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) jwt: bool,
}

/// `{graceSeconds?, jwt?}`
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RotateBody {
    #[serde(default, deserialize_with = "present")]
    #[validate(range(min = 0, max = GRACE_SECONDS_MAX, message = "must be 0 to 604800 seconds"))]
    pub(super) grace_seconds: Option<i64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) jwt: bool,
}

/// A token as lists show it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenShown {
    pub(super) token_id: TokenId,
    pub(super) principal_id: PrincipalId,
    pub(super) kind: TokenKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) revoked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token: Option<String>,
}
