//! The events that several decisions record: pieces that a store begins to hold, that leave, or that come back.

use super::command::{Carrier, OrderCommand, Planned};
use super::line::{LineDelta, Pieces};
use super::order::Order;
use super::order_fact::{Opened, OrderChange, OrderFact};
use super::shipment::Shipment;
use super::shipment_fact::{LineQty, Refused, ShipmentChange, ShipmentFact};
use super::shipment_id::ShipmentId;
use crate::catalogue::check_listed;
use crate::limits::ORDER_SHIPMENTS_OPEN_MAX;
use crate::stock::{AdjustKind, Adjusted, Counted, Level, Reserved, Settled, StockFact};
use crate::{Draft, Fact, Key, OrderId, Quantity, Rejection, Sku, StoreId};
use smol_str::SmolStr;
use std::collections::BTreeMap;

/// What becomes of pieces of each line.
#[derive(Debug, Default)]
pub(super) struct Deltas(BTreeMap<u16, Pieces>);

impl Deltas {
    /// Adds the pieces of some lines, as `of` counts one.
    pub(super) fn add(&mut self, lines: &[LineQty], of: impl Fn(Quantity) -> Pieces) {
        for line in lines {
            let sum = self.0.entry(line.line).or_default();
            // The pieces of an order are within the range, and so are all their parts.
            *sum = sum.plus(of(line.qty)).unwrap_or_default();
        }
    }

    pub(super) fn into_lines(self) -> Vec<LineDelta> {
        let some = self.0.into_iter().filter(|(_, pieces)| *pieces != Pieces::default());
        some.map(|(line, pieces)| LineDelta { line, pieces }).collect()
    }
}

/// The event of an order, without anything that it changes.
pub(super) fn order_fact(order_id: &OrderId, change: OrderChange) -> OrderFact {
    OrderFact {
        order_id: order_id.clone(),
        change,
        placed: None,
        lines: Vec::new(),
        opened: Vec::new(),
        closed: Vec::new(),
        avoids: None,
        payment: None,
        returned: None,
        reason: None,
    }
}

/// The event of a shipment, about these pieces.
pub(super) fn shipment_fact(
    shipment_id: &ShipmentId,
    store_id: &StoreId,
    change: ShipmentChange,
    lines: Vec<LineQty>,
) -> ShipmentFact {
    ShipmentFact {
        shipment_id: shipment_id.clone(),
        store_id: store_id.clone(),
        change,
        lines,
        refused: None,
        reason: None,
        carrier: None,
        tracking: None,
    }
}

/// The open shipments of an order with their levels; nothing when the draft does not hold all of them, which are requested then.
pub(super) fn open_shipments(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
) -> Option<Vec<(ShipmentId, Shipment)>> {
    let open = draft.state::<Order>(&command.key()).open_shipments.clone();
    let ids: Vec<ShipmentId> =
        open.into_iter().map(|number| ShipmentId::of(&command.order_id, number)).collect();
    let whole = ids.iter().map(|id| holds(draft, Key::Shipment(id.clone()))).fold(true, |all, one| all & one);
    if !whole {
        return None;
    }
    let found: Vec<_> = ids
        .into_iter()
        .map(|id| {
            let state = draft.state::<Shipment>(&Key::Shipment(id.clone())).as_ref().clone();
            (id, state)
        })
        .collect();
    let all =
        found.iter().map(|(_, shipment)| holds_levels(draft, shipment)).fold(true, |all, one| all & one);
    all.then_some(found)
}

/// True when the draft holds the levels of what a shipment holds; they are requested otherwise.
pub(super) fn holds_levels(draft: &mut Draft<'_>, shipment: &Shipment) -> bool {
    let Some(store_id) = &shipment.store_id else { return true };
    let level = |line: LineQty| Key::Level(store_id.clone(), line.sku);
    shipment.held().into_iter().map(|line| holds(draft, level(line))).fold(true, |all, one| all & one)
}

/// True when the draft holds the state under the key; it is requested otherwise.
pub(super) fn holds(draft: &mut Draft<'_>, key: Key) -> bool {
    let held = draft.holds(&key);
    if !held {
        draft.need(key);
    }
    held
}

