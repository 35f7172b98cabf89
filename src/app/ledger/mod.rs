//! The ledger: the write path of a command, reads of one state, and the state that both use.
//!
//! A command locks its idempotency keys, its leases and its states, in this order; it is decided, appended and
//! applied to memory without an await in between, so that a dropped caller leaves all of it or nothing; then the
//! locks are released, and the answer waits for the disk. `execute`, `decision` and `answer` are those three parts.
//!
//! - `entities`, `idempotency`, `journal`, `due_list`, `log_time`: the ledger's memory; `rollback` undoes it when
//!   the log fails
//! - `due`, `time`: the periodic work; `operations`: retries within a batch; `outcome`: the types of a caller
//! - `fold`: states from entries; `projection`: the interface of a capability to the ledger; `sharing`: several
//!   processes over one stock

mod answer;
mod decision;
mod due;
pub(crate) mod due_list;
pub(crate) mod entities;
mod execute;
pub mod fold;
pub(crate) mod idempotency;
pub(crate) mod journal;
pub(crate) mod log_time;
mod operations;
mod outcome;
pub(crate) mod projection;
mod rollback;
mod sharing;
mod time;

use crate::ledger::due_list::Due;
use crate::ledger::entities::{Entities, Slot};
use crate::ledger::idempotency::{IdempotencyTable, RetryMatch};
use crate::ledger::journal::Journal;
use crate::ledger::log_time::LogTime;
use crate::ports::{Appended, Clock, EventIds, EventLog, History, HistoryError, Restored};
use crate::projections::Projections;
use onhand_domain::{Finished, Idempotency, Key, Refusal, Sequence, State, Timestamp};
use onhand_planted::{Bug, planted};
pub use outcome::{CommandError, Meta, Outcome};
use parking_lot::RwLock;
use sharing::SharingState;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Pause between two checks whether commands are still noting their steps.
pub(crate) const NOTING: Duration = Duration::from_millis(1);

/// The adapters and settings of a ledger.
pub struct Parts {
    /// The log that entries are appended to.
    pub log: Arc<dyn EventLog>,
    /// The same log, for reading.
    pub history: Arc<dyn History>,
    /// The clocks of the machine; log time derives from them.
    pub clock: Arc<dyn Clock>,
    /// The source of event ids.
    pub ids: Arc<dyn EventIds>,
    /// Life of an idempotency record, in milliseconds of log time.
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
    pub(super) projections: Projections,
    /// Held for reading from before an entry is appended until the journal has its steps.
    pub(crate) noting: RwLock<()>,
    /// Held by the caller that rolls memory back.
    rolling_back: Mutex<()>,
    /// The sharing of the stock with other processes; none for a single process.
    sharing: Option<SharingState>,
}

/// The record of the idempotency key of a whole command, with that key.
type WholeRetry<'a> = (RetryMatch, &'a Idempotency);

/// The result of one decision, before its entry is durable.
#[derive(Default)]
struct Decided {
    refusal: Option<Refusal>,
    finished: Finished,
    appended: Option<Appended>,
    /// The entry was full of expiries and more are due: decide again.
    more_due: bool,
    /// Further states that the decision needs; it is void then.
    needs: Vec<Key>,
}

impl Ledger {
    /// A ledger over restored states; `head` is the durable end of the log they were restored from.
    pub fn new(parts: Parts, restored: Restored, head: Sequence) -> Self {
        let last = (head > Sequence::START).then(|| parts.log.last_time());
        let time = LogTime::start(Arc::clone(&parts.clock), last);
        let due = Due::default();
        for (key, state) in &restored.states {
            if let Some(at) = state.next_due() {
                due.note(at, key.clone());
            }
        }
        let idempotency = IdempotencyTable::new(parts.idempotency_ttl_ms, restored.known);
        let ledger = Self {
            parts,
            entities: Entities::default(),
            idempotency,
            time,
            due,
            journal: Journal::default(),
            projections: Projections::default(),
            noting: RwLock::default(),
            rolling_back: Mutex::default(),
            sharing: None,
        };
        for projection in ledger.projections.each() {
            projection.restored(&restored.states).into_iter().for_each(|key| ledger.re_evaluate(key));
        }
        Self { entities: Entities::restore(restored.states, head), ..ledger }
    }

    /// The durable end of the log, once every projection knows the changes up to it.
    ///
    /// Polls until no command is noting steps, instead of waiting for the lock: a waiting writer would block new commands.
    pub async fn noted_end(&self) -> Sequence {
        let end = self.parts.log.durable().sequence();
        // Every command that appended up to `end` has noted its steps once this lock was granted.
        while self.noting.try_write().is_none() {
            self.parts.clock.sleep(NOTING).await;
        }
        end
    }

    /// Log time ([`LogTime`]), never before the last entry in any log of the ledger.
    pub fn now(&self) -> Timestamp {
        self.time.now().max(self.now_of_logs())
    }

    /// The time of the wall clock, as it is: for what another node has dated. It may jump; whatever is decided here uses [`Self::now`].
    pub fn wall_clock(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// The time of the last entry in any log of the ledger.
    fn now_of_logs(&self) -> Timestamp {
        let own = self.parts.log.last_time();
        self.sharing.as_ref().map_or(own, |sharing| own.max(sharing.last_time()))
    }

    /// The log that entries are appended to.
    pub fn log(&self) -> &dyn EventLog {
        &*self.parts.log
    }

    /// Does some work while holding the lock of a key, as a deciding command does: for tests of interleavings.
    pub async fn holding<T>(&self, key: &Key, work: impl Future<Output = T>) -> T {
        let entity = self.entities.entity(key);
        let _held = entity.lock().await;
        work.await
    }

    /// The number of states with a version above 0, of all kinds.
    pub fn states(&self) -> usize {
        self.entities.len()
    }

    /// A state as it is now, once it is durable; none at version 0.
    ///
    /// # Errors
    /// When the log of another process cannot be read, so that the state may be out of date.
    pub async fn read<T>(&self, key: &Key, look: impl Fn(&State) -> T) -> Result<Option<T>, HistoryError> {
        self.catch_up().await?;
        loop {
            let generation = self.generation().await;
            let Some(entity) = self.entities.find(key) else {
                return self.ensure_not_taken_over().map(|()| None);
            };
            let (seen, head) = {
                let slot = entity.lock().await;
                if slot.state.version() == 0 {
                    return self.ensure_not_taken_over().map(|()| None);
                }
                (look(&slot.state), slot.head)
            };
            if planted(Bug::ApplyBeforeDurable)
                || self.parts.log.durable().reached(generation, head).await.is_ok()
            {
                self.ensure_not_taken_over()?;
                return Ok(Some(seen));
            }
        }
    }
}
