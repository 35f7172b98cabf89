//! The draft of one entry: the states of a command, moved event by event during the decision.
//!
//! Later operations of a batch see the effects of earlier ones; an operation that is refused half-way is rolled back.

use super::evidence::{Evidence, NO_EVIDENCE};
use super::kind::Registered;
use crate::{
    Event, Fact, Idempotency, Key, Rejection, State, Taken, Timestamp, Unapplied, UnappliedWhy, Undo,
};
use std::any::Any;
use std::cell::Cell;
use std::mem::take;
use uuid::Uuid;

/// The states of one command, borrowed while it is decided. Invariant: `keys` are sorted and unique, and `states`
/// stand in the same order.
pub struct Draft<'a> {
    now: Timestamp,
    keys: &'a [Key],
    /// The last position that was looked up: an operation looks up its own several times.
    last: Cell<usize>,
    states: Vec<&'a mut State>,
    foreign: Vec<Option<u64>>,
    evidence: &'a Evidence,
    needs: Vec<Key>,
    new_id: &'a mut dyn FnMut() -> Uuid,
    op: Option<(u32, Option<Idempotency>)>,
    events: Vec<Event>,
    undos: Vec<(usize, Undo)>,
    unapplied: Vec<Unapplied>,
}

/// A draft that is not finished never happened, also where a decision has panicked: states that kept its changes would be ahead of
/// the log, and the next entry would be written on them.
impl Drop for Draft<'_> {
    fn drop(&mut self) {
        self.roll_back(DraftMark(0));
    }
}

/// The result of a draft.
#[derive(Debug, Default)]
pub struct Finished {
    /// The events of the draft, in order.
    pub events: Vec<Event>,
    /// The operations of a batch that made no event.
    pub unapplied: Vec<Unapplied>,
    /// For each event the position of its state, and the undo.
    pub undos: Vec<(usize, Undo)>,
}

impl Finished {
    /// The positions of the states that were taken over.
    pub fn taken(&self) -> impl Iterator<Item = usize> {
        let taken = self.undos.iter().filter(|(_, undo)| matches!(undo, Undo::Taken(_)));
        taken.map(|(position, _)| *position)
    }
}

/// A point to roll back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftMark(usize);

impl<'a> Draft<'a> {
    /// A draft over `states`, one for each of `keys` (sorted, unique), at the log time `now`.
    pub fn new(
        now: Timestamp,
        keys: &'a [Key],
        states: Vec<&'a mut State>,
        new_id: &'a mut dyn FnMut() -> Uuid,
    ) -> Self {
        debug_assert!(keys.is_sorted() && keys.len() == states.len());
        Self {
            now,
            keys,
            last: Cell::new(0),
            states,
            foreign: Vec::new(),
            evidence: &NO_EVIDENCE,
            needs: Vec::new(),
            new_id,
            op: None,
            events: Vec::new(),
            undos: Vec::new(),
            unapplied: Vec::new(),
        }
    }

    /// For each position the epoch of the lease under which this log takes the state over, if another log moved it last; positions beyond
    /// the end are not foreign.
    #[must_use]
    pub fn taking(mut self, foreign: Vec<Option<u64>>) -> Self {
        self.foreign = foreign;
        self
    }

    /// Sets the evidence beside the states.
    #[must_use]
    pub const fn based_on(mut self, evidence: &'a Evidence) -> Self {
        self.evidence = evidence;
        self
    }

