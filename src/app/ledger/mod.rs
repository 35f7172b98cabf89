//! The write path: one command, once through, no way back.
//!
//! Keys are locked in order, retries recognised, the command decided, the entry appended, the states moved, the
//! mutexes given back, and only then is the disk waited for. Between the decision and the record of its idempotency
//! key nothing is awaited: a caller that goes away leaves either all of it or nothing.

mod answer;
mod back;
mod decision;
mod due;
pub(crate) mod due_list;
pub(crate) mod entities;
pub mod fold;
pub(crate) mod idempotency;
pub(crate) mod journal;
pub(crate) mod log_time;
mod low_stock;
mod operations;
mod outcome;
mod sharing;
mod strict;
mod time;

use crate::app::catalogue::lists::Lists;
use crate::app::ledger::due_list::Due;
use crate::app::ledger::entities::{Entities, Handle, Restored, Slot};
use crate::app::ledger::idempotency::{IdempotencyTable, Known, RetryId};
use crate::app::ledger::journal::Journal;
use crate::app::ledger::log_time::LogTime;
use crate::app::low_stock::thresholds::LowStock;
use crate::app::ports::{Appended, Clock, EventIds, EventLog, History, HistoryError};
use crate::domain::{Command, Finished, Idempotency, Key, Refusal, Sequence, State, Timestamp};
use crate::planted::{Bug, planted};
pub use outcome::{CommandError, Meta, Outcome};
use parking_lot::RwLock;
use sharing::Shared;
use std::sync::Arc;
use strict::KnownProducts;
use tokio::sync::{Mutex, MutexGuard};

/// What the ledger is made of.
pub struct Parts {
    /// Where entries go.
    pub log: Arc<dyn EventLog>,
    /// Where they are read back.
    pub history: Arc<dyn History>,
    /// What the machine's clocks say; the log's time is made of it.
    pub clock: Arc<dyn Clock>,
    /// Where ids of events come from.
    pub ids: Arc<dyn EventIds>,
    /// How long idempotency records are kept, in milliseconds of log time.
    pub idempotency_ttl_ms: i64,
}

/// The stock ledger of one node.
pub struct Ledger {
    pub(super) parts: Parts,
    pub(super) entities: Entities,
    idempotency: IdempotencyTable,
    time: LogTime,
    due: Due,
    journal: Journal,
    pub(super) lists: Arc<Lists>,
    pub(super) low_stock: LowStock,
    /// The products there are, where only their SKUs may have stock.
    known_products: Option<KnownProducts>,
    /// Held for reading from before an entry is appended until its steps stand in the journal.
    noting: RwLock<()>,
    /// Held by the one who takes memory back.
    going_back: Mutex<()>,
    /// Where several processes share the stock.
    sharing: Option<Shared>,
}

/// What is known of the idempotency key of a whole command, and that key.
type KnownWhole<'a> = (Known, &'a Idempotency);

/// What one decision came to, before the disk.
struct Decided {
    refusal: Option<Refusal>,
    finished: Finished,
    appended: Option<Appended>,
    /// Some holds that are due are not expired yet; decide again.
    more_due: bool,
}

impl Ledger {
    /// A ledger over what was restored; `head` is the durable end of the log it was restored from.
    pub fn new(parts: Parts, restored: Restored, head: Sequence) -> Self {
        let last = (head > Sequence::START).then(|| parts.log.last_time());
        let time = LogTime::start(Arc::clone(&parts.clock), last);
        let due = Due::default();
        for (key, state) in &restored.states {
            if let Some(at) = state.next_due() {
                due.note(at, key.clone());
            }
        }
        let lists = Arc::<Lists>::default();
        restored.states.keys().for_each(|key| lists.note(key));
        let idempotency = IdempotencyTable::new(parts.idempotency_ttl_ms, restored.known);
        let ledger = Self {
            parts,
            entities: Entities::default(),
            idempotency,
            time,
            due,
            journal: Journal::default(),
            lists,
            low_stock: LowStock::default(),
            known_products: None,
            noting: RwLock::default(),
            going_back: Mutex::default(),
            sharing: None,
        };
        ledger.restore_low_stock(&restored.states);
        Self { entities: Entities::restore(restored.states, head), ..ledger }
    }

