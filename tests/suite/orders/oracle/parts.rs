//! Steps of one shipment, and movements by others, in the oracle.

use super::{Answer, Books, Plan};
use std::collections::BTreeMap;

/// What becomes of the stock of a shipment that a store refuses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::orders) enum Why {
    NotThere,
    Lost,
    Stays,
}

impl Books {
    /// As [`Books::step`], of a parcel in that store.
    fn part(
        &mut self,
        (order, number, store): (usize, u16, usize),
        stale: bool,
        step: impl FnOnce(&mut Self) -> Answer,
    ) -> Answer {
        match self.parcels.get(&(order, number)) {
            Some(parcel) if parcel.store == store => self.step(order, stale, step),
            _ => Err("shipment-not-found"),
        }
    }

    fn holds_something(&self, at: (usize, u16)) -> Answer {
        if self.parcels[&at].held().is_empty() { Err("shipment-closed") } else { Ok(()) }
    }

    fn may_send(&self, order: usize) -> Answer {
        if self.orders[&order].on_hold { Err("order-held") } else { Ok(()) }
    }

    pub(in crate::orders) fn instruct(&mut self, at: (usize, u16, usize), stale: bool) -> Answer {
        self.part(at, stale, |books| {
            let key = (at.0, at.1);
            books.holds_something(key)?;
            if !books.parcels[&key].instructed {
                books.may_send(at.0)?;
                let parcel = books.parcels.get_mut(&key).unwrap();
                (parcel.instructed, parcel.events) = (true, parcel.events + 1);
            }
            Ok(())
        })
    }

    /// Some pieces by line, or all that is held.
    pub(in crate::orders) fn ship_part(
        &mut self,
        at: (usize, u16, usize),
        stale: bool,
        pieces: Option<&BTreeMap<u16, i64>>,
    ) -> Answer {
        self.part(at, stale, |books| {
            let key = (at.0, at.1);
            if pieces.is_none() && matches!(books.parcels[&key].state(), "shipped" | "delivered") {
                return Ok(());
            }
            books.holds_something(key)?;
            let held = books.parcels[&key].held();
            let pieces = pieces.unwrap_or(&held);
            if pieces.iter().any(|(line, pieces)| *pieces > held.get(line).copied().unwrap_or_default()) {
                return Err("shipment-exceeds");
            }
            books.may_send(at.0)?;
            books.confirmed(at.0);
            books.leaves(at.0, at.1, pieces);
            books.paper(at.0).events += 1;
            Ok(())
        })
    }

    pub(in crate::orders) fn deliver_part(&mut self, at: (usize, u16, usize), stale: bool) -> Answer {
        self.part(at, stale, |books| {
            let parcel = &books.parcels[&(at.0, at.1)];
            if parcel.sum(|bundle| bundle.shipped - bundle.delivered) == 0 {
                return if parcel.state() == "delivered" { Ok(()) } else { Err("illegal-transition") };
            }
            books.arrives(at.0, at.1);
            books.paper(at.0).events += 1;
            Ok(())
        })
    }

    /// What it holds waits again, or is held by other stores in its place.
    fn back_to_waiting(&mut self, at: (usize, u16, usize), plan: &Plan) -> Answer {
        let parcel = self.parcels.get_mut(&(at.0, at.1)).unwrap();
        let paper = self.orders.get_mut(&at.0).unwrap();
        let mut freed = BTreeMap::new();
        for (line, bundle) in &mut parcel.bundles {
            paper.rows.get_mut(line).unwrap().waiting += bundle.held;
            freed.insert(*line, std::mem::take(&mut bundle.held));
        }
        parcel.events += 1;
        paper.events += 1;
        paper.avoids.insert(at.2);
        for (line, pieces) in plan.iter().flat_map(|(_, pieces)| pieces) {
            *freed.entry(*line).or_default() -= pieces;
            paper.rows.get_mut(line).unwrap().waiting -= pieces;
        }
        if freed.values().any(|pieces| *pieces < 0) {
            return Err("version-conflict");
        }
        self.hold(at.0, plan)
    }

    pub(in crate::orders) fn refuse(
        &mut self,
        at: (usize, u16, usize),
        stale: bool,
        (why, plan): (Why, &Plan),
    ) -> Answer {
        self.part(at, stale, |books| {
            let key = (at.0, at.1);
            if books.parcels[&key].state() == "refused" && plan.is_empty() {
                return Ok(());
            }
            books.holds_something(key)?;
            for sku in 0..4 {
                let held = books.parcels[&key].held_of(sku);
                let gone = match why {
                    // What nobody else holds is not there.
                    Why::NotThere if held > 0 => held + books.available(at.2, sku),
                    Why::Lost => held,
                    Why::NotThere | Why::Stays => 0,
                };
                if gone > 0 {
                    *books.on_hand.get_mut(&(at.2, sku)).unwrap() -= gone;
                }
            }
            books.parcels.get_mut(&key).unwrap().refused = true;
            books.back_to_waiting(at, plan)
        })
    }

    pub(in crate::orders) fn cancel_part(&mut self, at: (usize, u16, usize), stale: bool) -> Answer {
        self.part(at, stale, |books| {
            let key = (at.0, at.1);
            if books.parcels[&key].state() == "cancelled" {
                return Ok(());
            }
            books.holds_something(key)?;
            books.back_to_waiting(at, &Plan::new())
        })
    }

    /// Pieces come or go.
    pub(in crate::orders) fn adjust(&mut self, (store, sku): (usize, usize), delta: i64) -> Answer {
        if self.available(store, sku) + delta < 0 {
            return Err("insufficient-stock");
        }
        *self.on_hand.entry((store, sku)).or_default() += delta;
        Ok(())
    }

    pub(in crate::orders) fn count(&mut self, (store, sku): (usize, usize), counted: i64) -> Answer {
        if counted < self.reserved(store, sku) {
            return Err("insufficient-stock");
        }
        self.on_hand.insert((store, sku), counted);
        Ok(())
    }

    /// Another customer holds pieces.
    pub(in crate::orders) fn other_holds(
        &mut self,
        (store, sku): (usize, usize),
        name: &str,
        pieces: i64,
    ) -> Answer {
        if pieces > self.available(store, sku) {
            return Err("insufficient-stock");
        }
        self.others.insert((store, sku, name.to_owned()), pieces);
        Ok(())
    }

    /// Another customer takes what it holds, or gives it up.
    pub(in crate::orders) fn other_ends(&mut self, key: &(usize, usize, String), takes: bool) -> Answer {
        let pieces = self.others.remove(key).ok_or("reservation-not-found")?;
        if takes {
            *self.on_hand.get_mut(&(key.0, key.1)).unwrap() -= pieces;
        }
        Ok(())
    }
}
