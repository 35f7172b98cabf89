//! Steps of a whole order, in the oracle.

use super::{Answer, Books, Bundle, Paper, Parcel, Plan, Rest, Row};
use std::collections::{BTreeMap, BTreeSet};

impl Books {
    /// An order of these SKUs and pieces, by line from 1; what no store holds is cancelled or waits.
    pub(in crate::orders) fn place(
        &mut self,
        order: usize,
        lines: &[(usize, i64)],
        (rest, auto): (Rest, bool),
        plan: &Plan,
    ) -> Answer {
        if let Some(known) = self.orders.get(&order) {
            let same = known.rows.values().map(|row| (row.sku, row.ordered)).eq(lines.iter().copied());
            return if same && (known.rest, known.auto) == (rest, auto) {
                Ok(())
            } else {
                Err("order-exists")
            };
        }
        let before = self.clone();
        let mut rows = BTreeMap::new();
        for (line, (sku, ordered)) in (1..).zip(lines) {
            let planned: i64 = plan.iter().filter_map(|(_, pieces)| pieces.get(&line)).sum();
            let left = ordered - planned;
            let (cancelled, waiting) = if rest == Rest::Cancelled { (left, 0) } else { (0, left) };
            let (sku, ordered) = (*sku, *ordered);
            rows.insert(
                line,
                Row { sku, ordered, cancelled, waiting, shipped: 0, delivered: 0, returned: 0 },
            );
        }
        let (paid, back) = (BTreeMap::new(), BTreeMap::new());
        let events = 1 + u64::from(auto);
        let paper = Paper {
            rows,
            rest,
            auto,
            confirmed: auto,
            on_hold: false,
            avoids: BTreeSet::new(),
            events,
            paid,
            back,
        };
        self.orders.insert(order, paper);
        self.hold(order, plan).inspect_err(|_| *self = before)
    }

    /// Stores hold pieces, each as a new parcel.
    pub(super) fn hold(&mut self, order: usize, plan: &Plan) -> Answer {
        for (store, pieces) in plan {
            let mut bundles = BTreeMap::new();
            for (line, held) in pieces {
                let sku = self.orders[&order].rows[line].sku;
                bundles.insert(*line, Bundle { sku, held: *held, ..Bundle::default() });
            }
            let parcel = Parcel { store: *store, bundles, instructed: false, refused: false, events: 1 };
            if (0..4).any(|sku| parcel.held_of(sku) > self.available(*store, sku)) {
                return Err("plan-stale");
            }
            let last = self.parcels.range((order, 0)..(order + 1, 0)).next_back();
            let number = last.map_or(1, |((_, number), _)| number + 1);
            self.parcels.insert((order, number), parcel);
        }
        Ok(())
    }

    /// Stores hold what has been waiting.
    fn allot_waiting(&mut self, order: usize, plan: &Plan) -> Answer {
        if plan.is_empty() {
            return Ok(());
        }
        if self.orders[&order].on_hold {
            return Err("order-held");
        }
        let paper = self.paper(order);
        for (line, pieces) in plan.iter().flat_map(|(_, pieces)| pieces) {
            paper.rows.get_mut(line).unwrap().waiting -= pieces;
        }
        paper.events += 1;
        if paper.rows.values().any(|row| row.waiting < 0) {
            return Err("version-conflict");
        }
        self.hold(order, plan)
    }

    pub(in crate::orders) fn confirm(&mut self, order: usize, stale: bool, plan: &Plan) -> Answer {
        self.step(order, stale, |books| {
            match books.status(order) {
                "PLACED" => {}
                "CONFIRMED" => return Ok(()),
                _ => return Err("illegal-transition"),
            }
            if books.orders[&order].on_hold {
                return Err("order-held");
            }
            books.allot_waiting(order, plan)?;
            if books.waits(order) && books.orders[&order].rest != Rest::Waits {
                return Err("not-allotted");
            }
            books.confirmed(order);
            Ok(())
        })
    }

