//! What customers have been sent, and which of it a credit note takes back: an index of the orders that credit notes of the file
//! may be about. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::row::OrderedLine;
use super::wire::{OrderShown, ReturnShown};
use onhand_domain::{CustomerId, OrderId, Sku, Timestamp};

/// How new an order is: those of the file come after those that were there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Age {
    Before(Timestamp),
    /// Its place in the file.
    Here(u64),
}

/// The orders with pieces that credit notes of the file may take back.
#[derive(Debug)]
pub(super) struct ShippedOrders<'a> {
    credited: &'a HashSet<(CustomerId, Sku)>,
    orders: HashMap<OrderId, ShippedOrder>,
    /// The orders by what came with them, the newest last.
    by_what: HashMap<(CustomerId, Sku), BTreeMap<Age, OrderId>>,
}

#[derive(Debug)]
struct ShippedOrder {
    version: u64,
    /// Number, SKU and shipped pieces of each line.
    lines: Vec<(u16, Sku, i64)>,
    returns: Vec<ReturnShown>,
}

/// The pieces of one order that a credit note takes back, by line; and the return of its id, if there is one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) lines: BTreeMap<u16, i64>,
    pub(super) known: Option<ReturnShown>,
}

/// What becomes of the lines of a credit note.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct TakenBack {
    pub(super) orders: BTreeMap<OrderId, Taken>,
    /// The orders of each line that found some, by row.
    pub(super) found: BTreeMap<u64, Vec<OrderId>>,
    /// The lines that found no order with enough pieces, with how many there are, by row.
    pub(super) missing: BTreeMap<u64, i64>,
}

impl<'a> ShippedOrders<'a> {
    /// An empty index for these SKUs of these customers.
    pub(super) fn new(credited: &'a HashSet<(CustomerId, Sku)>) -> Self {
        Self { credited, orders: HashMap::new(), by_what: HashMap::new() }
    }

    /// Notes an order as it is by now.
    pub(super) fn note(&mut self, customer_id: Option<&CustomerId>, age: Age, order: &OrderShown) {
        let Some(customer_id) = customer_id else { return };
        let mut is_wanted = false;
        for line in order.lines.iter().filter(|line| line.shipped > 0) {
            let what = (customer_id.clone(), line.sku.clone());
            if self.credited.contains(&what) {
                self.by_what.entry(what).or_default().insert(age, order.order_id.clone());
                is_wanted = true;
            }
        }
        if is_wanted {
            self.update(order, true);
        }
    }

    /// Notes the returns of an order that is known.
    pub(super) fn noted_return(&mut self, order: &OrderShown) {
        self.update(order, false);
    }

    fn update(&mut self, order: &OrderShown, adds: bool) {
        let known = self.orders.get(&order.order_id).map(|known| known.version);
        // Answers may overtake each other.
        if known.map_or(adds, |version| order.version > version) {
            let lines = order.lines.iter().map(|line| (line.line, line.sku.clone(), line.shipped)).collect();
            let shipped = ShippedOrder { version: order.version, lines, returns: order.returns.clone() };
            self.orders.insert(order.order_id.clone(), shipped);
        }
    }

    /// The pieces that the lines of a credit note take back, newest order first. Its own returns are not counted, so that it
    /// finds the same pieces whenever it is asked.
    pub(super) fn take_back(
        &self,
        credit_note: &OrderId,
        customer_id: &CustomerId,
        lines: &[OrderedLine],
    ) -> TakenBack {
        let mut taken = TakenBack::default();
        for line in lines {
            let mut rest = line.pieces.negated().get();
            let mut picks = Vec::new();
            let what = (customer_id.clone(), line.sku.clone());
            for order_id in self.by_what.get(&what).into_iter().flat_map(|found| found.values().rev()) {
                let Some(order) = self.orders.get(order_id) else { continue };
                for (number, _, shipped) in order.lines.iter().filter(|(_, sku, _)| *sku == line.sku) {
                    let gone = taken.of(order_id, *number) + order.in_returns(*number, credit_note);
                    let pieces = rest.min(shipped - gone);
                    if pieces > 0 {
                        rest -= pieces;
                        picks.push((order_id, *number, pieces));
                    }
                }
            }
            if rest > 0 {
                taken.missing.insert(line.row, line.pieces.negated().get() - rest);
                continue;
            }
            for (order_id, number, pieces) in picks {
                let orders = taken.found.entry(line.row).or_default();
                if orders.last() != Some(order_id) {
                    orders.push(order_id.clone());
                }
                let of_order = taken.orders.entry(order_id.clone()).or_default();
                *of_order.lines.entry(number).or_default() += pieces;
                let known = self.orders.get(order_id).map(|order| order.returns.as_slice());
                let mut known = known.unwrap_or_default().iter();
                of_order.known =
                    known.find(|known| known.return_id.as_str() == credit_note.as_str()).cloned();
            }
        }
        taken
    }
}

impl TakenBack {
    fn of(&self, order_id: &OrderId, line: u16) -> i64 {
        self.orders.get(order_id).and_then(|taken| taken.lines.get(&line)).copied().unwrap_or_default()
    }
}

impl Taken {
    /// True when the return that is there is about these pieces.
    pub(super) fn is_known_alike(&self) -> bool {
        let known = self.known.iter().flat_map(|known| &known.lines).map(|line| (line.line, line.qty));
        known.eq(self.lines.iter().map(|(line, qty)| (*line, *qty)))
    }
}

impl ShippedOrder {
    /// The pieces of a line that are in returns, without those of that id and the refused ones.
    fn in_returns(&self, line: u16, without: &OrderId) -> i64 {
        let counted = self
            .returns
            .iter()
            .filter(|known| known.state != "refused" && known.return_id.as_str() != without.as_str());
        counted.flat_map(|known| &known.lines).filter(|known| known.line == line).map(|known| known.qty).sum()
    }
}
