//! One process among several over the same stock: leases before deciding, and what others wrote before anything is shown.
//!
//! A state is decided on only while its lease is **ready**: held, and everything read since that others made durable before.
//! Leases are asked for before any state's mutex is taken and looked at again under it; giving one up takes the state's
//! mutex too, so nothing is decided under a lease that is on its way out. What others wrote is taken in version by version:
//! a state's versions are unique across all logs, so whatever is not newer is known already.

use super::{CommandError, Ledger, blocking};
use crate::app::idempotency::known_effects;
use crate::app::ports::{History, HistoryError, Lease, LogNumber, PeerNews, Sharing};
use crate::domain::{Entry, Key, Sequence, State, Timestamp};
use dashmap::DashMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, sleep, timeout_at};

/// How often a lease is asked for again while somebody gives it up.
const ASK_EVERY: Duration = Duration::from_millis(3);
/// How often leases are looked after.
const KEEP_EVERY: Duration = Duration::from_millis(20);

/// What a ledger needs to share its stock.
pub(super) struct Shared {
    port: Arc<dyn Sharing>,
    held: DashMap<Key, Held>,
    /// Held while the logs of others are read: each entry is taken in once, in order.
    following: Mutex<()>,
    /// How long a command waits for a lease.
    patience: Duration,
    /// The time of the last entry of any other log, in milliseconds.
    last_time: AtomicI64,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    epoch: u64,
    ready: bool,
}

impl Shared {
    /// True when everything under these keys may be decided on; to be asked with their mutexes held.
    pub(super) fn ready(&self, keys: &[Key]) -> bool {
        keys.iter().all(|key| self.held.get(key).is_some_and(|held| held.ready))
    }

    /// The epoch of a lease that is held.
    pub(super) fn epoch(&self, key: &Key) -> u64 {
        self.held.get(key).map_or(0, |held| held.epoch)
    }

