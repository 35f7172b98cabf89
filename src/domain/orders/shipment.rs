//! The shipment: what one store is to send for one order, and the event that moves it.

use super::shipment_id::ShipmentId;
use crate::limits::ORDER_LINES_MAX;
use crate::{EventKind, Key, Kind, Leasing, Misfit, Quantity, Sku, StoreId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;

/// An event that does not follow the state of its shipment.
const STEP: Misfit = Misfit("the event does not follow the state of the shipment");
/// More pieces than the shipment has in that state.
const PIECES: Misfit = Misfit("the event moves pieces that the shipment does not have");

/// Pieces of one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineQty {
    /// The number of the order's line.
    pub line: u16,
    /// Its SKU.
    pub sku: Sku,
    /// The number of pieces, at least 1.
    pub qty: Quantity,
}

/// What has happened to a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShipmentChange {
    /// The store holds these pieces for it.
    Held,
    /// The store is to send it.
    Instructed,
    /// These pieces have left the store.
    Shipped,
    /// These pieces have reached the customer.
    Delivered,
    /// The store does not send these pieces.
    Refused,
    /// These pieces are not to be sent any more.
    Cancelled,
}

/// Why a store refuses a shipment, and so what becomes of its stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// The SKU is not there: the level is counted down to what others hold.
    NotInStock,
    /// The pieces are missing: they are removed.
    Short,
    /// The pieces are damaged: they are removed.
    Damaged,
    /// The store has too much to do: its stock stays.
    Busy,
    /// The store is closed: its stock stays.
    Closed,
}

/// `SHIPMENT`: one step of a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShipmentFact {
    /// The shipment.
    pub shipment_id: ShipmentId,
    /// The store, which never changes.
    pub store_id: StoreId,
    /// The step.
    pub change: ShipmentChange,
    /// The pieces that the step is about; none when it is about all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineQty>,
    /// Why a store refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// The caller's reason, free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<SmolStr>,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<SmolStr>,
    /// The number by which the carrier follows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<SmolStr>,
}

/// The state of a shipment, worked out from its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the words of ShipmentChange")]
pub enum ShipmentState {
    Held,
    Instructed,
    Shipped,
    Delivered,
    Refused,
    Cancelled,
}

/// One line of a shipment. The pieces that are neither shipped nor dropped are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShipmentLine {
    /// The number of the order's line.
    pub line: u16,
    /// Its SKU.
    pub sku: Sku,
    /// The pieces that were held at first.
    pub qty: Quantity,
    /// Those that have left; the delivered ones are among them.
    #[serde(default)]
    pub shipped: Quantity,
    /// Those that have reached the customer.
    #[serde(default)]
    pub delivered: Quantity,
    /// Those that the store refused, or that were cancelled.
    #[serde(default)]
    pub dropped: Quantity,
}

/// A shipment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shipment {
    /// The store that sends it; none before its first event.
    pub store_id: Option<StoreId>,
    /// The lines.
    pub lines: Vec<ShipmentLine>,
    /// True when the store is to send it.
    pub instructed: bool,
    /// Why the store refused, where it did.
    pub refused: Option<Refused>,
    /// The reason of the last step that gave one.
    pub reason: Option<SmolStr>,
    /// Who carries it.
    pub carrier: Option<SmolStr>,
    /// The number by which the carrier follows it.
    pub tracking: Option<SmolStr>,
    /// Counts its events.
    pub version: u64,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

/// The pieces of a shipment after an event, over all lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShipmentAfter {
    /// The pieces that the store holds for it.
    pub held: Quantity,
    /// Those that have left the store.
    pub shipped: Quantity,
    /// Those that have reached the customer.
    pub delivered: Quantity,
    /// The version.
    pub version: u64,
}

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

impl ShipmentLine {
    /// The pieces that the store holds; none when the numbers are not possible.
    fn held_of(&self) -> Option<Quantity> {
        let held = self.qty.checked_sub(self.shipped)?.checked_sub(self.dropped)?;
        let possible =
            [self.shipped, self.delivered, self.dropped, held].iter().all(|pieces| !pieces.is_negative());
        (possible && self.delivered <= self.shipped).then_some(held)
    }

    /// The pieces that the store holds.
    pub fn held(&self) -> Quantity {
        self.held_of().unwrap_or_default()
    }

    /// The pieces on their way.
    pub fn under_way(&self) -> Quantity {
        self.shipped.checked_sub(self.delivered).unwrap_or_default()
    }
}

impl Shipment {
    /// See [`ShipmentState`].
    pub fn state(&self) -> ShipmentState {
        let ShipmentAfter { held, shipped, delivered, .. } = self.after();
        if held > Quantity::ZERO {
            if self.instructed { ShipmentState::Instructed } else { ShipmentState::Held }
        } else if shipped > Quantity::ZERO {
            if delivered == shipped { ShipmentState::Delivered } else { ShipmentState::Shipped }
        } else if self.refused.is_some() {
            ShipmentState::Refused
        } else {
            ShipmentState::Cancelled
        }
    }

