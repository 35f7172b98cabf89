//! One level of the oracle.

use super::Wish;
use std::collections::BTreeMap;

/// Reservations a level remembers after they were closed.
const CLOSED_MAX: usize = 64;

/// Pieces, holds and what is remembered of closed ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stock {
    /// Pieces there.
    pub on_hand: i64,
    /// Pieces promised.
    pub reserved: i64,
    /// Events so far.
    pub version: u64,
    /// Pieces and expiry by id.
    pub holds: BTreeMap<u32, (i64, Option<i64>)>,
    closed: Vec<(u32, &'static str)>,
}

/// One event, before it has happened.
pub(super) enum Change {
    Add(&'static str, i64),
    Hold(u32, i64, Option<i64>),
    Settle(&'static str, u32, i64),
}

impl Stock {
    /// The holds that are due, in the order in which they expire.
    pub(super) fn due(&self, now: i64) -> Vec<u32> {
        let mut due: Vec<(i64, String, u32)> = self
            .holds
            .iter()
            .filter_map(|(id, (_, until))| Some(((*until)?, id.to_string(), *id)))
            .filter(|(until, ..)| *until <= now)
            .collect();
        due.sort();
        due.into_iter().map(|(.., id)| id).collect()
    }

    /// The events that grant a wish, or the code of its refusal.
    pub(super) fn decide(&self, now: i64, wish: &Wish) -> Result<Vec<Change>, &'static str> {
        let sellable = self.on_hand - self.reserved;
        match wish {
            Wish::Adjust(delta) if sellable + delta < 0 => Err("insufficient-stock"),
            Wish::Adjust(delta) => Ok(vec![Change::Add("ADJUST", *delta)]),
            Wish::Count(counted) if *counted < self.reserved => Err("insufficient-stock"),
            Wish::Count(counted) => Ok(vec![Change::Add("COUNT", counted - self.on_hand)]),
            Wish::Reserve { id, .. } if self.holds.contains_key(id) || self.closed(*id).is_some() => {
                Err("already-exists")
            }
            Wish::Reserve { pieces, .. } if *pieces > sellable => Err("insufficient-stock"),
            Wish::Reserve { pieces, id, ttl_seconds } => {
                Ok(vec![Change::Hold(*id, *pieces, ttl_seconds.map(|ttl| now + 1000 * ttl))])
            }
            Wish::Release { id, pieces } => {
                let (wanted, _) = self.wanted(*id, *pieces)?;
                Ok(vec![Change::Settle("RELEASE", *id, wanted)])
            }
            Wish::Commit { id, pieces, close } => {
                let (wanted, held) = self.wanted(*id, *pieces)?;
                let mut changes = vec![Change::Settle("COMMIT", *id, wanted)];
                if *close && wanted < held {
                    changes.push(Change::Settle("RELEASE", *id, held - wanted));
                }
                Ok(changes)
            }
        }
    }

    fn wanted(&self, id: u32, pieces: Option<i64>) -> Result<(i64, i64), &'static str> {
        let Some((held, _)) = self.holds.get(&id) else {
            return Err(match self.closed(id) {
                Some("EXPIRE") => "reservation-expired",
                Some(_) => "reservation-closed",
                None => "reservation-not-found",
            });
        };
        let wanted = pieces.unwrap_or(*held);
        if wanted > *held { Err("insufficient-stock") } else { Ok((wanted, *held)) }
    }

    fn closed(&self, id: u32) -> Option<&'static str> {
        self.closed.iter().rev().find(|(closed, _)| *closed == id).map(|(_, how)| *how)
    }

    /// Moves the level by one event; answers its kind.
    pub(super) fn happen(&mut self, change: &Change) -> &'static str {
        self.version += 1;
        match change {
            Change::Add(kind, delta) => {
                self.on_hand += *delta;
                kind
            }
            Change::Hold(id, pieces, until) => {
                self.reserved += *pieces;
                self.holds.insert(*id, (*pieces, *until));
                "RESERVE"
            }
            Change::Settle(kind, id, pieces) => {
                self.reserved -= *pieces;
                self.on_hand -= if *kind == "COMMIT" { *pieces } else { 0 };
                let hold = self.holds.get_mut(id).expect("decided on an open hold");
                hold.0 -= *pieces;
                if hold.0 == 0 {
                    self.holds.remove(id);
                    self.closed.push((*id, kind));
                    let excess = self.closed.len().saturating_sub(CLOSED_MAX);
                    self.closed.drain(..excess);
                }
                kind
            }
        }
    }
}
