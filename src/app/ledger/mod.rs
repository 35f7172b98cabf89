//! The write path: one command, once through, no way back.
//!
//! Keys are locked in order, retries recognised, the command decided, the entry appended, the states moved, the
//! mutexes given back, and only then is the disk waited for. Between the decision and the record of its idempotency
//! key nothing is awaited: a caller that goes away leaves either all of it or nothing.

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

use crate::app::ledger::due_list::Due;
use crate::app::ledger::entities::{Entities, Restored, Slot};
use crate::app::ledger::idempotency::{IdempotencyTable, RetryMatch};
use crate::app::ledger::journal::Journal;
use crate::app::ledger::log_time::LogTime;
use crate::app::ports::{Appended, Clock, EventIds, EventLog, History, HistoryError};
use crate::app::projections::Projections;
use crate::domain::{Finished, Idempotency, Key, Refusal, Sequence, State, Timestamp};
use crate::planted::{Bug, planted};
pub use outcome::{CommandError, Meta, Outcome};
use parking_lot::RwLock;
use sharing::SharingState;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long is waited for those who are noting something.
const NOTING: Duration = Duration::from_millis(1);

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
    pub(super) projections: Projections,
    /// Held for reading from before an entry is appended until its steps stand in the journal.
    noting: RwLock<()>,
    /// Held by the one who takes memory back.
    rolling_back: Mutex<()>,
    /// Where several processes share the stock.
    sharing: Option<SharingState>,
}

/// What is known of the idempotency key of a whole command, and that key.
type WholeRetry<'a> = (RetryMatch, &'a Idempotency);

/// What one decision came to, before the disk.
#[derive(Default)]
struct Decided {
    refusal: Option<Refusal>,
    finished: Finished,
    appended: Option<Appended>,
    /// Some holds that are due are not expired yet; decide again.
    more_due: bool,
    /// It needs these states too; nothing was decided.
    needs: Vec<Key>,
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

    /// The durable end of the log, up to which every projection has been told what moved.
    ///
    /// Waits for those who are noting something, and keeps nobody from it.
    pub(crate) async fn noted_end(&self) -> Sequence {
        let end = self.parts.log.durable().sequence();
        // Whoever appended something up to there has noted it once this is had.
        while self.noting.try_write().is_none() {
            self.parts.clock.sleep(NOTING).await;
        }
        end
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
