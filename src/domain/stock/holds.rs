//! The reservations of one level: the open ones by id and by expiry, and the last closed ones.

use crate::limits::RESERVATIONS_CLOSED_MAX;
use crate::{Misfit, Quantity, Rejection, ReservationId, Timestamp};
use ahash::RandomState;
use serde::{Deserialize, Serialize};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// An event that needs an open reservation and finds none, or opens one that is open.
pub(super) const RESERVATION: Misfit = Misfit("the event names a reservation that is not in the right state");

/// An open reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// Pieces it still holds, at least 1.
    pub qty: Quantity,
    /// The time of expiry; none for a reservation that does not expire.
    pub expires_at: Option<Timestamp>,
}

/// How a reservation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the words of the product")]
pub enum Closure {
    Released,
    Committed,
    Expired,
}

/// An open reservation in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Hold, under their names")]
pub struct HoldRecord {
    pub reservation_id: ReservationId,
    pub qty: Quantity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A closed reservation in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "names say it")]
pub struct ClosedRecord {
    pub reservation_id: ReservationId,
    pub how: Closure,
}

/// All reservations of a level. Invariant: `due` has exactly the open holds that expire.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Holds {
    open: HashMap<ReservationId, Hold, RandomState>,
    due: BTreeSet<(Timestamp, ReservationId)>,
    closed: VecDeque<(ReservationId, Closure)>,
}

/// The undo of one change of [`Holds`].
#[derive(Debug)]
pub(super) enum HoldUndo {
    /// The change had no effect.
    Nothing,
    /// A hold was opened.
    Opened(ReservationId),
    /// A hold was reduced; it was this one before.
    Reduced(ReservationId, Hold),
    /// A hold was closed, which may have evicted the oldest closed one.
    Closed(ReservationId, Hold, Option<(ReservationId, Closure)>),
}

impl Holds {
    /// Opens a hold under an id that is not open.
    pub(super) fn open(&mut self, id: &ReservationId, hold: Hold) -> Result<HoldUndo, Misfit> {
        if hold.qty <= Quantity::ZERO {
            return Err(RESERVATION);
        }
        let Entry::Vacant(place) = self.open.entry(id.clone()) else { return Err(RESERVATION) };
        place.insert(hold);
        self.note_due(id, hold);
        Ok(HoldUndo::Opened(id.clone()))
    }

    /// Reduces an open hold; a hold without pieces is closed.
    pub(super) fn reduce(
        &mut self,
        id: &ReservationId,
        qty: Quantity,
        how: Closure,
    ) -> Result<HoldUndo, Misfit> {
        let hold = *self.open.get(id).ok_or(RESERVATION)?;
        let rest = hold.qty.checked_sub(qty).filter(|rest| !rest.is_negative()).ok_or(Misfit::NUMBER)?;
        if qty <= Quantity::ZERO {
            return Err(Misfit::NUMBER);
        }
        if rest > Quantity::ZERO {
            self.open.insert(id.clone(), Hold { qty: rest, ..hold });
            return Ok(HoldUndo::Reduced(id.clone(), hold));
        }
        self.take(id);
        self.closed.push_back((id.clone(), how));
        let evicted =
            if self.closed.len() > RESERVATIONS_CLOSED_MAX { self.closed.pop_front() } else { None };
        Ok(HoldUndo::Closed(id.clone(), hold, evicted))
    }

    /// Rolls the last change back.
    pub(super) fn undo(&mut self, undo: HoldUndo) {
        match undo {
            HoldUndo::Nothing => {}
            HoldUndo::Opened(id) => self.take(&id),
            HoldUndo::Reduced(id, hold) => {
                self.open.insert(id, hold);
            }
            HoldUndo::Closed(id, hold, evicted) => {
                self.closed.pop_back();
                if let Some(evicted) = evicted {
                    self.closed.push_front(evicted);
                }
                self.put(&id, hold);
            }
        }
    }

    fn put(&mut self, id: &ReservationId, hold: Hold) {
        self.open.insert(id.clone(), hold);
        self.note_due(id, hold);
    }

    fn note_due(&mut self, id: &ReservationId, hold: Hold) {
        if let Some(at) = hold.expires_at {
            self.due.insert((at, id.clone()));
        }
    }

    fn take(&mut self, id: &ReservationId) {
        if let Some(at) = self.open.remove(id).and_then(|hold| hold.expires_at) {
            self.due.remove(&(at, id.clone()));
        }
    }

    /// The open hold with that id, or the reason why there is none.
    pub(super) fn find(&self, id: &ReservationId) -> Result<Hold, Rejection> {
        let reservation_id = id.clone();
        match (self.open.get(id), self.closure(id)) {
            (Some(hold), _) => Ok(*hold),
            (None, Some(Closure::Expired)) => Err(Rejection::ReservationExpired { reservation_id }),
            (None, Some(_)) => Err(Rejection::ReservationClosed { reservation_id }),
            (None, None) => Err(Rejection::ReservationNotFound { reservation_id }),
        }
    }

    /// True when the id is open or among the last closed ones.
    pub(super) fn knows(&self, id: &ReservationId) -> bool {
        self.open.contains_key(id) || self.closure(id).is_some()
    }

    fn closure(&self, id: &ReservationId) -> Option<Closure> {
        self.closed.iter().rev().find(|(closed, _)| closed == id).map(|(_, how)| *how)
    }

    /// The moment at which the next hold falls due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The holds due at `now`, earliest first, then by id.
    pub(super) fn due(&self, now: Timestamp) -> impl Iterator<Item = (&ReservationId, Quantity)> {
        self.due
            .iter()
            .take_while(move |(at, _)| *at <= now)
            .filter_map(|(_, id)| Some((id, self.open.get(id)?.qty)))
    }

    /// The pieces of all open holds; none when the sum leaves the range.
    pub(super) fn total(&self) -> Option<Quantity> {
        self.open.values().try_fold(Quantity::ZERO, |sum, hold| sum.checked_add(hold.qty))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.closed.is_empty()
    }

    /// Open holds by id, closed ones oldest first.
    pub(super) fn records(&self) -> (Vec<HoldRecord>, Vec<ClosedRecord>) {
        let mut open: Vec<_> = self
            .open
            .iter()
            .map(|(id, hold)| HoldRecord {
                reservation_id: id.clone(),
                qty: hold.qty,
                expires_at: hold.expires_at,
            })
            .collect();
        open.sort_unstable_by(|a, b| a.reservation_id.cmp(&b.reservation_id));
        let closed =
            self.closed.iter().map(|(id, how)| ClosedRecord { reservation_id: id.clone(), how: *how });
        (open, closed.collect())
    }

    pub(super) fn restore(open: Vec<HoldRecord>, closed: Vec<ClosedRecord>) -> Result<Self, Misfit> {
        let mut holds = Self::default();
        for record in open {
            let hold = Hold { qty: record.qty, expires_at: record.expires_at };
            holds.open(&record.reservation_id, hold)?;
        }
        holds.closed = closed.into_iter().map(|record| (record.reservation_id, record.how)).collect();
        Ok(holds)
    }
}
