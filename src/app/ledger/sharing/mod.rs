//! One process among several over the same stock: leases before deciding, and what others wrote before anything is shown.
//!
//! A state is decided on only while its lease is **ready**: held, and everything read since that others made durable before.
//! Leases are asked for before any state's mutex is taken and looked at again under it; giving one up takes the state's
//! mutex too, so nothing is decided under a lease that is on its way out. What others wrote is taken in version by version:
//! a state's versions are unique across all logs, so whatever is not newer is known already.
//!
//! Idempotency records come along with the events. A key is looked up again once all states are in hand, because between the
//! first lookup and that moment the lease may have gone to another process and back, with the other attempt of the same change. So
//! a retry, which is about the same states, never takes effect twice. A key that is used again for another payload is refused where
//! its states are; at another process, about other states, it may be taken for a new one.
//!
//! A change in another log that does not follow from what all logs say is not believed: it is rolled back in memory, and this
//! process answers 503 from then on, because numbers that stand in no log are never shown.

mod following;
mod keeping;

use super::{CommandError, Ledger};
use crate::app::blocking;
use crate::app::ports::{HistoryError, Lease, LogNumber, PeerNews, Sharing};
use crate::domain::{Key, Timestamp};
use crate::planted::{Bug, planted};
use dashmap::DashMap;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// How often a lease is asked for again while somebody gives it up.
const ASK_EVERY: Duration = Duration::from_millis(3);

/// Mutexes around leases; keys that share one wait for each other while a lease is asked for or given back.
const STRIPES: u64 = 64;

/// What a ledger needs to share its stock.
pub(super) struct SharingState {
    port: Arc<dyn Sharing>,
    held: DashMap<Key, Held>,
    /// Held while a lease of one of its keys is asked for, or given back: by key.
    stripes: Vec<Mutex<()>>,
    /// Held while the logs of others are taken in, in order.
    following: Mutex<()>,
    /// What has been read of them and is not taken in yet. Its lock is held while they are read, so that nothing is lost
    /// between the two when whoever reads goes away.
    read: Arc<parking_lot::Mutex<VecDeque<Arc<PeerNews>>>>,
    /// How long a command waits for a lease.
    patience: Duration,
    /// The time of the last entry of any other log, in milliseconds.
    last_time: AtomicI64,
    /// How the logs contradict each other, once that was found: nothing is answered any more.
    contradiction: OnceLock<String>,
}

/// How it stands with a lease of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Held, and what others wrote before may not be known yet.
    New { epoch: u64 },
    /// Held, and everything is known.
    Ready { epoch: u64 },
    /// On its way out: nothing more is decided under it.
    Leaving { epoch: u64 },
}

impl SharingState {
    /// True when everything under these keys may be decided on; to be asked with their mutexes held.
    pub(super) fn ready(&self, keys: &[Key]) -> bool {
        let ready = |key: &Key| self.held.get(key).is_some_and(|held| matches!(*held, Held::Ready { .. }));
        keys.iter().all(|key| !key.has_lease() || ready(key))
    }

    /// The epoch of the lease that is held for a state.
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

    /// The latest time in any other log.
    pub(super) fn last_time(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.last_time.load(Ordering::Acquire))
    }

    fn note_time(&self, at: Timestamp) {
        self.last_time.fetch_max(at.milliseconds(), Ordering::AcqRel);
    }

    /// Logs that contradict each other do so for good, and are reported once.
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

    /// Gets the leases of all keys, and what others wrote under them.
    ///
    /// # Errors
    /// [`CommandError::Contended`] when another process does not give one up in time.
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

    /// True when the lease is held now; it may not be ready.
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

    /// Reads what others wrote; then what was held before that is ready.
    async fn make_ready(&self, sharing: &SharingState, keys: &[Key]) -> Result<(), CommandError> {
        let held: Vec<(&Key, Held)> =
            keys.iter().filter_map(|key| Some((key, *sharing.held.get(key)?))).collect();
        self.catch_up().await?;
        for (key, before) in held {
            let (Held::New { epoch }, Some(mut held)) = (before, sharing.held.get_mut(key)) else { continue };
            // Given up since, and asked for again, it is another one.
            if *held == before {
                *held = Held::Ready { epoch };
            }
        }
        Ok(())
    }
}
