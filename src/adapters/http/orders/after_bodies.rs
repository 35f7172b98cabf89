//! The JSON of payments and returns, with the rules of their members.

use super::step_bodies::PiecesBody;
use crate::request::field_rules::{at_least_one, not_negative, text, version};
use crate::request::optional::present;
use onhand_domain::orders::PaymentKind;
use onhand_domain::{PaymentId, Quantity, ReturnId, StoreId};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use validator::{Validate, ValidationError};

/// Request body of a payment: `{paymentId, kind, amount, reference?, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PaymentBody {
    pub(super) payment_id: PaymentId,
    pub(super) kind: PaymentKind,
    #[validate(custom(function = "at_least_one"))]
    pub(super) amount: Quantity,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub(super) reference: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub(super) expected_version: Option<u64>,
}

/// Request body of a return: `{returnId, lines: [{line, qty}], reason?, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReturnBody {
    pub(super) return_id: ReturnId,
    #[validate(length(min = 1, max = 200, message = "must have 1 to 200 lines"), nested)]
    pub(super) lines: Vec<PiecesBody>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub(super) reason: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub(super) expected_version: Option<u64>,
}

/// Request body of a receipt: `{storeId, lines?: [{line, qty, sellable}], reason?, expectedVersion?}`; all that was asked for and none
/// of it sellable, without lines.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ReceiptBody {
    pub(super) store_id: StoreId,
    #[serde(default)]
    #[validate(length(max = 200, message = "must have at most 200 lines"), nested)]
    pub(super) lines: Vec<ReceivedBody>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    pub(super) reason: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub(super) expected_version: Option<u64>,
}

/// `{line, qty, sellable}`
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[validate(schema(function = "sellable"))]
pub(super) struct ReceivedBody {
    pub(super) line: u16,
    #[validate(custom(function = "at_least_one"))]
    pub(super) qty: Quantity,
    #[validate(custom(function = "not_negative"))]
    pub(super) sellable: Quantity,
}

fn sellable(body: &ReceivedBody) -> Result<(), ValidationError> {
    let fault = || ValidationError::new("rule").with_message("sellable must be at most qty".into());
    if body.sellable <= body.qty { Ok(()) } else { Err(fault()) }
}