/// The planned stores begin to hold their pieces, as the next shipments of the order: nothing when the draft
/// does not hold their states.
pub(super) fn hold(
    draft: &mut Draft<'_>,
    command: &OrderCommand,
    planned: &[Planned],
) -> Result<Option<Vec<Opened>>, Rejection> {
    let order = draft.state::<Order>(&command.key());
    let open = order.open_shipments.len() + planned.len();
    let Some(numbers) = order.next_shipments(planned.len()).filter(|_| open <= ORDER_SHIPMENTS_OPEN_MAX)
    else {
        return Err(Rejection::TooManyShipments);
    };
    let ids: Vec<_> = numbers.clone().map(|number| ShipmentId::of(&command.order_id, number)).collect();
    if !ids.iter().map(|id| holds(draft, Key::Shipment(id.clone()))).fold(true, |all, one| all & one) {
        return Ok(None);
    }
    for (id, part) in ids.iter().zip(planned) {
        for (sku, qty) in by_sku(&part.lines) {
            let key = Key::Level(part.store_id.clone(), sku.clone());
            check_listed(draft, &key, &sku)?;
            let level = draft.state::<Level>(&key);
            // Before there were shipments, a reservation could have such an id.
            if level.knows_reservation(&id.reservation_id()) {
                return Err(Rejection::AlreadyExists { reservation_id: id.reservation_id() });
            }
            let available = level.qty();
            if qty > available {
                return Err(Rejection::PlanStale { store_id: part.store_id.clone(), sku, available });
            }
            draft.record(Fact::Level(StockFact::Reserve(Reserved {
                sku,
                store_id: part.store_id.clone(),
                qty,
                reservation_id: id.reservation_id(),
                expires_at: None,
                expected_version: None,
                reference: None,
            })));
        }
        let fact = shipment_fact(id, &part.store_id, ShipmentChange::Held, part.lines.clone());
        draft.record(Fact::Shipment(Box::new(fact)));
    }
    let opened =
        numbers.zip(planned).map(|(number, part)| Opened { number, store_id: part.store_id.clone() });
    Ok(Some(opened.collect()))
}

/// Pieces that a shipment holds leave the store.
pub(super) fn commit(
    draft: &mut Draft<'_>,
    id: &ShipmentId,
    store_id: &StoreId,
    lines: &[LineQty],
    carrier: &Carrier,
) {
    settle(draft, id, store_id, lines, StockFact::Commit);
    let fact = ShipmentFact {
        carrier: carrier.carrier.clone(),
        tracking: carrier.tracking.clone(),
        ..shipment_fact(id, store_id, ShipmentChange::Shipped, lines.to_vec())
    };
    draft.record(Fact::Shipment(Box::new(fact)));
}

/// Pieces that a shipment holds are sellable again, and the shipment does not send them.
pub(super) fn release(
    draft: &mut Draft<'_>,
    id: &ShipmentId,
    store_id: &StoreId,
    lines: &[LineQty],
    (refused, reason): (Option<Refused>, Option<&SmolStr>),
) {
    settle(draft, id, store_id, lines, StockFact::Release);
    let change = if refused.is_some() { ShipmentChange::Refused } else { ShipmentChange::Cancelled };
    let fact = ShipmentFact {
        refused,
        reason: reason.cloned(),
        ..shipment_fact(id, store_id, change, lines.to_vec())
    };
    draft.record(Fact::Shipment(Box::new(fact)));
}

fn settle(
    draft: &mut Draft<'_>,
    id: &ShipmentId,
    store_id: &StoreId,
    lines: &[LineQty],
    how: fn(Settled) -> StockFact,
) {
    for (sku, qty) in by_sku(lines) {
        draft.record(Fact::Level(how(Settled {
            sku,
            store_id: store_id.clone(),
            reservation_id: id.reservation_id(),
            qty,
            expected_version: None,
        })));
    }
}

/// Corrects the stock of a store by its reason to refuse; its pieces are released already.
pub(super) fn correct_stock(draft: &mut Draft<'_>, store_id: &StoreId, lines: &[LineQty], refused: Refused) {
    for (sku, qty) in by_sku(lines) {
        let level = draft.state::<Level>(&Key::Level(store_id.clone(), sku.clone())).after();
        let store_id = store_id.clone();
        let fact = match refused {
            Refused::Busy | Refused::Closed => continue,
            Refused::NotInStock => {
                let delta = level.qty().negated();
                let reason = Some(SmolStr::new_static("not in stock for a shipment"));
                let counted = level.reserved;
                StockFact::Count(Counted {
                    sku,
                    store_id,
                    counted,
                    delta,
                    as_of: None,
                    reason,
                    expected_version: None,
                })
            }
            Refused::Short | Refused::Damaged => {
                let reason =
                    if refused == Refused::Short { "short for a shipment" } else { "damaged for a shipment" };
                StockFact::Adjust(Adjusted {
                    sku,
                    store_id,
                    delta: qty.negated(),
                    expected_version: None,
                    reason: Some(SmolStr::new_static(reason)),
                    reference: None,
                    occurred_at: None,
                    kind: Some(AdjustKind::Removal),
                })
            }
        };
        draft.record(Fact::Level(fact));
    }
}

/// The pieces of each SKU: a shipment has one reservation in a level.
pub(super) fn by_sku(lines: &[LineQty]) -> BTreeMap<Sku, Quantity> {
    let mut sums: BTreeMap<Sku, Quantity> = BTreeMap::new();
    for line in lines {
        let sum = sums.entry(line.sku.clone()).or_default();
        *sum = sum.checked_add(line.qty).unwrap_or_default();
    }
    sums
}
