//! The states and idempotency records of a log that an adapter passes to the ledger at a start.

use onhand_domain::{Entry, Idempotency, Key, Sequence, State, Timestamp};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use std::collections::HashMap;

/// The states and idempotency records that a start reads from the snapshot and the log.
#[derive(Debug, Default)]
pub struct Restored {
    /// Every state with a version above 0.
    pub states: HashMap<Key, State>,
    /// The idempotency records that have not expired, oldest first.
    pub known: Vec<KnownEffect>,
}

/// An effect with the idempotency key it was recorded under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownEffect {
    /// The identity that a retry has, too.
    pub id: RetryId,
    /// The payload's fingerprint, as a number.
    pub fingerprint: u64,
    /// The first event of its entry, or the event of its operation.
    pub sequence: Sequence,
    /// The entry's time.
    pub at: Timestamp,
}

/// The identity of a retry: the first 128 bits of SHA-256 over principal, scope and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RetryId(pub u128);

impl RetryId {
    /// The id of a key. Each part is preceded by its length, so that no two triples hash the same bytes.
    pub fn new(actor: Option<&SmolStr>, idempotency: &Idempotency) -> Self {
        let mut hasher = Sha256::new();
        for part in [actor.map_or("", SmolStr::as_str), &idempotency.scope, &idempotency.key] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let digest: [u8; 32] = hasher.finalize().into();
        let (half, _) = digest.split_first_chunk::<16>().expect("32 bytes hold 16");
        Self(u128::from_le_bytes(*half))
    }
}

impl KnownEffect {
    /// The record of an effect; none when the fingerprint is not 16 hex digits.
    pub fn new(
        actor: Option<&SmolStr>,
        idempotency: &Idempotency,
        sequence: Sequence,
        at: Timestamp,
    ) -> Option<Self> {
        let fingerprint = u64::from_str_radix(&idempotency.fingerprint, 16).ok()?;
        Some(Self { id: RetryId::new(actor, idempotency), fingerprint, sequence, at })
    }
}

/// The idempotency records of an entry.
pub fn known_effects(entry: &Entry) -> impl Iterator<Item = KnownEffect> {
    let whole = entry.idempotency.iter().map(|known_by| (entry.sequence, known_by));
    let parts =
        entry.numbered().filter_map(|(sequence, event)| Some((sequence, event.idempotency.as_ref()?)));
    parts.chain(whole).filter_map(|(sequence, known_by)| {
        KnownEffect::new(entry.actor.as_ref(), known_by, sequence, entry.at)
    })
}
