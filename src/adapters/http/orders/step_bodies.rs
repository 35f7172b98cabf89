//! The JSON of the steps of orders and shipments, with the rules of their members.

use crate::request::field_rules::{at_least_one, short_text, text, version};
use crate::request::optional::present;
use onhand_domain::allocation::Rules;
use onhand_domain::orders::{OrderStatus, Refused};
use onhand_domain::{Quantity, StoreId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use validator::Validate;

/// Request body of a status: `{status, reason?, carrier?, tracking?, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StatusBody {
    pub(super) status: OrderStatus,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub(super) reason: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "short_text"))]
    pub(super) carrier: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "short_text"))]
    pub(super) tracking: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub(super) expected_version: Option<u64>,
}

/// Request body of a step: `{reason?, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StepBody {
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub(super) reason: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub(super) expected_version: Option<u64>,
}

/// Request body of a step that chooses stores: `{storeId?, rules?, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct AllotBody {
    #[serde(default, deserialize_with = "present")]
    pub(super) store_id: Option<StoreId>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "crate::allocation::rules::good_rules"))]
    pub(super) rules: Option<Rules>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub(super) expected_version: Option<u64>,
}

/// Request body of a shipping: `{lines?: [{line, qty}], carrier?, tracking?, expectedVersion?}`; everything, without lines.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ShipBody {
    #[serde(default)]
    #[validate(length(max = 200, message = "must have at most 200 lines"), nested)]
    pub(super) lines: Vec<PiecesBody>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "short_text"))]
    pub(super) carrier: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "short_text"))]
    pub(super) tracking: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub(super) expected_version: Option<u64>,
}

/// `{line, qty}`
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PiecesBody {
    pub(super) line: u16,
    #[validate(custom(function = "at_least_one"))]
    pub(super) qty: Quantity,
}

/// Request body of a refusal: `{reason, note?, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RefuseBody {
    pub(super) reason: Refused,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub(super) note: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub(super) expected_version: Option<u64>,
}
