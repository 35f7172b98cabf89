//! Levels as they are after many changes, for readers that need no event of each change: screens under load.
//!
//! As long as somebody reads, a projection notes which states were moved, each once. A piece has the moved levels as they are when it is
//! made; all readers share it, so its price does not rise with their number or with the rate of changes of one level.

use crate::Ledger;
use crate::ledger::NOTING;
use crate::ledger::projection::{Moved, Projection};
use crate::stock::{LevelView, ReadError};
use ahash::RandomState;
use onhand_domain::{Key, Sequence, State};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// States that are noted; beyond it all are forgotten, and readers fall back to events.
const KEYS_MAX: usize = 50_000;
/// Pieces that are kept for readers at other positions.
const PIECES_MAX: usize = 32;
/// What was moved since the last piece.
#[derive(Default)]
pub(crate) struct MovedStates {
    active: AtomicBool,
    noted: Mutex<Noted>,
    pieces: tokio::sync::Mutex<VecDeque<Arc<LatestLevels>>>,
}

#[derive(Default)]
struct Noted {
    readers: usize,
    /// The moved states, each with the sequence of its last event.
    heads: HashMap<Key, Sequence, RandomState>,
    /// The first sequence that was noted.
    first: Option<Sequence>,
    /// Notes up to here may be missing.
    lost: Sequence,
}

/// The levels that were moved in a range of the log, as they are at its end or later.
#[derive(Debug)]
pub struct LatestLevels {
    /// Changes after this sequence are included ...
    pub from: Sequence,
    /// ... up to this one, which is durable.
    pub through: Sequence,
    /// The moved levels.
    pub levels: Vec<LevelView>,
    /// True when something that is no level was moved, too.
    pub others: bool,
}

/// A reader; states are noted as long as there is one.
pub struct LatestReader {
    ledger: Arc<Ledger>,
}

impl LatestReader {
    /// Begins to note what is moved from now on.
    pub async fn open(ledger: Arc<Ledger>) -> Self {
        let reader = Self { ledger };
        let moved = &reader.ledger.projections.moved;
        let is_first = {
            let mut noted = moved.noted.lock();
            noted.readers += 1;
            noted.readers == 1
        };
        if is_first {
            moved.pieces.lock().await.clear();
        }
        // No command is between its entry and its note now: what comes is noted whole.
        while !moved.active.load(Ordering::Acquire) {
            if reader.ledger.begin_to_note() {
                break;
            }
            reader.ledger.parts.clock.sleep(NOTING).await;
        }
        reader
    }

    /// A piece that begins at `after` or before, and ends behind it; none when there is nothing behind it, or when only the events know
    /// what there is.
    ///
    /// Cancel safe: a call that is dropped half-way forgets no note.
    ///
    /// # Errors
    /// [`ReadError::History`] when a level cannot be read.
    pub async fn after(&self, after: Sequence) -> Result<Option<Arc<LatestLevels>>, ReadError> {
        let ledger = &self.ledger;
        let moved = &ledger.projections.moved;
        let mut pieces = moved.pieces.lock().await;
        if let Some(piece) = pieces.iter().find(|piece| piece.from <= after && after < piece.through) {
            return Ok(Some(Arc::clone(piece)));
        }
        let through = ledger.noted_end().await;
        if through <= after || pieces.back().is_some_and(|last| after < last.through) {
            return Ok(None);
        }
        let Some(taken) = moved.noted.lock().behind(after) else { return Ok(None) };
        let (mut levels, mut others) = (Vec::new(), false);
        for key in &taken {
            match key {
                Key::Level(store_id, sku) => levels.extend(ledger.level(store_id, sku).await?),
                _ => others = true,
            }
        }
        let piece = Arc::new(LatestLevels { from: after, through, levels, others });
        moved.noted.lock().forget(through);
        if pieces.len() == PIECES_MAX {
            pieces.pop_front();
        }
        pieces.push_back(Arc::clone(&piece));
        Ok(Some(piece))
    }
}

impl Drop for LatestReader {
    fn drop(&mut self) {
        let moved = &self.ledger.projections.moved;
        let mut noted = moved.noted.lock();
        noted.readers -= 1;
        if noted.readers == 0 {
            moved.active.store(false, Ordering::Release);
            *noted = Noted::default();
        }
    }
}

