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
use std::collections::{BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, mpsc};
use tokio::time::{Instant, sleep, timeout_at};

/// How often a lease is asked for again while somebody gives it up.
const ASK_EVERY: Duration = Duration::from_millis(3);
/// How often leases are looked after.
const KEEP_EVERY: Duration = Duration::from_millis(20);

/// Mutexes around leases; keys that share one wait for each other while a lease is asked for or given back.
const STRIPES: usize = 64;

/// What a ledger needs to share its stock.
pub(super) struct Shared {
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
}

/// How it stands with a lease of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Held, and what others wrote before may not be known yet.
    New { epoch: u64 },
    /// Held, and everything is known.
    Ready { epoch: u64 },
    /// On its way out: nothing more is decided under it.
    Leaving,
}

impl Shared {
    /// True when everything under these keys may be decided on; to be asked with their mutexes held.
    pub(super) fn ready(&self, keys: &[Key]) -> bool {
        keys.iter().all(|key| self.held.get(key).is_some_and(|held| matches!(*held, Held::Ready { .. })))
    }

    /// The epoch of a lease that is held.
    pub(super) fn epoch(&self, key: &Key) -> u64 {
        match self.held.get(key).as_deref() {
            Some(Held::New { epoch } | Held::Ready { epoch }) => *epoch,
            Some(Held::Leaving) | None => 0,
        }
    }

    async fn stripe(&self, key: &Key) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let place = (hasher.finish() % STRIPES as u64) as usize;
        self.stripes.get(place).expect("a remainder is below its divisor").lock().await
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
            stripes: (0..STRIPES).map(|_| Mutex::default()).collect(),
            following: Mutex::default(),
            read: Arc::default(),
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
        let _stripe = sharing.stripe(key).await;
        if let Some(held) = sharing.held.get(key) {
            return Ok(*held != Held::Leaving);
        }
        let last = match self.entities.find(key) {
            Some(slot) => slot.lock().await.log,
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
    async fn make_ready(&self, sharing: &Shared, keys: &[Key]) -> Result<(), CommandError> {
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

    /// Takes in what other processes have made durable until now. Nothing to do where there are none.
    ///
    /// # Errors
    /// When a log of another process cannot be read, or is damaged.
    pub async fn catch_up(&self) -> Result<(), HistoryError> {
        let Some(sharing) = &self.sharing else { return Ok(()) };
        let _one_at_a_time = sharing.following.lock().await;
        loop {
            let next = sharing.read.lock().front().cloned();
            if let Some(news) = next {
                if let Err(error) = self.take_in(sharing, &news).await {
                    // What this process holds beyond its end does not fit what others made of it.
                    self.still_holds()?;
                    return Err(error);
                }
                sharing.read.lock().pop_front();
            } else if sharing.port.has_news()? {
                let (port, read) = (Arc::clone(&sharing.port), Arc::clone(&sharing.read));
                blocking(move || {
                    let mut read = read.lock();
                    port.news().map(|news| read.extend(news.into_iter().map(Arc::new)))
                })
                .await?;
            } else {
                return Ok(());
            }
        }
    }

    /// Takes in something of another log. Done again, half or as a whole, it changes nothing more.
    async fn take_in(&self, sharing: &Shared, news: &PeerNews) -> Result<(), HistoryError> {
        match news {
            PeerNews::Entry(log, entry) => self.take_in_entry(sharing, *log, entry).await,
            PeerNews::Joined(log, restored) => {
                for (key, state) in &restored.states {
                    self.adopt(*log, key, state).await;
                }
                for effect in &restored.known {
                    self.idempotency.insert(*effect, *log);
                }
                Ok(())
            }
        }
    }

    /// A state as another log has it, unless a newer one is known.
    async fn adopt(&self, log: LogNumber, key: &Key, state: &State) {
        let slot = self.entities.slot(key);
        let mut slot = slot.lock().await;
        if state.version() > slot.state.version() {
            slot.state = state.clone();
            self.moved_elsewhere(log, key, &mut slot);
        }
    }

    async fn take_in_entry(
        &self,
        sharing: &Shared,
        log: LogNumber,
        entry: &Entry,
    ) -> Result<(), HistoryError> {
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
        {
            let _stripe = sharing.stripe(key).await;
            sharing.held.insert(key.clone(), Held::Leaving);
        }
        if let Some(slot) = self.entities.find(key) {
            let generation = self.generation().await;
            // Whoever decides on the state holds this mutex, and has looked at the lease under it.
            let head = slot.lock().await.head;
            if self.parts.log.durable().reached(generation, head).await.is_err() {
                self.go_back().await;
            }
        }
        let _stripe = sharing.stripe(key).await;
        let (port, released) = (Arc::clone(&sharing.port), key.clone());
        let done = blocking(move || port.release(&released)).await?;
        if done {
            sharing.held.remove(key);
        }
        Ok(done)
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

    /// All logs of the ledger, by the numbers of their directories, with all that was acknowledged until now; one without a
    /// number where this process has the stock for itself.
    pub(crate) async fn histories(&self) -> Result<Vec<(u16, Arc<dyn History>)>, HistoryError> {
        self.catch_up().await?;
        let Some(sharing) = &self.sharing else { return Ok(vec![(0, Arc::clone(&self.parts.history))]) };
        let mut histories = vec![(sharing.port.own(), Arc::clone(&self.parts.history))];
        for log in sharing.port.logs() {
            histories.push((log.0, self.history_of(log)?));
        }
        Ok(histories)
    }

    /// True where several processes share the stock.
    pub(crate) fn is_shared(&self) -> bool {
        self.sharing.is_some()
    }

    /// A log by the number of its directory.
    pub(super) fn numbered(&self, number: u16) -> LogNumber {
        match &self.sharing {
            Some(sharing) if sharing.port.own() != number => LogNumber(number),
            _ => LogNumber::OWN,
        }
    }

    /// That this process may still answer from what it knows; to be asked after it was looked up.
    ///
    /// # Errors
    /// [`HistoryError::TakenOver`] when another one has taken over.
    pub(super) fn still_holds(&self) -> Result<(), HistoryError> {
        let Some(sharing) = &self.sharing else { return Ok(()) };
        sharing.port.lasts().map_err(|_| HistoryError::TakenOver)
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