    /// The evidence of that type, if there is any.
    pub(crate) fn evidence<T: Any>(&self) -> Option<&'a T> {
        self.evidence.of()
    }

    /// The keys of the command, sorted and unique.
    pub(crate) const fn keys(&self) -> &'a [Key] {
        self.keys
    }

    /// Requests the state under this key, which the draft does not hold. The decision is void then: the caller locks that state, too,
    /// and decides again.
    pub fn need(&mut self, key: Key) {
        self.needs.push(key);
    }

    /// True when it holds the state under this key.
    pub(crate) fn holds(&self, key: &Key) -> bool {
        self.keys.binary_search(key).is_ok()
    }

    /// The requested keys; usually none.
    pub fn needs(&self) -> &[Key] {
        &self.needs
    }

    /// The log time of the decision.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The state of that kind under that key.
    ///
    /// # Panics
    /// When the key is none of the command's, or of another kind.
    pub fn state<K: Registered>(&self, key: &Key) -> &K::State {
        K::state(self.any_state(key)).expect("a state stands under a key of its own kind")
    }

    /// The position of a key among the draft's keys.
    ///
    /// # Panics
    /// When the key is none of the command's.
    pub(crate) fn position(&self, key: &Key) -> usize {
        let last = self.last.get();
        if self.keys.get(last) == Some(key) {
            return last;
        }
        let position = self.keys.binary_search(key).expect("a command names every key it decides on");
        self.last.set(position);
        position
    }

    fn any_state(&self, key: &Key) -> &State {
        self.states.get(self.position(key)).expect("there is a state for every key")
    }

    /// Assigns the following events to the operation `op` of a batch.
    pub fn begin(&mut self, op: u32, idempotency: Option<Idempotency>) {
        self.op = Some((op, idempotency));
    }

    /// Assigns the following events to no operation.
    pub(crate) fn end_operations(&mut self) {
        self.op = None;
    }

    /// Records a fact and moves its state; a foreign state is taken over by an event before it.
    ///
    /// # Panics
    /// When the fact does not fit the state: the decision must have checked that.
    pub fn record(&mut self, fact: Fact) {
        let position = self.position(&fact.key());
        if let Some(epoch) = self.foreign.get_mut(position).and_then(Option::take) {
            let key = self.keys.get(position).expect("a position is that of a key");
            let state = self.states.get(position).expect("there is a state for every key").record(key);
            self.push(position, Fact::Take(Box::new(Taken { epoch, state })), (None, None));
        }
        let caused = match &self.op {
            Some((op, idempotency)) => (Some(*op), idempotency.clone()),
            None => (None, None),
        };
        self.push(position, fact, caused);
    }

    fn push(&mut self, position: usize, fact: Fact, (op, idempotency): (Option<u32>, Option<Idempotency>)) {
        let state = self.states.get_mut(position).expect("there is a state for every key");
        let undo = state.apply(&fact, self.now).expect("what was decided fits the state");
        let after = state.after();
        let event_id = (self.new_id)();
        self.undos.push((position, undo));
        self.events.push(Event { event_id, op, idempotency, kind: fact.kind(), fact, after });
    }

    /// Records that the operation `op` makes no event.
    pub fn skip(&mut self, op: u32, why: UnappliedWhy) {
        self.unapplied.push(Unapplied { op, why });
    }

    /// The present point of the draft.
    pub fn mark(&self) -> DraftMark {
        DraftMark(self.events.len())
    }

    /// Rolls back every event since the mark.
    pub fn roll_back(&mut self, mark: DraftMark) {
        while self.events.len() > mark.0 {
            let event = self.events.pop();
            let (position, undo) = self.undos.pop().expect("every event has its undo");
            if let Some((Fact::Take(taken), foreign)) =
                event.map(|event| event.fact).zip(self.foreign.get_mut(position))
            {
                *foreign = Some(taken.epoch);
            }
            self.states.get_mut(position).expect("there is a state for every key").undo(undo);
        }
    }

    /// Records at most `most` facts that are due, over all states; true when none is left.
    pub fn expire_due(&mut self, most: usize) -> bool {
        for position in 0..self.keys.len() {
            let Some((key, state)) = self.keys.get(position).zip(self.states.get(position)) else { continue };
            if state.next_due().is_none_or(|due| due > self.now) {
                continue;
            }
            let room = most.saturating_sub(self.events.len());
            for fact in state.due(key, self.now, room) {
                self.record(fact);
            }
        }
        self.states.iter().all(|state| state.next_due().is_none_or(|due| due > self.now))
    }

    /// The earliest moment at which one of the states falls due, so that the decision is void.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.states.iter().filter_map(|state| state.next_due()).min()
    }

    /// The events so far.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The operations of a batch that made no event so far.
    pub fn unapplied(&self) -> &[Unapplied] {
        &self.unapplied
    }

    /// Ends the draft; the states keep their changes.
    pub fn finish(mut self) -> Finished {
        // What is left for `Drop` to roll back is nothing.
        Finished {
            events: take(&mut self.events),
            unapplied: take(&mut self.unapplied),
            undos: take(&mut self.undos),
        }
    }

    /// True while nothing has been recorded.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Rolls back every event; the states are as before the draft.
    pub fn abandon(self) {}

    /// Refuses the operation `op` of a batch that is not atomic.
    pub fn refuse(&mut self, op: u32, rejection: Rejection) {
        self.skip(op, UnappliedWhy::Refused(rejection));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stock::{Adjusted, StockFact};
    use crate::{Quantity, Sku, StoreId};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    #[test]
    fn a_decision_that_panics_leaves_the_states_as_they_were() {
        let (store_id, sku) = (StoreId::new("LONDON").unwrap(), Sku::new("TEA").unwrap());
        let key = Key::Level(store_id.clone(), sku.clone());
        let adjusted = |delta: i64| {
            Fact::Level(StockFact::Adjust(Adjusted {
                sku: sku.clone(),
                store_id: store_id.clone(),
                delta: Quantity::new(delta).unwrap(),
                expected_version: None,
                reason: None,
                reference: None,
                occurred_at: None,
                kind: None,
            }))
        };
        let mut state = State::absent(&key);
        let before = state.clone();
        let keys = [key];
        let decided = catch_unwind(AssertUnwindSafe(|| {
            let mut new_id = || Uuid::from_u128(1);
            let mut draft = Draft::new(Timestamp::EPOCH, &keys, vec![&mut state], &mut new_id);
            draft.record(adjusted(5));
            draft.record(adjusted(-6));
        }));
        assert!(decided.is_err(), "there are only five");
        assert_eq!(state, before);
    }
}