impl Ledger {
    /// Lets commands note what they move; false while one is between its entry and its note.
    fn begin_to_note(&self) -> bool {
        let Some(_nobody_notes) = self.noting.try_write() else { return false };
        let noted = self.projections.moved.noted.lock();
        // The last reader may be gone meanwhile.
        self.projections.moved.active.store(noted.readers > 0, Ordering::Release);
        true
    }
}

impl Noted {
    fn note(&mut self, key: &Key, head: Sequence) {
        self.first = Some(self.first.map_or(head, |first| first.min(head)));
        if let Some(known) = self.heads.get_mut(key) {
            *known = head;
            return;
        }
        if self.heads.len() == KEYS_MAX {
            let newest = self.heads.values().max().copied();
            self.lost = newest.map_or(head, |newest| newest.max(head));
            self.heads.clear();
            return;
        }
        self.heads.insert(key.clone(), head);
    }

    /// The states that were moved behind `after`; none when that is not known.
    fn behind(&self, after: Sequence) -> Option<Vec<Key>> {
        let is_complete = self.first.is_some_and(|first| first <= after.plus(1)) && self.lost <= after;
        let behind = || self.heads.iter().filter(|(_, head)| **head > after);
        is_complete.then(|| behind().map(|(key, _)| key.clone()).collect())
    }

    /// Forgets the states of a piece, and those that no later piece can have. One whose last change is not durable yet stays: while the
    /// disk does not answer, the piece has it without that change.
    fn forget(&mut self, through: Sequence) {
        self.heads.retain(|_, head| *head > through);
    }
}

impl Projection for MovedStates {
    fn changed(&self, moved: &Moved<'_>) -> Option<Key> {
        // What other processes move is in their own logs. What is rolled back was never shown, and its head is older than the notes.
        if moved.own && !moved.rolled_back && self.active.load(Ordering::Acquire) {
            self.noted.lock().note(moved.key, moved.head);
        }
        None
    }

    fn restored(&self, _states: &HashMap<Key, State>) -> Vec<Key> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_domain::{Sku, StoreId};

    fn key(number: usize) -> Key {
        Key::Level(StoreId::new("BERLIN").unwrap(), Sku::new(&format!("T{number}")).unwrap())
    }

    #[test]
    fn notes_are_complete_behind_the_first_one() {
        let mut noted = Noted::default();
        assert!(noted.behind(Sequence(9)).is_none(), "nothing is noted yet");
        for (number, head) in [(1, 11), (2, 12), (1, 13)] {
            noted.note(&key(number), Sequence(head));
        }
        for (after, found) in [(9, None), (10, Some(2)), (11, Some(2)), (12, Some(1)), (13, Some(0))] {
            assert_eq!(noted.behind(Sequence(after)).map(|keys| keys.len()), found, "{after}");
        }
    }

    #[test]
    fn a_state_that_moved_while_a_piece_was_made_stays_noted() {
        let mut noted = Noted::default();
        noted.note(&key(1), Sequence(11));
        noted.note(&key(2), Sequence(12));
        assert_eq!(noted.behind(Sequence(10)).unwrap().len(), 2);
        noted.note(&key(1), Sequence(13));
        noted.forget(Sequence(12));
        assert_eq!(noted.behind(Sequence(12)).unwrap(), [key(1)]);
        assert_eq!(noted.heads.len(), 1);
    }

    /// A disk that does not answer: the piece ends before the last change of a state, and has the state as it was then.
    #[test]
    fn a_state_whose_last_change_is_not_durable_comes_again() {
        let mut noted = Noted::default();
        for (number, head) in [(1, 11), (2, 12), (2, 15)] {
            noted.note(&key(number), Sequence(head));
        }
        assert_eq!(noted.behind(Sequence(10)).unwrap().len(), 2);
        noted.forget(Sequence(12));
        assert_eq!(noted.behind(Sequence(12)).unwrap(), [key(2)]);
    }

    #[test]
    fn too_many_notes_are_forgotten_and_known_to_be() {
        let mut noted = Noted::default();
        for number in 0..=KEYS_MAX {
            noted.note(&key(number), Sequence(10 + number as u64));
        }
        let last = 10 + KEYS_MAX as u64;
        assert!(noted.behind(Sequence(last - 1)).is_none());
        noted.note(&key(1), Sequence(last + 1));
        assert_eq!(noted.behind(Sequence(last)).unwrap().len(), 1);
    }
}