    /// True when nothing is held, and nothing is on its way.
    pub fn is_closed(&self) -> bool {
        let ShipmentAfter { held, shipped, delivered, .. } = self.after();
        held == Quantity::ZERO && shipped == delivered
    }

    /// The pieces that the store holds, by line.
    pub fn held(&self) -> Vec<LineQty> {
        self.pieces(ShipmentLine::held)
    }

    /// The pieces on their way, by line.
    pub fn under_way(&self) -> Vec<LineQty> {
        self.pieces(ShipmentLine::under_way)
    }

    fn pieces(&self, of: impl Fn(&ShipmentLine) -> Quantity) -> Vec<LineQty> {
        let lines =
            self.lines.iter().map(|line| LineQty { line: line.line, sku: line.sku.clone(), qty: of(line) });
        lines.filter(|line| line.qty > Quantity::ZERO).collect()
    }

    fn after(&self) -> ShipmentAfter {
        let none = ShipmentAfter { version: self.version, ..ShipmentAfter::default() };
        let sum = |sums: ShipmentAfter, line: &ShipmentLine| {
            Some(ShipmentAfter {
                held: sums.held.checked_add(line.held_of()?)?,
                shipped: sums.shipped.checked_add(line.shipped)?,
                delivered: sums.delivered.checked_add(line.delivered)?,
                version: sums.version,
            })
        };
        self.lines.iter().try_fold(none, sum).unwrap_or(none)
    }

    fn hold(&mut self, fact: &ShipmentFact) -> Result<(), Misfit> {
        let rising = fact.lines.windows(2).all(|pair| matches!(pair, [one, next] if one.line < next.line));
        if fact.lines.is_empty() || fact.lines.len() > ORDER_LINES_MAX || !rising {
            return Err(PIECES);
        }
        let none = Quantity::ZERO;
        let line = |LineQty { line, sku, qty }: LineQty| ShipmentLine {
            line,
            sku,
            qty,
            shipped: none,
            delivered: none,
            dropped: none,
        };
        self.store_id = Some(fact.store_id.clone());
        self.lines = fact.lines.iter().cloned().map(line).collect();
        if self.lines.iter().all(|line| line.qty > none) { Ok(()) } else { Err(PIECES) }
    }

    fn move_pieces(&mut self, fact: &ShipmentFact) -> Result<(), Misfit> {
        let about_pieces = fact.change != ShipmentChange::Instructed;
        if about_pieces == fact.lines.is_empty() {
            return Err(STEP);
        }
        for LineQty { line, sku, qty } in &fact.lines {
            let of_line = |known: &&mut ShipmentLine| known.line == *line && known.sku == *sku;
            let line = self.lines.iter_mut().find(of_line).ok_or(PIECES)?;
            let pieces = match fact.change {
                ShipmentChange::Shipped => &mut line.shipped,
                ShipmentChange::Delivered => &mut line.delivered,
                ShipmentChange::Refused | ShipmentChange::Cancelled => &mut line.dropped,
                ShipmentChange::Held | ShipmentChange::Instructed => return Err(STEP),
            };
            *pieces = pieces.checked_add(*qty).filter(|_| *qty > Quantity::ZERO).ok_or(PIECES)?;
            line.held_of().ok_or(PIECES)?;
        }
        Ok(())
    }

    fn step(&mut self, fact: &ShipmentFact, at: Timestamp) -> Result<(), Misfit> {
        let begins = fact.change == ShipmentChange::Held;
        let same_store = self.store_id.as_ref() == Some(&fact.store_id);
        if begins != (self.version == 0) || (!begins && !same_store) {
            return Err(STEP);
        }
        if (fact.change == ShipmentChange::Refused) != fact.refused.is_some() {
            return Err(STEP);
        }
        if begins {
            self.hold(fact)?
        } else {
            self.move_pieces(fact)?
        }
        self.instructed |= fact.change == ShipmentChange::Instructed;
        let replace = |member: &mut Option<SmolStr>, by: &Option<SmolStr>| {
            if by.is_some() {
                member.clone_from(by);
            }
        };
        self.refused = fact.refused.or(self.refused);
        replace(&mut self.reason, &fact.reason);
        replace(&mut self.carrier, &fact.carrier);
        replace(&mut self.tracking, &fact.tracking);
        self.version += 1;
        self.updated_at = at;
        // The sums are within the range, too.
        let sums = self.lines.iter().try_fold(Quantity::ZERO, |sum, line| sum.checked_add(line.qty));
        sums.map(|_| ()).ok_or(Misfit::NUMBER)
    }
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
