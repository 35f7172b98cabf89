//! Several processes over one stock: a lease before each decision, and the other logs applied before each answer.
//!
//! A state is decided only while its lease is **ready**: held, and every entry applied that others had made durable before. Leases are
//! requested before any slot is locked, and checked again under the lock; a release takes the slot, too, so no decision is made under a
//! lease that is leaving. Entries of other logs are applied by version: the versions of a state are unique across all logs, so a
//! version that is not newer is known already.
//!
//! Idempotency records come with the entries. A key is looked up again once all slots are locked: between the first lookup and the lock
//! the lease may have gone to another process and back, and that process may have applied the same request. A retry concerns the
//! same states, so it never takes effect twice. A key that is reused with another payload is refused by the process that holds its
//! states; another process, for other states, may accept it as new.
//!
//! A change in another log that contradicts the logs is rolled back in memory, and this process answers 503 from then on: a number
//! that stands in no log is never shown.
//!
//! `following` applies and reads the other logs, `keeping` renews and releases leases; this file requests them.

mod following;
mod keeping;

use super::{CommandError, Ledger};
use crate::blocking;
use crate::ports::{HistoryError, Lease, LogNumber, PeerNews, Sharing};
use dashmap::DashMap;
use onhand_domain::{Key, Timestamp};
use onhand_planted::{Bug, planted};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// Pause before a lease is requested again while another process releases it.
const ASK_EVERY: Duration = Duration::from_millis(3);

/// Number of mutexes around leases; keys with the same mutex wait for each other during a request or a release.
const STRIPES: u64 = 64;

/// The state of a ledger that shares its stock.
pub(super) struct SharingState {
    port: Arc<dyn Sharing>,
    held: DashMap<Key, Held>,
    /// One mutex for each group of keys, held during a request or a release of one of their leases.
    stripes: Vec<Mutex<()>>,
    /// Held while entries of other logs are applied, because their order matters.
    following: Mutex<()>,
    /// News of other logs that are read and not applied yet. The reading thread fills this queue itself under the lock, so that a caller that
    /// is dropped meanwhile loses nothing.
    read: Arc<parking_lot::Mutex<VecDeque<Arc<PeerNews>>>>,
    /// How long a command waits for a lease.
    patience: Duration,
    /// The time of the last entry of any other log, in milliseconds.
    last_time: AtomicI64,
    /// The first contradiction between the logs; the process answers no request after it.
    contradiction: OnceLock<String>,
}

/// The state of a lease of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Held; entries that others wrote before may not be applied yet.
    New { epoch: u64 },
    /// Held, and every earlier entry is applied.
    Ready { epoch: u64 },
    /// About to be released: no decision starts under it.
    Leaving { epoch: u64 },
}

impl SharingState {
    /// True when the leases of all keys are ready. A decision needs the answer with their slots locked.
    pub(super) fn ready(&self, keys: &[Key]) -> bool {
        let ready = |key: &Key| self.held.get(key).is_some_and(|held| matches!(*held, Held::Ready { .. }));
        keys.iter().all(|key| !key.has_lease() || ready(key))
    }

    /// The epoch of the lease that covers a state; an alert is covered by the lease of its level.
    pub(super) fn epoch(&self, key: &Key) -> u64 {
        let held = match key {
            Key::Alert(store, sku) => self.held.get(&Key::Level(store.clone(), sku.clone())),
            key => self.held.get(key),
        };
        match held.as_deref() {
            Some(Held::New { epoch } | Held::Ready { epoch } | Held::Leaving { epoch }) => *epoch,
            None => 0,
        }
    }

    async fn stripe(&self, key: &Key) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % STRIPES).unwrap_or_default();
        self.stripes.get(place).expect("a remainder is below its divisor").lock().await
    }

    /// The time of the latest entry in any other log.
    pub(super) fn last_time(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.last_time.load(Ordering::Acquire))
    }

    fn note_time(&self, at: Timestamp) {
        self.last_time.fetch_max(at.milliseconds(), Ordering::AcqRel);
    }

    /// Records a contradiction, which is permanent, and reports the first one.
    fn give_up_on(&self, error: HistoryError) -> HistoryError {
        if let HistoryError::Contradiction(reason) = &error
            && !planted(Bug::ApplyMismatch)
            && self.contradiction.set(reason.clone()).is_ok()
        {
            tracing::error!(
                %reason,
                "the logs of the data directory contradict each other: this process answers nothing more; stop all \
                 processes and run `onhand verify`"
            );
        }
        error
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::History(error.into())
    }
}

impl Ledger {
    /// The ledger of one process among several; a command waits at most `patience` for a lease.
    #[must_use]
    pub fn shared(mut self, port: Arc<dyn Sharing>, patience: Duration) -> Self {
        self.sharing = Some(SharingState {
            port,
            held: DashMap::new(),
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            following: Mutex::default(),
            read: Arc::default(),
            patience,
            last_time: AtomicI64::new(i64::MIN),
            contradiction: OnceLock::new(),
        });
        self
    }

    /// Acquires the leases of all keys, and makes them ready.
    ///
    /// # Errors
    /// [`CommandError::Contended`] when another process does not release one in time.
    pub(super) async fn lease(&self, keys: &[Key]) -> Result<(), CommandError> {
        let Some(sharing) = &self.sharing else { return Ok(()) };
        let deadline = self.parts.clock.monotonic() + sharing.patience;
        while !sharing.ready(keys) {
            let mut missing: Vec<&Key> = keys.iter().filter(|key| key.has_lease()).collect();
            loop {
                let mut elsewhere = Vec::new();
                for key in missing {
                    if !self.request_lease(sharing, key, false).await? {
                        elsewhere.push(key);
                    }
                }
                if elsewhere.is_empty() {
                    break;
                }
                missing = elsewhere;
                if self.parts.clock.monotonic() >= deadline {
                    return Err(CommandError::Contended);
                }
                self.parts.clock.sleep(ASK_EVERY).await;
            }
            self.make_ready(sharing, keys).await?;
        }
        Ok(())
    }

    /// Requests one lease. True when it is held now, though it may not be ready.
    pub(super) async fn request_lease(
        &self,
        sharing: &SharingState,
        key: &Key,
        only_free: bool,
    ) -> Result<bool, CommandError> {
        let _stripe = sharing.stripe(key).await;
        if let Some(held) = sharing.held.get(key) {
            return Ok(!matches!(*held, Held::Leaving { .. }));
        }
        let last = match self.entities.find(key) {
            Some(entity) => entity.lock().await.log,
            None => LogNumber::OWN,
        };
        let (port, asked) = (Arc::clone(&sharing.port), key.clone());
        match blocking(move || port.ask(&asked, last, only_free)).await? {
            Lease::Held(epoch) => {
                sharing.held.insert(key.clone(), Held::New { epoch });
                Ok(true)
            }
            Lease::Elsewhere => Ok(false),
        }
    }

    /// Applies the other logs; the leases that were held before that are ready then.
    async fn make_ready(&self, sharing: &SharingState, keys: &[Key]) -> Result<(), CommandError> {
        let held: Vec<(&Key, Held)> =
            keys.iter().filter_map(|key| Some((key, *sharing.held.get(key)?))).collect();
        self.catch_up().await?;
        for (key, before) in held {
            let (Held::New { epoch }, Some(mut held)) = (before, sharing.held.get_mut(key)) else { continue };
            // A lease that was released and acquired again in between has another epoch, and is not ready.
            if *held == before {
                *held = Held::Ready { epoch };
            }
        }
        Ok(())
    }
}
