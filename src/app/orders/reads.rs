//! Reads of orders and shipments: one, and the history of one.

use crate::Ledger;
use crate::blocking;
use crate::ports::{History, HistoryError, MovementQuery};
use crate::stock::ReadError;
use onhand_domain::orders::{Order, OrderFact, Shipment, ShipmentFact, ShipmentId};
use onhand_domain::{Fact, Key, OrderId, Sequence, State, StoreId, Timestamp};
use smol_str::SmolStr;

/// Events of one read.
const EVENTS_PER_READ: usize = 256;

/// An order with its shipments.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderView {
    /// Its id.
    pub order_id: OrderId,
    /// The order.
    pub order: Order,
    /// Its shipments, by number.
    pub shipments: Vec<ShipmentView>,
}

/// A shipment.
#[derive(Debug, Clone, PartialEq)]
pub struct ShipmentView {
    /// Its id.
    pub shipment_id: ShipmentId,
    /// Its store.
    pub store_id: StoreId,
    /// The shipment.
    pub shipment: Shipment,
}

/// One event of an order or of one of its shipments.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRevision {
    /// The sequence of the event.
    pub sequence: Sequence,
    /// Its time.
    pub at: Timestamp,
    /// The principal, if it is known.
    pub actor: Option<SmolStr>,
    /// The event.
    pub event: Revised,
}

/// What an event of an order's history is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Revised {
    /// The order.
    Order(Box<OrderFact>),
    /// A shipment.
    Shipment(Box<ShipmentFact>),
}

impl Ledger {
    /// An order with its shipments as they are now; none when there is none of that id.
    ///
    /// Order and shipments are read one after the other: a change in between may show a shipment in a later state than the order.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log of another process cannot be read.
    pub async fn order(&self, order_id: &OrderId) -> Result<Option<OrderView>, ReadError> {
        let key = Key::Order(order_id.clone());
        let seen = self.read(&key, |state| match state {
            State::Order(order) if order.version > 0 => Some(order.as_ref().clone()),
            _ => None,
        });
        let Some(order) = seen.await?.flatten() else { return Ok(None) };
        let mut shipments = Vec::with_capacity(order.shipments.len());
        for (number, _) in (1..).zip(&order.shipments) {
            shipments.extend(self.shipment(&ShipmentId::of(order_id, number)).await?);
        }
        Ok(Some(OrderView { order_id: order_id.clone(), order, shipments }))
    }

    /// True when there is an order of that id.
    ///
    /// # Errors
    /// As [`Ledger::order`].
    pub(super) async fn order_exists(&self, order_id: &OrderId) -> Result<bool, ReadError> {
        let key = Key::Order(order_id.clone());
        Ok(self.read(&key, |state| state.version() > 0).await?.unwrap_or_default())
    }

    /// A shipment as it is now; none when there is none of that id.
    ///
    /// # Errors
    /// As [`Ledger::order`].
    pub async fn shipment(&self, shipment_id: &ShipmentId) -> Result<Option<ShipmentView>, ReadError> {
        let key = Key::Shipment(shipment_id.clone());
        let seen = self.read(&key, |state| match state {
            State::Shipment(shipment) => Some(shipment.as_ref().clone()),
            _ => None,
        });
        let shipment = seen.await?.flatten();
        Ok(shipment.and_then(|shipment| {
            let store_id = shipment.store_id.clone()?;
            Some(ShipmentView { shipment_id: shipment_id.clone(), store_id, shipment })
        }))
    }

    /// Every event of an order and of its shipments, in the order of the log.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log cannot be read back.
    pub async fn order_history(&self, view: &OrderView) -> Result<Vec<OrderRevision>, ReadError> {
        let histories = self.histories().await?;
        let shipments = view.shipments.iter().map(|view| Key::Shipment(view.shipment_id.clone()));
        let keys: Vec<Key> = std::iter::once(Key::Order(view.order_id.clone())).chain(shipments).collect();
        let read = move || {
            let mut revisions = Vec::new();
            for (log, history) in &histories {
                for key in &keys {
                    revisions
                        .extend(revisions_in(&**history, key)?.into_iter().map(|revision| (*log, revision)));
                }
            }
            // Sequences of one log are in order; those of several are put together by time.
            revisions.sort_by_key(|(log, revision)| (revision.at, *log, revision.sequence));
            Ok::<_, HistoryError>(revisions.into_iter().map(|(_, revision)| revision).collect())
        };
        Ok(blocking(read).await?)
    }
}

fn revisions_in(history: &dyn History, key: &Key) -> Result<Vec<OrderRevision>, HistoryError> {
    let mut query = MovementQuery {
        after: Sequence::START,
        limit: EVENTS_PER_READ,
        kind: None,
        since: None,
        until: None,
    };
    let mut revisions = Vec::new();
    loop {
        let movements = history.movements(key, &query)?;
        let Some(last) = movements.last() else { return Ok(revisions) };
        query.after = last.sequence;
        for movement in movements {
            let event = match movement.event.fact {
                Fact::Order(fact) => Revised::Order(fact),
                Fact::Shipment(fact) => Revised::Shipment(fact),
                _ => continue,
            };
            let (sequence, at, actor) = (movement.sequence, movement.at, movement.actor);
            revisions.push(OrderRevision { sequence, at, actor, event });
        }
    }
}
