//! Uniqueness: every event id is unique, and an idempotency key has one effect within its lifetime.
//!
//! Memory is bounded for both. Ids are UUIDs of version 7, ordered by time: the ids of the last [`RECENT_MS`] are
//! kept, and the highest of the dropped ones. An id above that is new; one below it (the wall clock was set back,
//! or it is a copy of an old one) is searched in the logs after the first pass. Keys are kept as long as the node
//! keeps them.

use onhand_app::{KnownEffect, RetryId};
use onhand_domain::{Entry, Idempotency, Sequence, Timestamp};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// How long ids are kept, by the time inside them.
const RECENT_MS: u128 = 10_000;
/// Number of bits behind the 48 bits of time in an id.
const BITS_BEHIND_TIME: u32 = 80;
/// Keys are swept when their number has doubled since the last sweep, and is at least this.
const SWEEP_MIN: usize = 1 << 16;

/// The place of an event: log and sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventPlace {
    pub(super) log: usize,
    pub(super) sequence: Sequence,
}

/// The ids of recent events.
#[derive(Default)]
pub(super) struct Ids {
    recent: BTreeMap<u128, EventPlace>,
    /// The highest id that was dropped.
    floor: Option<u128>,
    newest: u128,
}

/// Earlier use of an id.
pub(super) enum IdUse {
    /// No event had it before.
    Never,
    /// An earlier event has the same id.
    At(EventPlace),
    /// Too old to tell from memory.
    Perhaps,
}

impl Ids {
    /// Records an id; called once for every event.
    pub(super) fn record(&mut self, id: Uuid, place: EventPlace) -> IdUse {
        let id = id.as_u128();
        if let Some(before) = self.recent.get(&id) {
            return IdUse::At(*before);
        }
        if self.floor.is_some_and(|floor| id <= floor) {
            return IdUse::Perhaps;
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
        IdUse::Never
    }
}

/// The effects of idempotency keys, for each log those whose retries are still recognised.
pub(super) struct Keys {
    ttl_ms: i64,
    logs: Vec<LogEffects>,
}

#[derive(Default)]
struct LogEffects {
    effects: HashMap<RetryId, KeyEffect>,
    /// How many effects were left after the last sweep.
    swept: usize,
}

#[derive(Clone, Copy)]
struct KeyEffect {
    fingerprint: u64,
    at: Timestamp,
    /// The sequence of the entry, and the index of the operation in it.
    entry: Sequence,
    op: Option<u32>,
    sequence: Sequence,
}

/// A key with a second effect.
pub(super) struct RepeatedKey {
    /// The event that should not exist.
    pub(super) sequence: Sequence,
    pub(super) known_by: Idempotency,
    /// The place of the first effect.
    pub(super) first: EventPlace,
}

impl Keys {
    pub(super) fn new(ttl_ms: i64, logs: usize) -> Self {
        Self { ttl_ms, logs: (0..logs).map(|_| LogEffects::default()).collect() }
    }

    /// The keys of an entry that had an effect before; called once for every entry, in the order of time.
    pub(super) fn seen(&mut self, log: usize, entry: &Entry) -> Vec<RepeatedKey> {
        let whole = entry.idempotency.iter().map(|known_by| (entry.sequence, None, known_by));
        let parts = entry.numbered();
        let parts =
            parts.filter_map(|(sequence, event)| Some((sequence, event.op, event.idempotency.as_ref()?)));
        let mut again = Vec::new();
        for (sequence, op, known_by) in whole.chain(parts) {
            let actor = entry.actor.as_ref();
            let Some(known) = KnownEffect::new(actor, known_by, sequence, entry.at) else { continue };
            let KnownEffect { id, fingerprint, at, .. } = known;
            let effect = KeyEffect { fingerprint, at, entry: entry.sequence, op, sequence };
            if let Some(first) = self.before(log, id, &effect) {
                again.push(RepeatedKey { sequence, known_by: known_by.clone(), first });
            }
            if let Some(known) = self.logs.get_mut(log) {
                known.note(id, effect, self.ttl_ms);
            }
        }
        again
    }

    /// The earlier effect of the key. An effect in another log counts only with the same payload: a process that
    /// did not handle those states before may accept a reused key as a new one.
    fn before(&self, log: usize, id: RetryId, effect: &KeyEffect) -> Option<EventPlace> {
        let found = self.logs.iter().enumerate().filter_map(|(place, known)| {
            let before = known.effects.get(&id)?;
            let own = place == log;
            let same_operation = own && before.entry == effect.entry && before.op == effect.op;
            let over = before.at.plus_milliseconds(self.ttl_ms) <= effect.at;
            let counts = !same_operation && !over && (own || before.fingerprint == effect.fingerprint);
            counts.then_some(EventPlace { log: place, sequence: before.sequence })
        });
        found.into_iter().next()
    }
}

impl LogEffects {
    fn note(&mut self, id: RetryId, effect: KeyEffect, ttl_ms: i64) {
        self.effects.insert(id, effect);
        if self.effects.len() > 2 * self.swept.max(SWEEP_MIN) {
            self.effects.retain(|_, known| known.at.plus_milliseconds(ttl_ms) > effect.at);
            self.swept = self.effects.len();
        }
    }
}
