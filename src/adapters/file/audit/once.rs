//! What happens once: an event has an id that no other one has, and an idempotency key one effect within its time.
//!
//! Neither is remembered for the whole of a log. Ids are of version 7, made in the order of time: those of the last
//! [`RECENT_MS`] are kept, and the highest of those that were let go. An id above that is new; one below it (the wall clock
//! was set back, or it is a copy of an old one) is to be looked for in the logs once they have been read. Keys are kept as long
//! as the node keeps them.

use onhand_app::{KnownEffect, RetryId};
use onhand_domain::{Entry, Idempotency, Sequence, Timestamp};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Ids are kept for so long, by the time that is in them.
const RECENT_MS: u128 = 10_000;
/// In front of the 48 bits of its time an id has so many others.
const BITS_BEHIND_TIME: u32 = 80;
/// Keys are swept when there are twice as many as the last time, and so many at least.
const SWEEP_MIN: usize = 1 << 16;

/// An event in one of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) log: usize,
    pub(super) sequence: Sequence,
}

/// The ids of events.
#[derive(Default)]
pub(super) struct Ids {
    recent: BTreeMap<u128, Place>,
    /// The highest id that was let go.
    floor: Option<u128>,
    newest: u128,
}

/// What is known of an id.
pub(super) enum Seen {
    /// No event had it before.
    Never,
    /// That event has it, too.
    At(Place),
    /// Too long ago to be known.
    Perhaps,
}

impl Ids {
    /// Called for every event once.
    pub(super) fn look(&mut self, id: Uuid, place: Place) -> Seen {
        let id = id.as_u128();
        if let Some(before) = self.recent.get(&id) {
            return Seen::At(*before);
        }
        if self.floor.is_some_and(|floor| id <= floor) {
            return Seen::Perhaps;
        }
        self.recent.insert(id, place);
        self.newest = self.newest.max(id >> BITS_BEHIND_TIME);
        while let Some(oldest) = self.recent.first_entry() {
            if (oldest.key() >> BITS_BEHIND_TIME) + RECENT_MS >= self.newest {
                break;
            }
            self.floor = self.floor.max(Some(*oldest.key()));
            oldest.remove();
        }
        Seen::Never
    }
}

/// The effects of idempotency keys, in each log those that a retry is still known by.
pub(super) struct Keys {
    ttl_ms: i64,
    logs: Vec<Known>,
}

#[derive(Default)]
struct Known {
    effects: HashMap<RetryId, Effect>,
    /// How many there were when the last sweep was over.
    swept: usize,
}

#[derive(Clone, Copy)]
struct Effect {
    fingerprint: u64,
    at: Timestamp,
    /// The entry, and the operation of it.
    entry: Sequence,
    op: Option<u32>,
    sequence: Sequence,
}

/// A key that had its effect before.
pub(super) struct Again {
    /// The event that is too much.
    pub(super) sequence: Sequence,
    pub(super) known_by: Idempotency,
    /// The first effect.
    pub(super) first: Place,
}

impl Keys {
    pub(super) fn new(ttl_ms: i64, logs: usize) -> Self {
        Self { ttl_ms, logs: (0..logs).map(|_| Known::default()).collect() }
    }

    /// The keys of an entry that had an effect before; called for every entry once, in the order of time.
    pub(super) fn seen(&mut self, log: usize, entry: &Entry) -> Vec<Again> {
        let whole = entry.idempotency.iter().map(|known_by| (entry.sequence, None, known_by));
        let parts = entry.numbered();
        let parts =
            parts.filter_map(|(sequence, event)| Some((sequence, event.op, event.idempotency.as_ref()?)));
        let mut again = Vec::new();
        for (sequence, op, known_by) in whole.chain(parts) {
            let actor = entry.actor.as_ref();
            let Some(known) = KnownEffect::new(actor, known_by, sequence, entry.at) else { continue };
            let KnownEffect { id, fingerprint, at, .. } = known;
            let effect = Effect { fingerprint, at, entry: entry.sequence, op, sequence };
            if let Some(first) = self.before(log, id, &effect) {
                again.push(Again { sequence, known_by: known_by.clone(), first });
            }
            if let Some(known) = self.logs.get_mut(log) {
                known.note(id, effect, self.ttl_ms);
            }
        }
        again
    }

    /// The effect the key has had. In another log it must be of the same payload: a process that was not asked about those
    /// states before may take a key that is used again for a new one.
    fn before(&self, log: usize, id: RetryId, effect: &Effect) -> Option<Place> {
        let found = self.logs.iter().enumerate().filter_map(|(place, known)| {
            let before = known.effects.get(&id)?;
            let own = place == log;
            let same_operation = own && before.entry == effect.entry && before.op == effect.op;
            let over = before.at.plus_milliseconds(self.ttl_ms) <= effect.at;
            let counts = !same_operation && !over && (own || before.fingerprint == effect.fingerprint);
            counts.then_some(Place { log: place, sequence: before.sequence })
        });
        found.into_iter().next()
    }
}

impl Known {
    fn note(&mut self, id: RetryId, effect: Effect, ttl_ms: i64) {
        self.effects.insert(id, effect);
        if self.effects.len() > 2 * self.swept.max(SWEEP_MIN) {
            self.effects.retain(|_, known| known.at.plus_milliseconds(ttl_ms) > effect.at);
            self.swept = self.effects.len();
        }
    }
}
