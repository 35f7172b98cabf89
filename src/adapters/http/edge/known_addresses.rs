//! From which networks each credential was used: the first time is for the audit trail.
//!
//! Every request with a credential asks, so what was used a moment ago is found without a lock: a table of fingerprints, each in the
//! one slot that follows from it. Only a fingerprint that is not in its slot is looked for behind the lock. Memory is bounded: of two
//! generations the older one is forgotten when the younger is full, and a network that was forgotten counts as new again.

use parking_lot::Mutex;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Fingerprints that are found without a lock.
const SLOTS: usize = 4_096;
/// Fingerprints of a generation.
const GENERATION_MAX: usize = 32_768;

/// The networks of every credential.
pub(crate) struct KnownAddresses {
    hasher: RandomState,
    recent: Box<[AtomicU64]>,
    all: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    younger: HashSet<u64>,
    older: HashSet<u64>,
}

impl Default for KnownAddresses {
    fn default() -> Self {
        let recent = std::iter::repeat_with(AtomicU64::default).take(SLOTS).collect();
        Self { hasher: RandomState::new(), recent, all: Mutex::default() }
    }
}

impl KnownAddresses {
    /// True the first time that a credential is used from a network.
    pub(crate) fn is_new(&self, credential: &str, network: IpAddr) -> bool {
        // An empty slot has 0.
        let fingerprint = self.hasher.hash_one((credential, network)) | 1;
        let slot = usize::try_from(fingerprint >> 1).unwrap_or_default() % SLOTS;
        let Some(slot) = self.recent.get(slot) else { return false };
        if slot.load(Ordering::Relaxed) == fingerprint {
            return false;
        }
        let is_new = self.all.lock().add(fingerprint);
        slot.store(fingerprint, Ordering::Relaxed);
        is_new
    }
}

impl Generations {
    fn add(&mut self, fingerprint: u64) -> bool {
        if self.younger.contains(&fingerprint) {
            return false;
        }
        if self.younger.len() >= GENERATION_MAX {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(fingerprint);
        !self.older.contains(&fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_network_of_a_credential_is_new_once() {
        let known = KnownAddresses::default();
        let network = |n: u32| IpAddr::V4(Ipv4Addr::from_bits(n));
        for round in 0..3 {
            for n in 0..5_000 {
                assert_eq!(known.is_new("a", network(n)), round == 0, "{n}, in round {round}");
            }
        }
        assert!(known.is_new("b", network(1)) && !known.is_new("b", network(1)));
    }

    #[test]
    fn memory_is_bounded_and_what_is_used_is_kept() {
        let mut generations = Generations::default();
        assert!(generations.add(1));
        for fingerprint in 2..10 * GENERATION_MAX as u64 {
            assert!(generations.add(fingerprint));
            if fingerprint.is_multiple_of(1_000) {
                assert!(!generations.add(1), "{fingerprint}");
            }
        }
        assert!(generations.younger.len() + generations.older.len() <= 2 * GENERATION_MAX);
        assert!(generations.add(2), "forgotten long ago");
    }
}