    /// The latest time in any other log.
    pub(super) fn last_time(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.last_time.load(Ordering::Acquire))
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
        self.sharing = Some(Shared {
            port,
            held: DashMap::new(),
            following: Mutex::default(),
            patience,
            last_time: AtomicI64::new(i64::MIN),
        });
        self
    }

    /// Gets the leases of all keys, and what others wrote under them.
    ///
    /// # Errors
    /// [`CommandError::Contended`] when another process does not give one up in time.
    pub(super) async fn lease(&self, keys: &[Key]) -> Result<(), CommandError> {
        let Some(sharing) = &self.sharing else { return Ok(()) };
        let deadline = Instant::now() + sharing.patience;
        while !sharing.ready(keys) {
            let mut missing: Vec<&Key> = keys.iter().collect();
            loop {
                let mut elsewhere = Vec::new();
                for key in missing {
                    if !self.ask(sharing, key, false).await? {
                        elsewhere.push(key);
                    }
                }
                if elsewhere.is_empty() {
                    break;
                }
                missing = elsewhere;
                if timeout_at(deadline, sleep(ASK_EVERY)).await.is_err() {
                    return Err(CommandError::Contended);
                }
            }
            self.make_ready(sharing, keys).await?;
        }
        Ok(())
    }

    /// True when the lease is held now; it may not be ready.
    async fn ask(&self, sharing: &Shared, key: &Key, only_free: bool) -> Result<bool, CommandError> {
        if sharing.held.contains_key(key) {
            return Ok(true);
        }
        let last = match self.entities.find(key) {
            Some(slot) => slot.lock().await.log,
            None => LogNumber::OWN,
        };
        let (port, asked) = (Arc::clone(&sharing.port), key.clone());
        match blocking(move || port.ask(&asked, last, only_free)).await? {
            Lease::Held(epoch) => {
                sharing.held.entry(key.clone()).or_insert(Held { epoch, ready: false });
                Ok(true)
            }
            Lease::Elsewhere => Ok(false),
        }
    }

    /// Reads what others wrote; then what was held before that is ready.
    async fn make_ready(&self, sharing: &Shared, keys: &[Key]) -> Result<(), CommandError> {
        let held: Vec<(&Key, u64)> =
            keys.iter().filter_map(|key| Some((key, sharing.held.get(key)?.epoch))).collect();
        self.catch_up().await?;
        for (key, epoch) in held {
            if let Some(mut held) = sharing.held.get_mut(key).filter(|held| held.epoch == epoch) {
                held.ready = true;
            }
        }
        Ok(())
    }

    /// Takes in what other processes have made durable until now. Nothing to do where there are none.
    ///
    /// # Errors
    /// When a log of another process cannot be read, or is damaged.
    pub async fn catch_up(&self) -> Result<(), HistoryError> {
        let Some(sharing) = &self.sharing else { return Ok(()) };
        let _one_at_a_time = sharing.following.lock().await;
        while sharing.port.has_news()? {
            let port = Arc::clone(&sharing.port);
            for news in blocking(move || port.news()).await? {
                match news {
                    PeerNews::Entry(log, entry) => self.take_in(sharing, log, &entry).await?,
                    PeerNews::Joined(log, restored) => {
                        for (key, state) in restored.states {
                            self.adopt(log, &key, state).await;
                        }
                        for effect in restored.known {
                            self.idempotency.insert(effect, log);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// A state as another log has it, unless a newer one is known.
    async fn adopt(&self, log: LogNumber, key: &Key, state: State) {
        let slot = self.entities.slot(key);
        let mut slot = slot.lock().await;
        if state.version() > slot.state.version() {
            slot.state = state;
            self.moved_elsewhere(log, key, &mut slot);
        }
    }

    async fn take_in(&self, sharing: &Shared, log: LogNumber, entry: &Entry) -> Result<(), HistoryError> {
        for event in &entry.events {
            let key = event.fact.key();
            let slot = self.entities.slot(&key);
            let mut slot = slot.lock().await;
            if event.after.version() <= slot.state.version() {
                continue;
            }
            let follows =
                slot.state.apply(&event.fact, entry.at).is_ok() && slot.state.after() == event.after;
            if !follows {
                let reason = format!("an event of {key} in the log of another process does not follow");
                return Err(HistoryError::Damaged(reason));
            }
            self.moved_elsewhere(log, &key, &mut slot);
        }
        for effect in known_effects(entry) {
            self.idempotency.insert(effect, log);
        }
        sharing.last_time.fetch_max(entry.at.milliseconds(), Ordering::AcqRel);
        Ok(())
    }

    /// A state moved by another log: all of it is durable, and in nobody's way back.
    fn moved_elsewhere(&self, log: LogNumber, key: &Key, slot: &mut super::Slot) {
        slot.head = Sequence::START;
        slot.log = log;
        self.entities.list(key.clone());
        slot.watched = None;
        self.watch(key, slot);
    }

    /// Renews the leases, gives up those that others ask for, and follows their logs, until this process is taken over from.
    ///
    /// # Errors
    /// What ended it: nothing that rests on the leases may be answered any more.
    pub async fn keep_leases(&self) -> std::io::Error {
        let Some(sharing) = &self.sharing else { return std::future::pending().await };
        // Leases are renewed also while the disk keeps those waiting that are to be given up.
        let (wanted, asked) = mpsc::unbounded_channel();
        tokio::select! {
            error = renew(sharing, &wanted) => error,
            error = self.give_up_wanted(sharing, asked) => error,
        }
    }

    async fn give_up_wanted(
        &self,
        sharing: &Shared,
        mut asked: mpsc::UnboundedReceiver<Key>,
    ) -> std::io::Error {
        let mut wanted: BTreeSet<Key> = BTreeSet::new();
        loop {
            while let Ok(key) = asked.try_recv() {
                wanted.insert(key);
            }
            let mut later = BTreeSet::new();
            for key in wanted {
                match self.give_up(sharing, &key).await {
                    Ok(true) => {}
                    Ok(false) => {
                        later.insert(key);
                    }
                    Err(error) => return error,
                }
            }
            wanted = later;
            // What cannot be read now is read, or reported, when somebody needs it.
            let _ = self.catch_up().await;
            sleep(KEEP_EVERY).await;
        }
    }

    /// Gives a lease up, once all that was decided under it is durable; false when it has to be tried again.
    async fn give_up(&self, sharing: &Shared, key: &Key) -> std::io::Result<bool> {
        if let Some(slot) = self.entities.find(key) {
            let generation = self.generation().await;
            let head = {
                let slot = slot.lock().await;
                sharing.held.remove(key);
                slot.head
            };
            if self.parts.log.durable().reached(generation, head).await.is_err() {
                self.go_back().await;
            }
        } else {
            sharing.held.remove(key);
        }
        let (port, key) = (Arc::clone(&sharing.port), key.clone());
        blocking(move || port.release(&key)).await
    }

    /// Of the keys that are due, those that nobody else sees to.
    pub(super) async fn due_here(&self, keys: Vec<Key>) -> Result<Vec<Key>, CommandError> {
        let Some(sharing) = &self.sharing else { return Ok(keys) };
        self.catch_up().await?;
        let now = self.now();
        let mut here = Vec::new();
        for key in keys {
            let Some(slot) = self.entities.find(&key) else { continue };
            let due = slot.lock().await.state.next_due();
            if due.is_none_or(|due| due > now) {
                continue;
            }
            if self.ask(sharing, &key, true).await? {
                here.push(key);
            } else {
                // Its holder sees to it, unless he goes away.
                self.due.note(now.plus_milliseconds(LOOK_AGAIN_MS), key);
            }
        }
        Ok(here)
    }

    /// Reads a log of the ledger back.
    pub(super) fn history_of(&self, log: LogNumber) -> Result<Arc<dyn History>, HistoryError> {
        if log == LogNumber::OWN {
            return Ok(Arc::clone(&self.parts.history));
        }
        let history = self.sharing.as_ref().and_then(|sharing| sharing.port.history(log));
        history.ok_or_else(|| HistoryError::Damaged(format!("there is no log of the number {}", log.0)))
    }

    /// A log by the number of its directory.
    pub(super) fn numbered(&self, number: u16) -> LogNumber {
        match &self.sharing {
            Some(sharing) if sharing.port.own() != number => LogNumber(number),
            _ => LogNumber::OWN,
        }
    }

    /// That this process may still answer from what it holds.
    pub(super) async fn still_holds(&self) -> Result<(), CommandError> {
        let Some(sharing) = &self.sharing else { return Ok(()) };
        let port = Arc::clone(&sharing.port);
        blocking(move || port.lasts()).await.map_err(|_| CommandError::Contended)
    }
}

/// Renews all leases, again and again, and passes on which ones others ask for.
async fn renew(sharing: &Shared, wanted: &mpsc::UnboundedSender<Key>) -> std::io::Error {
    loop {
        let port = Arc::clone(&sharing.port);
        match blocking(move || port.keep()).await {
            Ok(asked) => {
                for key in asked {
                    // The other half goes as soon as this one does.
                    let _ = wanted.send(key);
                }
            }
            Err(error) => return error,
        }
        sleep(KEEP_EVERY).await;
    }
}

/// How soon somebody looks again whether the holder of a lease has seen to what falls due, in milliseconds of log time.
const LOOK_AGAIN_MS: i64 = 250;
