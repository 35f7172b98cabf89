//! The level: the stock of one SKU in one store.

use super::expire::expiries;
use super::holds::{HoldUndo, Holds, RESERVATION};
use crate::stock::{ClosedRecord, Closure, Hold, HoldRecord, LevelAfter, MovementKind, StockFact};
use crate::{EventKind, Kind, Misfit, Quantity, Rejection, ReservationId, Sku, StoreId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// Stock in numbers. Invariants: 0 <= `reserved` <= `on_hand`; `reserved` is the sum of the open holds; `version`
/// counts the level's events.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Level {
    on_hand: Quantity,
    reserved: Quantity,
    version: u64,
    updated_at: Timestamp,
    holds: Option<Box<Holds>>,
}

/// The undo of one event of a level.
#[derive(Debug)]
pub struct LevelUndo {
    before: LevelAfter,
    updated_at: Timestamp,
    hold: HoldUndo,
}

/// A level in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Level, under their names")]
pub struct LevelRecord {
    pub store_id: StoreId,
    pub sku: Sku,
    pub on_hand: Quantity,
    pub reserved: Quantity,
    pub version: u64,
    pub updated_at: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<ClosedRecord>,
}

impl Kind for Level {
    type Id = (StoreId, Sku);
    type State = Self;
    type Fact = StockFact;
    type After = LevelAfter;
    type Record = LevelRecord;
    type Undo = LevelUndo;

    fn id(fact: &StockFact) -> (StoreId, Sku) {
        let (store, sku) = fact.place();
        (store.clone(), sku.clone())
    }

    fn event(fact: &StockFact) -> EventKind {
        fact.event()
    }

    fn read<'de, D: Deserializer<'de>>(event: EventKind, payload: D) -> Result<StockFact, D::Error> {
        StockFact::read(event, payload)
    }

    fn place(fact: &StockFact) -> Option<(&StoreId, &Sku)> {
        Some(fact.place())
    }

    fn movement(fact: &StockFact) -> Option<MovementKind> {
        Some(MovementKind::of(fact))
    }

    fn apply(level: &mut Self, fact: &StockFact, at: Timestamp) -> Result<LevelUndo, Misfit> {
        level.apply_fact(fact, at)
    }

    fn undo(level: &mut Self, undo: LevelUndo) {
        level.roll_back(undo);
    }

    fn after(level: &Self) -> LevelAfter {
        Level::after(level)
    }

    fn before(fact: &StockFact, after: LevelAfter) -> Option<LevelAfter> {
        after.before(fact.effect())
    }

    fn version_of(after: &LevelAfter) -> u64 {
        after.version
    }

    fn version(level: &Self) -> u64 {
        level.version
    }

    fn set_updated_at(level: &mut Self, at: Timestamp) {
        level.updated_at = at;
    }

    fn next_due(level: &Self) -> Option<Timestamp> {
        level.first_expiry()
    }

    fn due(level: &Self, (store, sku): &(StoreId, Sku), now: Timestamp, most: usize) -> Vec<StockFact> {
        expiries(level.due(now).take(most), store, sku)
    }

    fn record(level: &Self, (store_id, sku): (StoreId, Sku)) -> LevelRecord {
        let (holds, closed) = level.holds.as_ref().map(|holds| holds.records()).unwrap_or_default();
        LevelRecord {
            store_id,
            sku,
            on_hand: level.on_hand,
            reserved: level.reserved,
            version: level.version,
            updated_at: level.updated_at,
            holds,
            closed,
        }
    }

    fn restore(record: LevelRecord) -> Result<((StoreId, Sku), Self), Misfit> {
        let holds = if record.holds.is_empty() && record.closed.is_empty() {
            None
        } else {
            Some(Box::new(Holds::restore(record.holds, record.closed)?))
        };
        let held = holds.as_ref().map_or(Some(Quantity::ZERO), |holds| holds.total());
        if held != Some(record.reserved) || record.reserved > record.on_hand {
            return Err(Misfit::NUMBER);
        }
        let level = Self {
            on_hand: record.on_hand,
            reserved: record.reserved,
            version: record.version,
            updated_at: record.updated_at,
            holds,
        };
        Ok(((record.store_id, record.sku), level))
    }

    fn id_in(record: &LevelRecord) -> (StoreId, Sku) {
        (record.store_id.clone(), record.sku.clone())
    }

