//! Payments, returns and the hold of an order, in the oracle.

use super::{Answer, Books, Paper};
use std::collections::BTreeMap;

/// A payment: its kind, as in JSON, and the amount.
pub(in crate::orders) type Paid = (&'static str, i64);

/// A return: its state, as in JSON, the pieces by line with those that can be sold, and its store.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::orders) struct Back {
    pub(in crate::orders) state: &'static str,
    pub(in crate::orders) pieces: BTreeMap<u16, (i64, i64)>,
    pub(in crate::orders) store: Option<usize>,
}

impl Paper {
    fn paid(&self, kind: &str) -> i64 {
        self.paid.values().filter(|(of, _)| *of == kind).map(|(_, amount)| amount).sum()
    }

    /// The most that a payment of that kind may be.
    fn room(&self, kind: &str) -> i64 {
        let total: i64 = self.rows.values().map(|row| 100 * row.ordered).sum();
        let authorised = self.paid("authorised") - self.paid("voided");
        match kind {
            "voided" => authorised,
            "captured" => total.max(authorised) - self.paid("captured"),
            "refunded" => self.paid("captured") - self.paid("refunded"),
            "disputed" => self.paid("captured") - self.paid("disputed") + self.paid("settled"),
            "settled" => self.paid("disputed") - self.paid("settled"),
            _ => i64::MAX,
        }
    }

    /// How far it is paid.
    pub(in crate::orders) fn payment(&self) -> &'static str {
        let total: i64 = self.rows.values().map(|row| 100 * row.ordered).sum();
        let [captured, refunded] = [self.paid("captured"), self.paid("refunded")];
        if self.paid("disputed") > self.paid("settled") {
            "disputed"
        } else if captured > 0 && refunded == captured {
            "refunded"
        } else if refunded > 0 {
            "part-refunded"
        } else if captured >= total {
            "paid"
        } else if captured > 0 {
            "part-paid"
        } else if self.paid("authorised") > self.paid("voided") {
            "authorised"
        } else {
            "unpaid"
        }
    }

    /// The pieces of a line that may still come back, beside those of this return.
    fn may_come_back(&self, line: u16, beside: u8) -> i64 {
        let others = self.back.iter().filter(|(id, back)| **id != beside && back.state != "refused");
        let coming: i64 =
            others.filter_map(|(_, back)| back.pieces.get(&line)).map(|(pieces, _)| pieces).sum();
        self.rows[&line].shipped - coming
    }
}

impl Books {
    pub(in crate::orders) fn pay(&mut self, order: usize, stale: bool, id: u8, paid: Paid) -> Answer {
        self.step(order, stale, |books| {
            let paper = books.paper(order);
            match paper.paid.get(&id) {
                Some(known) if *known == paid => return Ok(()),
                Some(_) => return Err("payment-exists"),
                None if paid.1 > paper.room(paid.0) => return Err("amount-exceeds"),
                None => {}
            }
            paper.paid.insert(id, paid);
            paper.events += 1;
            Ok(())
        })
    }

    pub(in crate::orders) fn set_hold(&mut self, order: usize, stale: bool, hold: bool) -> Answer {
        self.step(order, stale, |books| {
            let paper = books.paper(order);
            paper.events += u64::from(paper.on_hold != hold);
            paper.on_hold = hold;
            Ok(())
        })
    }

    /// A return gets a state; without pieces, for those that it was asked for.
    pub(in crate::orders) fn take_back(
        &mut self,
        order: usize,
        stale: bool,
        id: u8,
        mut back: Back,
    ) -> Answer {
        self.step(order, stale, |books| {
            let paper = books.orders.get_mut(&order).unwrap();
            if let Some(known) = paper.back.get(&id) {
                if back.pieces.is_empty() {
                    back.pieces.clone_from(&known.pieces);
                }
                back.store = back.store.or(known.store);
                let follows = match known.state {
                    "requested" => matches!(back.state, "approved" | "refused" | "received"),
                    "approved" => matches!(back.state, "refused" | "received"),
                    "received" => back.state == "closed",
                    _ => false,
                };
                if known.state == back.state {
                    return if *known == back { Ok(()) } else { Err("return-exists") };
                }
                if !follows {
                    return Err("illegal-transition");
                }
            } else if back.state != "requested" {
                return Err("return-not-found");
            }
            if back.pieces.iter().any(|(line, (pieces, _))| *pieces > paper.may_come_back(*line, id)) {
                return Err("return-exceeds");
            }
            paper.events += 1;
            if back.state == "received" {
                for (line, (pieces, sellable)) in &back.pieces {
                    let row = paper.rows.get_mut(line).unwrap();
                    row.returned += pieces;
                    if let (Some(store), 1..) = (back.store, *sellable) {
                        *books.on_hand.entry((store, row.sku)).or_default() += sellable;
                    }
                }
            }
            paper.back.insert(id, back);
            Ok(())
        })
    }
}
