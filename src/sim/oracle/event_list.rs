//! The events of the oracle, in a list whose copies share the old part.

use crate::oracle::acts::Happened;
use std::sync::Arc;

/// Events in order; the first has sequence 1.
#[derive(Debug, Clone, Default)]
pub struct EventList {
    settled: Arc<Vec<Happened>>,
    recent: Vec<Happened>,
}

impl EventList {
    /// The number of events: the sequence of the last one.
    pub fn len(&self) -> usize {
        self.settled.len() + self.recent.len()
    }

    /// True when there is no event yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last event.
    pub fn last(&self) -> Option<&Happened> {
        self.recent.last().or_else(|| self.settled.last())
    }

    /// The events behind the first `skip`.
    pub fn after(&self, skip: usize) -> impl DoubleEndedIterator<Item = &Happened> {
        let rest = skip.saturating_sub(self.settled.len());
        self.settled.iter().skip(skip).chain(self.recent.iter().skip(rest))
    }

    /// The first `count` events.
    pub fn first(&self, count: usize) -> impl DoubleEndedIterator<Item = &Happened> {
        let (old, new) = (count.min(self.settled.len()), count.saturating_sub(self.settled.len()));
        self.settled.get(..old).into_iter().flatten().chain(self.recent.iter().take(new))
    }

    pub(super) fn push(&mut self, happened: Happened) {
        self.recent.push(happened);
    }

    /// Removes the events behind the first `count`.
    pub(super) fn truncate(&mut self, count: usize) {
        let rest = count.checked_sub(self.settled.len()).expect("what is settled is not taken back");
        self.recent.truncate(rest);
    }

    /// Makes all events final: copies made from now on share them.
    pub(super) fn settle(&mut self) {
        Arc::make_mut(&mut self.settled).append(&mut self.recent);
    }
}
