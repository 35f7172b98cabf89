//! The shipment as a kind of state: its event, its form in a snapshot.

use super::shipment::{STEP, Shipment, ShipmentAfter, ShipmentLine};
use super::shipment_fact::{Refused, ShipmentChange, ShipmentFact};
use super::shipment_id::ShipmentId;
use crate::{EventKind, Key, Kind, Leasing, Misfit, Quantity, StoreId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;

/// A shipment in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Shipment, under their names")]
pub struct ShipmentRecord {
    pub shipment_id: ShipmentId,
    pub store_id: StoreId,
    pub lines: Vec<ShipmentLine>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub instructed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<SmolStr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<SmolStr>,
    pub version: u64,
    pub updated_at: Timestamp,
}

impl Kind for Shipment {
    type Id = (ShipmentId,);
    type State = Box<Self>;
    type Fact = Box<ShipmentFact>;
    type After = ShipmentAfter;
    type Record = Box<ShipmentRecord>;
    type Undo = Box<Self>;

    const LEASE: Leasing = Leasing::WithAnother;

    fn id(fact: &Box<ShipmentFact>) -> (ShipmentId,) {
        (fact.shipment_id.clone(),)
    }

    fn event(_: &Box<ShipmentFact>) -> EventKind {
        EventKind::Shipment
    }

    fn read<'de, D: Deserializer<'de>>(_: EventKind, payload: D) -> Result<Box<ShipmentFact>, D::Error> {
        Deserialize::deserialize(payload)
    }

    fn apply(shipment: &mut Box<Self>, fact: &Box<ShipmentFact>, at: Timestamp) -> Result<Box<Self>, Misfit> {
        let before = shipment.clone();
        match shipment.step(fact, at) {
            Ok(()) => Ok(before),
            Err(misfit) => {
                *shipment = before;
                Err(misfit)
            }
        }
    }

    fn undo(shipment: &mut Box<Self>, before: Box<Self>) {
        *shipment = before;
    }

    fn after(shipment: &Box<Self>) -> ShipmentAfter {
        shipment.as_ref().after()
    }

    fn before(fact: &Box<ShipmentFact>, after: ShipmentAfter) -> Option<ShipmentAfter> {
        let moved = fact.lines.iter().try_fold(Quantity::ZERO, |sum, line| sum.checked_add(line.qty))?;
        let ShipmentAfter { held, shipped, delivered, version } = after;
        let version = version.checked_sub(1)?;
        let before = ShipmentAfter { held, shipped, delivered, version };
        Some(match fact.change {
            ShipmentChange::Held => ShipmentAfter { held: held.checked_sub(moved)?, ..before },
            ShipmentChange::Instructed => before,
            ShipmentChange::Shipped => ShipmentAfter {
                held: held.checked_add(moved)?,
                shipped: shipped.checked_sub(moved)?,
                ..before
            },
            ShipmentChange::Delivered => ShipmentAfter { delivered: delivered.checked_sub(moved)?, ..before },
            ShipmentChange::Refused | ShipmentChange::Cancelled => {
                ShipmentAfter { held: held.checked_add(moved)?, ..before }
            }
        })
    }

    fn version_of(after: &ShipmentAfter) -> u64 {
        after.version
    }

    fn version(shipment: &Box<Self>) -> u64 {
        shipment.version
    }

    fn set_updated_at(shipment: &mut Box<Self>, at: Timestamp) {
        shipment.updated_at = at;
    }

    fn decided_with((shipment_id,): &(ShipmentId,)) -> Option<Key> {
        Some(Key::Order(shipment_id.order_id()))
    }

    fn record(shipment: &Box<Self>, (shipment_id,): (ShipmentId,)) -> Box<ShipmentRecord> {
        let Self { store_id, lines, instructed, refused, reason, carrier, tracking, version, updated_at } =
            (**shipment).clone();
        let store_id = store_id.expect("a shipment with an event has a store");
        Box::new(ShipmentRecord {
            shipment_id,
            store_id,
            lines,
            instructed,
            refused,
            reason,
            carrier,
            tracking,
            version,
            updated_at,
        })
    }

    fn restore(record: Box<ShipmentRecord>) -> Result<((ShipmentId,), Box<Self>), Misfit> {
        let ShipmentRecord {
            shipment_id,
            store_id,
            lines,
            instructed,
            refused,
            reason,
            carrier,
            tracking,
            version,
            updated_at,
        } = *record;
        let possible = lines.iter().all(|line| line.qty > Quantity::ZERO && line.held_of().is_some());
        if version == 0 || lines.is_empty() || !possible {
            return Err(STEP);
        }
        let store_id = Some(store_id);
        let state =
            Self { store_id, lines, instructed, refused, reason, carrier, tracking, version, updated_at };
        Ok(((shipment_id,), Box::new(state)))
    }

    fn id_in(record: &Box<ShipmentRecord>) -> (ShipmentId,) {
        (record.shipment_id.clone(),)
    }

    fn updated_at_in(record: &Box<ShipmentRecord>) -> Timestamp {
        record.updated_at
    }
}
