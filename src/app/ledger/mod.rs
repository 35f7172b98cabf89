//! The write path: one command, once through, no way back.
//!
//! Keys are locked in order, retries recognised, the command decided, the entry appended, the states moved, the
//! mutexes given back, and only then is the disk waited for. Between the decision and the record of its idempotency
//! key nothing is awaited: a caller that goes away leaves either all of it or nothing.

mod answer;
mod back;
mod decision;
mod time;

use crate::app::due::Due;
use crate::app::entities::{Entities, Restored, Slot};
use crate::app::idempotency::{IdempotencyTable, Lookup, RetryId};
use crate::app::journal::Journal;
use crate::app::log_time::LogTime;
use crate::app::ports::{Appended, Clock, EventIds, EventLog, History, HistoryError, LogFailed, TakenBack};
use crate::domain::limits::EXPIRIES_PER_ENTRY_MAX;
use crate::domain::stock::KnownKey;
use crate::domain::{
    Command, Event, Finished, Idempotency, Key, Refusal, Rejection, Sequence, State, Timestamp, Unapplied,
};
use crate::planted::{Bug, planted};
use parking_lot::RwLock;
use smol_str::SmolStr;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::Mutex;

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
    /// Held for reading from before an entry is appended until its steps stand in the journal.
    noting: RwLock<()>,
    /// Held by the one who takes memory back.
    going_back: Mutex<()>,
}

/// Who wants it, and how a retry is known.
#[derive(Debug, Clone, Default)]
pub struct Meta {
    /// The principal, where there is one.
    pub actor: Option<SmolStr>,
    /// The request.
    pub request_id: Option<SmolStr>,
    /// By what a retry of the whole command is known.
    pub idempotency: Option<Idempotency>,
}

/// What a command came to, durable by the time it is seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The sequence of the first event; [`Sequence::START`] when nothing happened.
    pub sequence: Sequence,
    /// The time of the entry.
    pub at: Timestamp,
    /// What happened, expiries that came first included.
    pub events: Vec<Event>,
    /// Operations of a batch without an event.
    pub unapplied: Vec<Unapplied>,
    /// The events of those that were replayed, with the operation's index.
    pub replays: Vec<(u32, Event)>,
    /// True when this is the first answer again.
    pub replayed: bool,
}

/// Why a command has no outcome.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It was refused and changed nothing.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Too much is waiting, or too many keys are remembered. Nothing changed.
    #[error("more changes are waiting than the disk can take; try again shortly")]
    Overloaded,
    /// The log cannot be written. Nothing changed.
    #[error("the log cannot be written; what is durable can be read")]
    ReadOnly,
    /// The log is closed for good. Nothing changed.
    #[error("the log takes no changes")]
    Closed,
    /// The log failed while this was on its way: it may or may not have happened.
    #[error("the log failed while the change was on its way to the disk")]
    OutcomeUnknown,
    /// The answer to a retry could not be read back; the effect stands.
    #[error("the recorded answer cannot be read back")]
    History(#[from] HistoryError),
}

impl From<LogFailed> for CommandError {
    fn from(failed: LogFailed) -> Self {
        match failed {
            LogFailed::NotWritten => Self::ReadOnly,
            LogFailed::Unknown => Self::OutcomeUnknown,
        }
    }
}