    pub(in crate::orders) fn allot(&mut self, order: usize, stale: bool, plan: &Plan) -> Answer {
        self.step(order, stale, |books| match books.status(order) {
            "PLACED" | "CONFIRMED" => books.allot_waiting(order, plan),
            _ => Err("illegal-transition"),
        })
    }

    pub(in crate::orders) fn cancel(&mut self, order: usize, stale: bool) -> Answer {
        self.step(order, stale, |books| {
            match books.status(order) {
                "CANCELLED" => return Ok(()),
                "DELIVERED" => return Err("illegal-transition"),
                _ => {}
            }
            if books.orders[&order].rows.values().any(|row| row.shipped > 0) {
                return Err("already-shipped");
            }
            for number in books.open_parcels(order) {
                let parcel = books.parcels.get_mut(&(order, number)).unwrap();
                parcel.bundles.values_mut().for_each(|bundle| bundle.held = 0);
                parcel.events += 1;
            }
            let paper = books.paper(order);
            for row in paper.rows.values_mut() {
                (row.cancelled, row.waiting) = (row.ordered, 0);
            }
            paper.events += 1;
            Ok(())
        })
    }

    pub(in crate::orders) fn ship(&mut self, order: usize, stale: bool) -> Answer {
        self.step(order, stale, |books| {
            match books.status(order) {
                "PLACED" | "CONFIRMED" => {}
                "SHIPPED" => return Ok(()),
                _ => return Err("illegal-transition"),
            }
            if books.orders[&order].on_hold {
                return Err("order-held");
            }
            if books.waits(order) {
                return Err("not-allotted");
            }
            books.confirmed(order);
            for number in books.open_parcels(order) {
                let held = books.parcels[&(order, number)].held();
                books.leaves(order, number, &held);
            }
            books.paper(order).events += 1;
            Ok(())
        })
    }

    pub(in crate::orders) fn deliver(&mut self, order: usize, stale: bool) -> Answer {
        self.step(order, stale, |books| {
            match books.status(order) {
                "SHIPPED" => {}
                "DELIVERED" => return Ok(()),
                _ => return Err("illegal-transition"),
            }
            for number in books.open_parcels(order) {
                books.arrives(order, number);
            }
            books.paper(order).events += 1;
            Ok(())
        })
    }

    fn waits(&self, order: usize) -> bool {
        self.orders[&order].rows.values().any(|row| row.waiting > 0)
    }

    /// Confirms an order that is not confirmed.
    pub(super) fn confirmed(&mut self, order: usize) {
        let paper = self.paper(order);
        paper.events += u64::from(!paper.confirmed);
        paper.confirmed = true;
    }

    /// Pieces of a parcel leave its store.
    pub(super) fn leaves(&mut self, order: usize, number: u16, pieces: &BTreeMap<u16, i64>) {
        let parcel = self.parcels.get_mut(&(order, number)).unwrap();
        for (line, pieces) in pieces {
            let bundle = parcel.bundles.get_mut(line).unwrap();
            bundle.held -= pieces;
            bundle.shipped += pieces;
            *self.on_hand.get_mut(&(parcel.store, bundle.sku)).unwrap() -= pieces;
            self.orders.get_mut(&order).unwrap().rows.get_mut(line).unwrap().shipped += pieces;
        }
        // A parcel that holds nothing is left alone.
        parcel.events += u64::from(!pieces.is_empty());
    }

    /// What is on its way arrives.
    pub(super) fn arrives(&mut self, order: usize, number: u16) {
        let parcel = self.parcels.get_mut(&(order, number)).unwrap();
        for (line, bundle) in &mut parcel.bundles {
            let row = self.orders.get_mut(&order).unwrap().rows.get_mut(line).unwrap();
            row.delivered += bundle.shipped - bundle.delivered;
            bundle.delivered = bundle.shipped;
        }
        parcel.events += 1;
    }
}