    /// Does what the command asks, once, durably.
    ///
    /// Cancel safe: dropped at any await, the command has happened in full or not at all.
    ///
    /// # Errors
    /// [`CommandError`]; a refusal is answered only once everything it was decided on is durable.
    pub async fn execute(&self, mut command: Command, meta: &Meta) -> Result<Outcome, CommandError> {
        let generation = self.generation().await;
        let actor = meta.actor.as_ref();
        let whole = meta.idempotency.as_ref().map(|known_by| (RetryId::new(actor, known_by), known_by));
        let parts: Vec<(usize, RetryId, Idempotency)> = command
            .operation_idempotency()
            .map(|(op, known_by)| (op, RetryId::new(actor, known_by), known_by.clone()))
            .collect();
        let ids = whole.iter().map(|(id, _)| *id).chain(parts.iter().map(|(_, id, _)| *id));
        let stripes = self.idempotency.lock(ids).await;
        let thresholds = self.low_stock.changes();
        let keys = self.with_alerts(command.keys());
        self.look_for_products(&keys).await?;
        if let Some(known) = self.lease_and_find(&keys, whole).await? {
            drop(stripes);
            return self.answer_known(generation, known).await;
        }
        let entities: Vec<_> = keys.iter().map(|key| self.entities.entity(key)).collect();
        let mut guards = self.lock_all(&entities).await;
        while !self.may_decide(&keys, whole) {
            // Given up since: a lease is only looked for without any state in hand. A retry may have been faster elsewhere.
            drop(guards);
            if let Some(known) = self.lease_and_find(&keys, whole).await? {
                drop(stripes);
                return self.answer_known(generation, known).await;
            }
            guards = self.lock_all(&entities).await;
        }
        let known_head = self.note_known(&mut command, &parts);
        let decided = loop {
            let decided = self.decide_and_append(&command, meta, generation, &keys, &mut guards)?;
            if !decided.more_due {
                break decided;
            }
        };
        if let Command::Due(_) = command {
            // The look that was promised was this one; the next one is for what is still to come.
            for (key, slot) in keys.iter().zip(&mut guards) {
                slot.watched = Timestamp::NEVER;
                self.watch(key, slot);
            }
        }
        self.look_again(&keys, thresholds);
        let rests_on = known_head.max(self.unlisted_head(&keys));
        let head = guards.iter().map(|slot| slot.head).fold(rests_on, Sequence::max);
        let absent: Vec<usize> =
            (0..).zip(&guards).filter(|(_, g)| g.state.version() == 0).map(|(i, _)| i).collect();
        drop(guards);
        drop(stripes);
        for position in absent {
            if let Some(entity) = entities.get(position) {
                self.entities.forget(entity);
            }
        }
        self.settle(decided, generation, head).await
    }

    /// The leases of all keys, unless the whole command's idempotency key is known: then that is answered, whoever has them.
    async fn lease_and_find<'a>(
        &self,
        keys: &[Key],
        whole: Option<(RetryId, &'a Idempotency)>,
    ) -> Result<Option<KnownWhole<'a>>, CommandError> {
        let mut leased = Ok(());
        if let Some(sharing) = self.sharing.as_ref().filter(|sharing| !sharing.ready(keys)) {
            self.catch_up().await?;
            if self.find_whole(whole).is_none() && !sharing.ready(keys) {
                leased = self.lease(keys).await;
            }
        }
        if !matches!(leased, Ok(()) | Err(CommandError::Contended)) {
            return leased.map(|()| None);
        }
        match self.find_whole(whole) {
            None => leased.map(|()| None),
            known => Ok(known),
        }
    }

    fn find_whole<'a>(&self, whole: Option<(RetryId, &'a Idempotency)>) -> Option<KnownWhole<'a>> {
        let (id, known_by) = whole?;
        self.idempotency.find(id, known_by, self.now()).map(|known| (known, known_by))
    }

    /// True when the command may be decided on; to be asked with the mutexes of its states held. Among several processes
    /// that also takes that it was not done elsewhere since it was looked for.
    fn may_decide(&self, keys: &[Key], whole: Option<(RetryId, &Idempotency)>) -> bool {
        let Some(sharing) = &self.sharing else { return true };
        sharing.ready(keys) && self.find_whole(whole).is_none()
    }

    async fn lock_all<'a>(&self, entities: &'a [Handle]) -> Vec<MutexGuard<'a, Slot>> {
        let mut guards = Vec::with_capacity(entities.len());
        for entity in entities {
            guards.push(entity.lock().await);
        }
        guards
    }

    /// Log time ([`LogTime`]): never before the last entry, of others either.
    pub(crate) fn now(&self) -> Timestamp {
        self.time.now().max(self.now_of_logs())
    }

    /// The time of the last entry in any log of the ledger.
    fn now_of_logs(&self) -> Timestamp {
        let own = self.parts.log.last_time();
        self.sharing.as_ref().map_or(own, |sharing| own.max(sharing.last_time()))
    }

    /// The log below.
    pub fn log(&self) -> &dyn EventLog {
        &*self.parts.log
    }

    /// How many states there are: levels and imports.
    pub fn states(&self) -> usize {
        self.entities.len()
    }

    /// A state as it is now, durable; nothing when it has no version yet.
    ///
    /// # Errors
    /// When the log of another process cannot be read: what is known may not be all.
    pub async fn read<T>(&self, key: &Key, look: impl Fn(&State) -> T) -> Result<Option<T>, HistoryError> {
        self.catch_up().await?;
        loop {
            let generation = self.generation().await;
            let Some(entity) = self.entities.find(key) else { return self.still_holds().map(|()| None) };
            let (seen, head) = {
                let slot = entity.lock().await;
                if slot.state.version() == 0 {
                    return self.still_holds().map(|()| None);
                }
                (look(&slot.state), slot.head)
            };
            if planted(Bug::ApplyBeforeDurable)
                || self.parts.log.durable().reached(generation, head).await.is_ok()
            {
                self.still_holds()?;
                return Ok(Some(seen));
            }
        }
    }
}
