//! One level of the oracle.

use crate::oracle::acts::LevelVerb;
use std::collections::BTreeMap;

/// Closed reservations that a level remembers.
const CLOSED_MAX: usize = 64;

/// A level: pieces, holds, and closed reservations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stock {
    /// Pieces on hand.
    pub on_hand: i64,
    /// Pieces in open holds.
    pub reserved: i64,
    /// The version: the number of events.
    pub version: u64,
    /// Pieces and expiry by id.
    pub holds: BTreeMap<u32, (i64, Option<i64>)>,
    closed: Vec<(u32, &'static str)>,
}

/// An event that is decided but not applied yet.
pub(super) enum LevelChange {
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

    /// The events of a change, or the code of its rejection.
    pub(super) fn decide(&self, now: i64, wish: &LevelVerb) -> Result<Vec<LevelChange>, &'static str> {
        let sellable = self.on_hand - self.reserved;
        match wish {
            LevelVerb::Adjust(delta) if sellable + delta < 0 => Err("insufficient-stock"),
            LevelVerb::Adjust(delta) => Ok(vec![LevelChange::Add("ADJUST", *delta)]),
            LevelVerb::Count(counted) if *counted < self.reserved => Err("insufficient-stock"),
            LevelVerb::Count(counted) => Ok(vec![LevelChange::Add("COUNT", counted - self.on_hand)]),
            LevelVerb::Reserve { id, .. } if self.holds.contains_key(id) || self.closed(*id).is_some() => {
                Err("already-exists")
            }
            LevelVerb::Reserve { pieces, .. } if *pieces > sellable => Err("insufficient-stock"),
            LevelVerb::Reserve { pieces, id, ttl_seconds } => {
                Ok(vec![LevelChange::Hold(*id, *pieces, ttl_seconds.map(|ttl| now + 1000 * ttl))])
            }
            LevelVerb::Release { id, pieces } => {
                let (wanted, _) = self.wanted(*id, *pieces)?;
                Ok(vec![LevelChange::Settle("RELEASE", *id, wanted)])
            }
            LevelVerb::Commit { id, pieces, close } => {
                let (wanted, held) = self.wanted(*id, *pieces)?;
                let mut changes = vec![LevelChange::Settle("COMMIT", *id, wanted)];
                if *close && wanted < held {
                    changes.push(LevelChange::Settle("RELEASE", *id, held - wanted));
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

    /// Applies one event; returns its type.
    pub(super) fn happen(&mut self, change: &LevelChange) -> &'static str {
        self.version += 1;
        match change {
            LevelChange::Add(kind, delta) => {
                self.on_hand += *delta;
                kind
            }
            LevelChange::Hold(id, pieces, until) => {
                self.reserved += *pieces;
                self.holds.insert(*id, (*pieces, *until));
                "RESERVE"
            }
            LevelChange::Settle(kind, id, pieces) => {
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
