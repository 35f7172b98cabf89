//! The bodies of `/imports/{importId}`, as openapi.yaml defines them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use onhand_domain::stock::AdjustKind;
use onhand_domain::{Quantity, Sku, StoreId, Timestamp};

/// One row of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireRow {
    pub(super) row: u64,
    pub(super) store_id: StoreId,
    pub(super) sku: Sku,
    pub(super) kind: AdjustKind,
    pub(super) quantity: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) occurred_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) opening_stock: Option<Quantity>,
}

/// `POST /imports/{importId}/rows`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RowsRequest<'a> {
    pub(super) after_row: u64,
    pub(super) through_row: u64,
    pub(super) last: bool,
    pub(super) rows: &'a VecDeque<WireRow>,
}

/// The body of `GET /imports/{importId}`, which is also a part of the answer to a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress {
    pub(super) rows_done: u64,
    pub(super) applied: u64,
    pub(super) refused: u64,
    pub(super) finished: bool,
}

/// A page of `GET /imports/{importId}/refusals`, in the order of rows.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefusalPage {
    pub(super) items: Vec<ServerRefusal>,
    pub(super) next_cursor: Option<String>,
}

/// A row that the node rejected.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServerRefusal {
    pub(super) row: u64,
    pub(super) code: String,
    pub(super) available: Option<i64>,
}