/// What a refusal rests on was taken back: it is none any more, and nothing changed.
impl From<TakenBack> for CommandError {
    fn from(_: TakenBack) -> Self {
        Self::ReadOnly
    }
}

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
        let idempotency = IdempotencyTable::new(parts.idempotency_ttl_ms, restored.known);
        Self {
            parts,
            entities: Entities::restore(restored.states, head),
            idempotency,
            time,
            due,
            journal: Journal::default(),
            noting: RwLock::default(),
            going_back: Mutex::default(),
        }
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
        if let Some((id, known_by)) = whole {
            match self.idempotency.find(id, known_by, self.now()) {
                Lookup::Unknown => {}
                Lookup::Reused(sequence) => {
                    drop(stripes);
                    self.parts.log.durable().reached(generation, sequence).await?;
                    return Err(Refusal::from(Rejection::IdempotencyKeyReused).into());
                }
                Lookup::Known(sequence) => {
                    drop(stripes);
                    return self.replay(generation, sequence, known_by).await;
                }
            }
        }
        let known_head = self.note_known(&mut command, &parts);
        let keys = command.keys();
        let slots: Vec<_> = keys.iter().map(|key| self.entities.slot(key)).collect();
        let mut guards = Vec::with_capacity(slots.len());
        for slot in &slots {
            guards.push(slot.lock().await);
        }
        let decided = loop {
            let decided = self.decide_and_append(&command, meta, generation, &keys, &mut guards)?;
            if !decided.more_due {
                break decided;
            }
        };
        if let Command::Due(_) = command {
            // The look that was promised was this one; the next one is for what is still to come.
            for (key, slot) in keys.iter().zip(&mut guards) {
                slot.watched = None;
                self.watch(key, slot);
            }
        }
        let head = guards.iter().map(|slot| slot.head).fold(known_head, Sequence::max);
        let absent: Vec<usize> =
            (0..).zip(&guards).filter(|(_, g)| g.state.version() == 0).map(|(i, _)| i).collect();
        drop(guards);
        drop(stripes);
        for position in absent {
            if let Some((key, slot)) = keys.get(position).zip(slots.get(position)) {
                self.entities.forget(key, slot);
            }
        }
        self.settle(decided, generation, head).await
    }

    /// Log time ([`LogTime`]): never before the last entry.
    pub(crate) fn now(&self) -> Timestamp {
        self.time.now().max(self.parts.log.last_time())
    }

    /// Tells a batch what is known of its operations' keys, and answers how far the log must be durable for that to be
    /// true. A key that stands twice in one batch is a mistake.
    fn note_known(&self, command: &mut Command, parts: &[(usize, RetryId, Idempotency)]) -> Sequence {
        let now = self.now();
        let mut seen = HashSet::with_capacity(parts.len());
        let mut head = Sequence::START;
        for (op, id, known_by) in parts {
            let (known, sequence) = match self.idempotency.find(*id, known_by, now) {
                Lookup::Known(sequence) => (KnownKey::Applied(sequence), sequence),
                Lookup::Reused(sequence) => (KnownKey::Reused, sequence),
                Lookup::Unknown if seen.insert(*id) => continue,
                Lookup::Unknown => (KnownKey::Reused, Sequence::START),
            };
            command.note(*op, known);
            head = head.max(sequence);
        }
        head
    }

    /// Expires what is due and nobody has come to.
    ///
    /// # Errors
    /// As [`Ledger::execute`].
    pub async fn expire_due(&self) -> Result<(), CommandError> {
        loop {
            let now = self.now();
            let keys = self.due.take(now, EXPIRIES_PER_ENTRY_MAX);
            if keys.is_empty() {
                return Ok(());
            }
            if let Err(error) = self.execute(Command::Due(keys.clone()), &Meta::default()).await {
                for key in keys {
                    self.due.note(now, key);
                }
                return Err(error);
            }
        }
    }

    /// Moments at which states fall due.
    pub fn due(&self) -> &Due {
        &self.due
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
    pub async fn read<T>(&self, key: &Key, look: impl Fn(&State) -> T) -> Option<T> {
        loop {
            let generation = self.generation().await;
            let slot = self.entities.find(key)?;
            let (seen, head) = {
                let slot = slot.lock().await;
                if slot.state.version() == 0 {
                    return None;
                }
                (look(&slot.state), slot.head)
            };
            if planted(Bug::ApplyBeforeDurable)
                || self.parts.log.durable().reached(generation, head).await.is_ok()
            {
                return Some(seen);
            }
        }
    }
}

/// Runs what blocks on the disk away from the async threads.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
