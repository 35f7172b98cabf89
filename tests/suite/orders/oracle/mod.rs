//! An oracle of plain maps: what became of each piece, counted in its own way.
//!
//! It has no events, no versions of levels and no drafts. Stores, SKUs and orders are numbers.

mod after;
mod parts;
mod whole;

pub(super) use after::{Back, Paid};
pub(super) use parts::Why;
use std::collections::{BTreeMap, BTreeSet};

/// The refusal of a step, by its code.
pub(super) type Answer = Result<(), &'static str>;

/// What stores are to send: for each its number and the pieces by line.
pub(super) type Plan = Vec<(usize, BTreeMap<u16, i64>)>;

/// One line: its SKU, the ordered pieces, and what became of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) sku: usize,
    pub(super) ordered: i64,
    pub(super) cancelled: i64,
    pub(super) waiting: i64,
    pub(super) shipped: i64,
    pub(super) delivered: i64,
    pub(super) returned: i64,
}

/// What is done with what no store has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rest {
    Refused,
    Waits,
    Cancelled,
}

/// An order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Paper {
    pub(super) rows: BTreeMap<u16, Row>,
    pub(super) rest: Rest,
    /// Confirmed when it was placed.
    pub(super) auto: bool,
    pub(super) confirmed: bool,
    pub(super) on_hold: bool,
    /// Stores that have refused to send something of it, or were told not to.
    pub(super) avoids: BTreeSet<usize>,
    /// Its events.
    pub(super) events: u64,
    pub(super) paid: BTreeMap<u8, Paid>,
    pub(super) back: BTreeMap<u8, Back>,
}

/// Pieces of one line in one parcel.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bundle {
    pub(super) sku: usize,
    pub(super) held: i64,
    pub(super) shipped: i64,
    pub(super) delivered: i64,
}

/// A shipment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parcel {
    pub(super) store: usize,
    pub(super) bundles: BTreeMap<u16, Bundle>,
    pub(super) instructed: bool,
    pub(super) refused: bool,
    pub(super) events: u64,
}

/// The books of a chain.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Books {
    /// By store and SKU.
    pub(super) on_hand: BTreeMap<(usize, usize), i64>,
    /// What other customers hold, by store, SKU and name.
    pub(super) others: BTreeMap<(usize, usize, String), i64>,
    pub(super) orders: BTreeMap<usize, Paper>,
    /// By order and number.
    pub(super) parcels: BTreeMap<(usize, u16), Parcel>,
}

impl Parcel {
    fn sum(&self, of: impl Fn(&Bundle) -> i64) -> i64 {
        self.bundles.values().map(of).sum()
    }

    pub(super) fn held(&self) -> BTreeMap<u16, i64> {
        let held = self.bundles.iter().map(|(line, bundle)| (*line, bundle.held));
        held.filter(|(_, pieces)| *pieces > 0).collect()
    }

    pub(super) fn held_of(&self, sku: usize) -> i64 {
        self.sum(|bundle| if bundle.sku == sku { bundle.held } else { 0 })
    }

    pub(super) fn state(&self) -> &'static str {
        let [held, shipped, delivered] = [
            self.sum(|bundle| bundle.held),
            self.sum(|bundle| bundle.shipped),
            self.sum(|bundle| bundle.delivered),
        ];
        match (held, shipped) {
            (1.., _) if self.instructed => "instructed",
            (1.., _) => "held",
            (_, 1..) if shipped == delivered => "delivered",
            (_, 1..) => "shipped",
            _ if self.refused => "refused",
            _ => "cancelled",
        }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.state(), "held" | "instructed" | "shipped")
    }
}

impl Books {
    /// The pieces of a SKU that a store could still hold for somebody.
    pub(super) fn available(&self, store: usize, sku: usize) -> i64 {
        self.on_hand.get(&(store, sku)).copied().unwrap_or_default() - self.reserved(store, sku)
    }

    pub(super) fn reserved(&self, store: usize, sku: usize) -> i64 {
        let others = self.others.iter().filter(|((in_store, of, _), _)| (*in_store, *of) == (store, sku));
        let parcels = self.parcels.values().filter(|parcel| parcel.store == store);
        others.map(|(_, pieces)| pieces).sum::<i64>() + parcels.map(|parcel| parcel.held_of(sku)).sum::<i64>()
    }

    /// Pieces of a line that parcels hold.
    pub(super) fn held(&self, order: usize, line: u16) -> i64 {
        let parcels = self.parcels.range((order, 0)..(order + 1, 0));
        parcels.filter_map(|(_, parcel)| parcel.bundles.get(&line)).map(|bundle| bundle.held).sum()
    }

    pub(super) fn status(&self, order: usize) -> &'static str {
        let paper = &self.orders[&order];
        let sum = |of: fn(&Row) -> i64| paper.rows.values().map(of).sum::<i64>();
        let open =
            paper.rows.keys().map(|line| self.held(order, *line)).sum::<i64>() + sum(|row| row.waiting);
        match (open, sum(|row| row.shipped)) {
            (0, 0) => "CANCELLED",
            (0, shipped) if shipped == sum(|row| row.delivered) => "DELIVERED",
            (0, _) => "SHIPPED",
            _ if paper.confirmed => "CONFIRMED",
            _ => "PLACED",
        }
    }

    /// The numbers of the parcels that hold something or have something on its way.
    pub(super) fn open_parcels(&self, order: usize) -> Vec<u16> {
        let parcels = self.parcels.range((order, 0)..(order + 1, 0));
        parcels.filter(|(_, parcel)| parcel.is_open()).map(|((_, number), _)| *number).collect()
    }

    fn paper(&mut self, order: usize) -> &mut Paper {
        self.orders.get_mut(&order).unwrap()
    }

    /// A step of an order that must be there, by a caller that may have seen an older one. A refused step is none.
    fn step(&mut self, order: usize, stale: bool, step: impl FnOnce(&mut Self) -> Answer) -> Answer {
        if !self.orders.contains_key(&order) {
            return Err("order-not-found");
        }
        if stale {
            return Err("version-conflict");
        }
        let before = self.clone();
        step(self).inspect_err(|_| *self = before)
    }
}
