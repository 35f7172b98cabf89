//! Idempotency records: for each key the event of its effect.
//!
//! A record is a few numbers. The answer to a retry is read back from the log, so it is as durable as the effect.
//! Records expire by log time.

use crate::ports::{KnownEffect, LogNumber, RetryId};
use dashmap::DashMap;
use onhand_domain::{Idempotency, Sequence, Timestamp, limits::IDEMPOTENCY_RECORDS_MAX};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::collections::VecDeque;
use std::fmt::Write;
use tokio::sync::MutexGuard;

/// The fingerprint of a payload: the first 64 bits of its SHA-256, as 16 hex digits. It tells a retry from a key that was reused by
/// mistake; it does not protect against a caller who forges payloads for its own key.
pub fn fingerprint(payload: &[u8]) -> SmolStr {
    let digest = Sha256::digest(payload);
    let mut hex = String::with_capacity(16);
    for byte in digest.iter().take(8) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    SmolStr::new(hex)
}

/// The recorded use of a key that a request repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryMatch {
    /// The same payload had its effect in that event.
    Applied(EffectPlace),
    /// Another payload used the key; its effect is that event.
    Reused(EffectPlace),
}

/// An event in one of the logs of the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EffectPlace {
    pub(crate) log: LogNumber,
    pub(crate) sequence: Sequence,
}

const STRIPES: usize = 1024;

#[derive(Debug, Clone, Copy)]
struct StoredEffect {
    fingerprint: u64,
    place: EffectPlace,
    at: Timestamp,
}

/// All records, limited in age and in number.
#[derive(Debug)]
pub(crate) struct IdempotencyTable {
    records: DashMap<RetryId, StoredEffect>,
    /// The ids by the time of their records, oldest first: log time never goes back.
    order: Mutex<VecDeque<(Timestamp, RetryId)>>,
    /// A request holds the stripe of its key until the record is inserted, so a concurrent retry waits and then finds it.
    stripes: Vec<tokio::sync::Mutex<()>>,
    ttl_milliseconds: i64,
}

impl IdempotencyTable {
    pub(crate) fn new(ttl_milliseconds: i64, known: Vec<KnownEffect>) -> Self {
        let stripes = (0..STRIPES).map(|_| tokio::sync::Mutex::new(())).collect();
        let table = Self { records: DashMap::new(), order: Mutex::default(), stripes, ttl_milliseconds };
        for effect in known {
            table.insert(effect, LogNumber::OWN);
        }
        table
    }

    /// Locks the stripes of all ids, in ascending order, so that two requests with overlapping ids cannot deadlock.
    pub(crate) async fn lock(&self, ids: impl Iterator<Item = RetryId>) -> Vec<MutexGuard<'_, ()>> {
        let mut places: Vec<usize> = ids.map(|id| (id.0 % STRIPES as u128) as usize).collect();
        places.sort_unstable();
        places.dedup();
        let mut guards = Vec::with_capacity(places.len());
        for place in places {
            guards.push(self.stripes.get(place).expect("a remainder is below its divisor").lock().await);
        }
        guards
    }

    /// The record of a key at the log time `now`.
    pub(crate) fn find(&self, id: RetryId, idempotency: &Idempotency, now: Timestamp) -> Option<RetryMatch> {
        let record = self.records.get(&id)?;
        if record.at.plus_milliseconds(self.ttl_milliseconds) <= now {
            return None;
        }
        let same = u64::from_str_radix(&idempotency.fingerprint, 16) == Ok(record.fingerprint);
        Some(if same { RetryMatch::Applied(record.place) } else { RetryMatch::Reused(record.place) })
    }

    /// Inserts the record of an effect in that log.
    pub(crate) fn insert(&self, effect: KnownEffect, log: LogNumber) {
        let KnownEffect { id, fingerprint, sequence, at } = effect;
        self.records.insert(id, StoredEffect { fingerprint, place: EffectPlace { log, sequence }, at });
        self.order.lock().push_back((at, id));
    }

    /// Removes the record of an effect of this process beyond `durable`. A record that it replaced had expired, so none is restored.
    pub(crate) fn forget(&self, id: RetryId, durable: Sequence) {
        // Its id stays in the order until it expires; the sweep then finds no record of that time.
        self.records.remove_if(&id, |_, StoredEffect { place, .. }| {
            place.log == LogNumber::OWN && place.sequence > durable
        });
    }

    /// Removes at most `most` expired records, so that the cost is spread over the inserts.
    pub(crate) fn sweep(&self, now: Timestamp, most: usize) {
        let mut order = self.order.lock();
        for _ in 0..most {
            let Some((at, id)) = order.front().copied() else { break };
            if at.plus_milliseconds(self.ttl_milliseconds) > now {
                break;
            }
            order.pop_front();
            // A key that was used again after its record expired has a newer record under the same id, which stays.
            self.records.remove_if(&id, |_, record| record.at == at);
        }
    }

    /// True when a further record would force an early removal of another one.
    pub(crate) fn is_full(&self) -> bool {
        self.order.lock().len() >= IDEMPOTENCY_RECORDS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idempotency(key: &str, payload: &str) -> Idempotency {
        Idempotency {
            key: key.into(),
            scope: "reserve L/A".into(),
            fingerprint: fingerprint(payload.as_bytes()),
        }
    }

    fn own(sequence: u64) -> EffectPlace {
        EffectPlace { log: LogNumber::OWN, sequence: Sequence(sequence) }
    }

    #[test]
    fn a_record_answers_for_its_time_and_no_longer() {
        let table = IdempotencyTable::new(1000, Vec::new());
        let key = idempotency("k", "{}");
        let id = RetryId::new(None, &key);
        let at = Timestamp::from_milliseconds(5000);
        table.insert(KnownEffect::new(None, &key, Sequence(7), at).unwrap(), LogNumber::OWN);
        assert_eq!(table.find(id, &key, at), Some(RetryMatch::Applied(own(7))));
        assert_eq!(table.find(id, &idempotency("k", "{\"qty\":2}"), at), Some(RetryMatch::Reused(own(7))));
        assert_eq!(table.find(id, &key, at.plus_milliseconds(999)), Some(RetryMatch::Applied(own(7))));
        assert_eq!(table.find(id, &key, at.plus_milliseconds(1000)), None);
        // Used again, then swept: the newer record stays.
        let later = at.plus_milliseconds(1500);
        table.insert(KnownEffect::new(None, &key, Sequence(9), later).unwrap(), LogNumber::OWN);
        table.sweep(later, 16);
        assert_eq!(table.find(id, &key, later), Some(RetryMatch::Applied(own(9))));
        table.sweep(later.plus_milliseconds(1000), 16);
        assert_eq!(table.records.len(), 0);
        assert_eq!(table.order.lock().len(), 0);
    }

    #[test]
    fn parts_of_an_id_do_not_run_together() {
        let one = Idempotency { key: "bc".into(), scope: "a".into(), fingerprint: SmolStr::default() };
        let two = Idempotency { key: "c".into(), scope: "ab".into(), fingerprint: SmolStr::default() };
        assert_ne!(RetryId::new(None, &one), RetryId::new(None, &two));
        assert_ne!(RetryId::new(None, &one), RetryId::new(Some(&"x".into()), &one));
    }
}
