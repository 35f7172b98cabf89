//! A log in memory read back, by a scan of all entries.

use super::{Durable, MemoryLog, Mistake};
use onhand_app::ports::{EventPiece, EventQuery, History, HistoryError, Moment, Movement, MovementQuery};
use onhand_domain::{Entry, Key, Sequence, Timestamp, Topics};
use std::sync::Arc;

pub(super) struct MemoryHistory {
    pub(super) durable: Durable,
    pub(super) log: Arc<MemoryLog>,
    pub(super) mistake: Mistake,
}

impl MemoryHistory {
    fn entries(&self) -> Vec<Entry> {
        let mut entries = self.durable.lock().clone();
        if self.mistake == Mistake::ShowsWhatWaits {
            entries.extend(self.log.waiting());
        }
        entries
    }

    /// Every event, in order.
    fn all(&self) -> Vec<Movement> {
        let movements = |entry: Entry| {
            let numbered: Vec<_> = entry.numbered().map(|(at, event)| (at, event.clone())).collect();
            numbered.into_iter().map(move |(sequence, event)| Movement {
                sequence,
                at: entry.at,
                actor: entry.actor.clone(),
                request_id: entry.request_id.clone(),
                event,
            })
        };
        self.entries().into_iter().flat_map(movements).collect()
    }
}

impl History for MemoryHistory {
    fn entry(&self, sequence: Sequence) -> Result<Option<Entry>, HistoryError> {
        let holds = |entry: &Entry| match self.mistake {
            Mistake::FindsFirstEventsOnly => entry.sequence == sequence,
            _ => entry.sequence <= sequence && sequence <= entry.last(),
        };
        Ok(self.entries().into_iter().find(holds))
    }

    fn events(&self, query: &EventQuery) -> Result<EventPiece, HistoryError> {
        let mut piece = EventPiece { movements: Vec::new(), through: query.after, at: Timestamp::EPOCH };
        let after = if self.mistake == Mistake::IgnoresAfter { Sequence::START } else { query.after };
        for movement in self.all() {
            if piece.movements.len() == query.limit || movement.sequence > query.upto {
                break;
            }
            if movement.sequence > after {
                (piece.through, piece.at) = (movement.sequence, movement.at);
                let lost = self.mistake == Mistake::LosesWhatIsWanted && query.wanted != Topics::NONE;
                if Topics::of(&movement.event).may_have(query.wanted) && !lost {
                    piece.movements.push(movement);
                }
            }
        }
        if self.mistake == Mistake::LosesTheLastRow && piece.movements.len() == query.limit {
            piece.movements.pop();
        }
        Ok(piece)
    }

    fn end(&self) -> Result<Sequence, HistoryError> {
        Ok(self.entries().last().map_or(Sequence::START, Entry::last))
    }

    fn sequence_at(&self, at: Timestamp) -> Result<Sequence, HistoryError> {
        let stops = self.mistake == Mistake::StopsAtTheFirstOfATime;
        let mut entries = self.entries().into_iter();
        let later = entries.find(|entry| if stops { entry.at >= at } else { entry.at > at });
        Ok(later.map_or(Sequence(u64::MAX), |entry| entry.sequence.minus(1)))
    }

    fn movements(&self, key: &Key, query: &MovementQuery) -> Result<Vec<Movement>, HistoryError> {
        let is_wanted = |movement: &Movement| {
            let kind = query.kind.is_none_or(|kind| kind == movement.event.kind);
            let until = query.until.is_none_or(|until| {
                movement.at < until || movement.at == until && self.mistake == Mistake::IncludesUntil
            });
            movement.event.fact.key() == *key
                && movement.sequence > query.after
                && query.since.is_none_or(|since| movement.at >= since)
                && until
                && (kind || self.mistake == Mistake::IgnoresKind)
        };
        Ok(self.all().into_iter().filter(is_wanted).take(query.limit).collect())
    }

    fn last_before(&self, key: &Key, moment: Moment) -> Result<Option<Movement>, HistoryError> {
        let is_before = |movement: &Movement| match moment {
            Moment::Sequence(sequence) => movement.sequence <= sequence,
            Moment::Time(at) if self.mistake == Mistake::ExcludesTheMoment => movement.at < at,
            Moment::Time(at) => movement.at <= at,
        };
        let of_key = self.all().into_iter().filter(|movement| movement.event.fact.key() == *key);
        Ok(of_key.filter(is_before).last())
    }
}
