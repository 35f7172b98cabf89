//! The trait of a kind of state, which a capability implements in its own folder.
//!
//! `registry.rs` lists the kinds; [`kinds!`](super::registry) generates the closed enums of the ledger from that list, and their
//! methods call this trait.

use crate::stock::MovementKind;
use crate::{EventKind, Fact, Key, Sku, State, StoreId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt::Debug;

/// An event does not fit its state: the log contradicts itself, or the event was not decided on this state. Each capability defines its
/// own as constants beside its kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misfit(pub(crate) &'static str);

impl Misfit {
    /// A number would be negative or out of range.
    pub const NUMBER: Self = Self("the event would make a number negative or too large");
    /// A state is taken over in a version before events that it has seen.
    pub const TAKEN: Self = Self("the event takes the state over in an older version");
    /// The event belongs to another kind than the state.
    pub const KIND: Self = Self("the event belongs to another kind of state");
}

/// Which one of several processes may decide on a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leasing {
    /// The process that holds the lease of its key.
    Own,
    /// The process that holds the lease of the state it is decided with ([`Kind::decided_with`]).
    WithAnother,
    /// Every process: each log has a state of its own under this key, which no other log takes over.
    OfOneLog,
}

/// A kind of state: its identity, the facts that move it, and its form in the log and in a snapshot.
pub trait Kind {
    /// The id of one state within the kind: the values of its [`Key`].
    type Id;
    /// The state; its default is that of a key without events, version 0.
    type State: Debug + Clone + PartialEq + Default;
    /// The content of its events: the `payload` of an event.
    type Fact: Debug + Clone + PartialEq + Serialize;
    /// The numbers an event records as `after`, so that the log can check itself.
    type After: Debug + Copy + Eq + Serialize + for<'de> Deserialize<'de>;
    /// The state in a snapshot, and in a `TAKE` of another log.
    type Record: Debug + Clone + PartialEq + Serialize + for<'de> Deserialize<'de>;
    /// The data that rolls one event back.
    type Undo: Debug;

    /// Which process may decide on it.
    const LEASE: Leasing = Leasing::Own;

    /// The id of the state that a fact moves.
    fn id(fact: &Self::Fact) -> Self::Id;

    /// The event type of a fact.
    fn event(fact: &Self::Fact) -> EventKind;

    /// Reads the payload of an event of the kind `event`, which is one of this kind's.
    ///
    /// # Errors
    /// The payload is not one of such an event.
    fn read<'de, D: Deserializer<'de>>(event: EventKind, payload: D) -> Result<Self::Fact, D::Error>;

    /// The SKU and store of a fact, if it concerns one SKU in one store.
    fn place(fact: &Self::Fact) -> Option<(&StoreId, &Sku)> {
        let _ = fact;
        None
    }

    /// The kind of movement of a fact, if it is a movement.
    fn movement(fact: &Self::Fact) -> Option<MovementKind> {
        let _ = fact;
        None
    }

    /// Moves a state by a fact, at the log time `at`.
    ///
    /// # Errors
    /// [`Misfit`] when the fact cannot have happened to this state, which is then unchanged.
    fn apply(state: &mut Self::State, fact: &Self::Fact, at: Timestamp) -> Result<Self::Undo, Misfit>;

    /// Rolls the last fact back.
    fn undo(state: &mut Self::State, undo: Self::Undo);

    /// The numbers after a fact.
    fn after(state: &Self::State) -> Self::After;

    /// The numbers before a fact, from those after it; none when the two do not fit.
    fn before(fact: &Self::Fact, after: Self::After) -> Option<Self::After>;

    /// The version of the state with these numbers.
    fn version_of(after: &Self::After) -> u64;

    /// Counts the facts of a state: strictly increasing by 1; 0 without any.
    fn version(state: &Self::State) -> u64;

    /// Sets the time of the last fact, once the log has given the entry its time.
    fn set_updated_at(state: &mut Self::State, at: Timestamp);

    /// The next moment at which part of the state falls due.
    fn next_due(state: &Self::State) -> Option<Timestamp> {
        let _ = state;
        None
    }

    /// At most `most` facts of the parts due at `now`, earliest first.
    fn due(state: &Self::State, id: &Self::Id, now: Timestamp, most: usize) -> Vec<Self::Fact> {
        let _ = (state, id, now, most);
        Vec::new()
    }

    /// Another state that is decided on together with this one.
    fn decided_with(id: &Self::Id) -> Option<Key> {
        let _ = id;
        None
    }

    /// The state as a record.
    fn record(state: &Self::State, id: Self::Id) -> Self::Record;

    /// The state of a record, and its id.
    ///
    /// # Errors
    /// [`Misfit`] when the record contradicts itself.
    fn restore(record: Self::Record) -> Result<(Self::Id, Self::State), Misfit>;

    /// The id in a record.
    fn id_in(record: &Self::Record) -> Self::Id;

    /// The time of the last fact, in a record.
    fn updated_at_in(record: &Self::Record) -> Timestamp;

    /// The SKU and store of a record, if it concerns one SKU in one store.
    fn place_in(record: &Self::Record) -> Option<(&StoreId, &Sku)> {
        let _ = record;
        None
    }

    /// The number of open holds in a record.
    fn holds_in(record: &Self::Record) -> u64 {
        let _ = record;
        0
    }
}

/// A kind that the registry lists; converts between its own types and those of the ledger.
pub trait Registered: Kind {
    /// The state, if it is of this kind.
    fn state(state: &State) -> Option<&Self::State>;

    /// The fact as a variant of [`Fact`].
    fn fact(fact: Self::Fact) -> Fact;
}
