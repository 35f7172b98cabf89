//! The history of an order as JSON.

use crate::response::actor;
use onhand_app::orders::{OrderRevision, Revised};
use onhand_domain::orders::{
    LineDelta, LineQty, OrderChange, Payment, Refused, Return, ShipmentChange, ShipmentId,
};
use onhand_domain::{Sequence, StoreId, Timestamp};
use serde::Serialize;

/// One event of an order's history.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RevisionShown<'a> {
    sequence: Sequence,
    ts: Timestamp,
    actor: &'a str,
    change: ChangeShown,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipment_id: Option<&'a ShipmentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<&'a StoreId>,
    #[serde(skip_serializing_if = "is_empty")]
    lines: &'a [LineDelta],
    #[serde(skip_serializing_if = "is_empty")]
    pieces: &'a [LineQty],
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<&'a Payment>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "return")]
    returned: Option<&'a Return>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<Refused>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ChangeShown {
    Order(OrderChange),
    Shipment(ShipmentChange),
}

fn is_empty<T>(items: &[T]) -> bool {
    items.is_empty()
}

impl<'a> RevisionShown<'a> {
    /// The JSON of one event.
    pub(super) fn of(revision: &'a OrderRevision) -> Self {
        let shown = Self {
            sequence: revision.sequence,
            ts: revision.at,
            actor: actor::shown(revision.actor.as_deref()),
            change: ChangeShown::Order(OrderChange::Placed),
            shipment_id: None,
            store_id: None,
            lines: &[],
            pieces: &[],
            payment: None,
            returned: None,
            refused: None,
            reason: None,
        };
        match &revision.event {
            Revised::Order(fact) => Self {
                change: ChangeShown::Order(fact.change),
                lines: &fact.lines,
                payment: fact.payment.as_ref(),
                returned: fact.returned.as_deref(),
                reason: fact.reason.as_deref(),
                ..shown
            },
            Revised::Shipment(fact) => Self {
                change: ChangeShown::Shipment(fact.change),
                shipment_id: Some(&fact.shipment_id),
                store_id: Some(&fact.store_id),
                pieces: &fact.lines,
                refused: fact.refused,
                reason: fact.reason.as_deref(),
                ..shown
            },
        }
    }
}