    fn updated_at_in(record: &LevelRecord) -> Timestamp {
        record.updated_at
    }

    fn place_in(record: &LevelRecord) -> Option<(&StoreId, &Sku)> {
        Some((&record.store_id, &record.sku))
    }

    fn holds_in(record: &LevelRecord) -> u64 {
        record.holds.len() as u64
    }
}

impl Level {
    /// Number of pieces on hand.
    pub const fn on_hand(&self) -> Quantity {
        self.on_hand
    }

    /// Sellable pieces: on hand less reserved, never negative.
    pub fn qty(&self) -> Quantity {
        self.after().qty()
    }

    /// The number of events of the level; 0 when it does not exist.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The time of the last event.
    pub const fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The numbers an event records.
    pub const fn after(&self) -> LevelAfter {
        LevelAfter { on_hand: self.on_hand, reserved: self.reserved, version: self.version }
    }

    /// The open reservation with that id, or the reason why there is none.
    pub fn hold(&self, id: &ReservationId) -> Result<Hold, Rejection> {
        match &self.holds {
            Some(holds) => holds.find(id),
            None => Err(Rejection::ReservationNotFound { reservation_id: id.clone() }),
        }
    }

    /// The pieces that a release or commit of `qty`, or of all, takes off an open reservation; and the pieces it holds.
    pub(super) fn pieces_of_hold(
        &self,
        id: &ReservationId,
        qty: Option<Quantity>,
    ) -> Result<(Quantity, Quantity), Rejection> {
        let held = self.hold(id)?.qty;
        let wanted = qty.unwrap_or(held);
        if wanted > held {
            return Err(Rejection::InsufficientStock { available: held, current_version: self.version() });
        }
        Ok((wanted, held))
    }

    /// True when a reservation with that id is open or was closed lately.
    pub fn knows_reservation(&self, id: &ReservationId) -> bool {
        self.holds.as_ref().is_some_and(|holds| holds.knows(id))
    }

    /// The moment at which the next hold falls due.
    pub fn first_expiry(&self) -> Option<Timestamp> {
        self.holds.as_ref()?.next_due()
    }

    /// The holds due at `now`, earliest first.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = (&ReservationId, Quantity)> {
        self.holds.iter().flat_map(move |holds| holds.due(now))
    }

    /// Moves the level by one event; on an error it is unchanged.
    fn apply_fact(&mut self, fact: &StockFact, at: Timestamp) -> Result<LevelUndo, Misfit> {
        let before = self.after();
        let effect = fact.effect();
        let on_hand = before.on_hand.checked_add(effect.on_hand).ok_or(Misfit::NUMBER)?;
        let reserved = before.reserved.checked_add(effect.reserved).ok_or(Misfit::NUMBER)?;
        if reserved.is_negative() || reserved > on_hand {
            return Err(Misfit::NUMBER);
        }
        let hold = self.move_hold(fact)?;
        let undo = LevelUndo { before, updated_at: self.updated_at, hold };
        self.on_hand = on_hand;
        self.reserved = reserved;
        self.version += 1;
        self.updated_at = at;
        Ok(undo)
    }

    fn move_hold(&mut self, fact: &StockFact) -> Result<HoldUndo, Misfit> {
        let (settled, how) = match fact {
            StockFact::Adjust(_) | StockFact::Count(_) => return Ok(HoldUndo::Nothing),
            StockFact::Reserve(reserved) => {
                let hold = Hold { qty: reserved.qty, expires_at: reserved.expires_at };
                return self.holds.get_or_insert_default().open(&reserved.reservation_id, hold);
            }
            StockFact::Release(settled) => (settled, Closure::Released),
            StockFact::Commit(settled) => (settled, Closure::Committed),
            StockFact::Expire(settled) => (settled, Closure::Expired),
        };
        let holds = self.holds.as_mut().ok_or(RESERVATION)?;
        holds.reduce(&settled.reservation_id, settled.qty, how)
    }

    /// Rolls the last event back.
    fn roll_back(&mut self, undo: LevelUndo) {
        self.on_hand = undo.before.on_hand;
        self.reserved = undo.before.reserved;
        self.version = undo.before.version;
        self.updated_at = undo.updated_at;
        if let Some(holds) = &mut self.holds {
            holds.undo(undo.hold);
            if holds.is_empty() {
                self.holds = None;
            }
        }
    }
}
