//! The write path: one command, once through, no way back.
//!
//! Keys are locked in order, retries recognised, the command decided, the entry appended, the states moved, the
//! mutexes given back, and only then is the disk waited for. Between the decision and the record of its idempotency
//! key nothing is awaited: a caller that goes away leaves either all of it or nothing.

use crate::app::due::Due;
use crate::app::entities::{Entities, Restored, Slot};
use crate::app::idempotency::{IdempotencyTable, KnownEffect, Lookup, RetryId};
use crate::app::ports::{
    AppendError, Appended, Clock, EventIds, EventLog, History, HistoryError, LogFailed, NewEntry,
};
use crate::domain::limits::EXPIRIES_PER_ENTRY_MAX;
use crate::domain::stock::KnownKey;
use crate::domain::{
    Command, Draft, Entry, Event, Finished, Idempotency, Key, Refusal, Rejection, Sequence, State, Timestamp,
    Unapplied, UnappliedWhy, decide,
};
use smol_str::SmolStr;
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::MutexGuard;

/// What the ledger is made of.
pub struct Parts {
    /// Where entries go.
    pub log: Arc<dyn EventLog>,
    /// Where they are read back.
    pub history: Arc<dyn History>,
    /// What time it is.
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
    due: Due,
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
    /// The log takes no changes. Nothing changed.
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
    fn from(_: LogFailed) -> Self {
        Self::OutcomeUnknown
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
        let due = Due::default();
        for (key, state) in &restored.states {
            if let Some(at) = state.next_due() {
                due.note(at, key.clone());
            }
        }
        let idempotency = IdempotencyTable::new(parts.idempotency_ttl_ms, restored.known);
        Self { parts, entities: Entities::restore(restored.states, head), idempotency, due }
    }

    /// Does what the command asks, once, durably.
    ///
    /// Cancel safe: dropped at any await, the command has happened in full or not at all.
    ///
    /// # Errors
    /// [`CommandError`]; a refusal is answered only once everything it was decided on is durable.
    pub async fn execute(&self, mut command: Command, meta: &Meta) -> Result<Outcome, CommandError> {
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
                Lookup::Reused => return Err(Refusal::from(Rejection::IdempotencyKeyReused).into()),
                Lookup::Known(sequence) => {
                    drop(stripes);
                    return self.replay(sequence).await;
                }
            }
        }
        self.note_known(&mut command, &parts);
        let keys = command.keys();
        let slots: Vec<_> = keys.iter().map(|key| self.entities.slot(key)).collect();
        let mut guards = Vec::with_capacity(slots.len());
        for slot in &slots {
            guards.push(slot.lock().await);
        }
        let decided = loop {
            let decided = self.decide_and_append(&command, meta, &keys, &mut guards)?;
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
        let head = guards.iter().map(|slot| slot.head).max().unwrap_or_default();
        let absent: Vec<usize> =
            (0..).zip(&guards).filter(|(_, g)| g.state.version() == 0).map(|(i, _)| i).collect();
        drop(guards);
        drop(stripes);
        for position in absent {
            if let Some((key, slot)) = keys.get(position).zip(slots.get(position)) {
                self.entities.forget(key, slot);
            }
        }
        self.settle(decided, head).await
    }

    /// Log time: never before the last entry.
    fn now(&self) -> Timestamp {
        self.parts.clock.now().max(self.parts.log.last_time())
    }

    /// Tells a batch what is known of its operations' keys. A key that stands twice in one batch is a mistake.
    fn note_known(&self, command: &mut Command, parts: &[(usize, RetryId, Idempotency)]) {
        let now = self.now();
        let mut seen = HashSet::with_capacity(parts.len());
        for (op, id, known_by) in parts {
            let lookup = self.idempotency.find(*id, known_by, now);
            match lookup {
                Lookup::Known(sequence) => command.note(*op, KnownKey::Applied(sequence)),
                Lookup::Reused => command.note(*op, KnownKey::Reused),
                Lookup::Unknown if seen.insert(*id) => {}
                Lookup::Unknown => command.note(*op, KnownKey::Reused),
            }
        }
    }

    /// Steps 4 to 6 of the write path. Not async on purpose.
    fn decide_and_append(
        &self,
        command: &Command,
        meta: &Meta,
        keys: &[Key],
        slots: &mut [MutexGuard<'_, Slot>],
    ) -> Result<Decided, CommandError> {
        loop {
            let now = self.now();
            let mut new_id = || self.parts.ids.event_id();
            let states = slots.iter_mut().map(|slot| &mut slot.state).collect();
            let mut draft = Draft::new(now, keys, states, &mut new_id);
            let more_due = !draft.expire_due(EXPIRIES_PER_ENTRY_MAX);
            let expired = draft.mark();
            let refusal = if more_due { None } else { decide(&mut draft, command).err() };
            let effective = !more_due && refusal.is_none() && draft.mark() != expired;
            if draft.is_empty() {
                return Ok(Decided { refusal, finished: draft.finish(), appended: None, more_due });
            }
            let new_entry = NewEntry {
                decided_at: now,
                valid_before: draft.next_due(),
                actor: meta.actor.as_ref(),
                request_id: meta.request_id.as_ref(),
                idempotency: meta.idempotency.as_ref().filter(|_| effective),
                events: draft.events(),
                unapplied: if effective { draft.unapplied() } else { &[] },
            };
            let appended = if self.idempotency.is_full() && meta.idempotency.is_some() {
                Err(AppendError::Full)
            } else {
                self.parts.log.append(&new_entry)
            };
            match appended {
                Ok(appended) => {
                    let finished = draft.finish();
                    self.note(meta, effective, &finished, &appended, keys, slots);
                    return Ok(Decided { refusal, finished, appended: Some(appended), more_due });
                }
                Err(error) => {
                    draft.abandon();
                    match error {
                        AppendError::Stale => {}
                        AppendError::Full => return Err(CommandError::Overloaded),
                        AppendError::Closed => return Err(CommandError::Closed),
                    }
                }
            }
        }
    }

    /// The entry has its place in the log: memory follows.
    fn note(
        &self,
        meta: &Meta,
        effective: bool,
        finished: &Finished,
        appended: &Appended,
        keys: &[Key],
        slots: &mut [MutexGuard<'_, Slot>],
    ) {
        let last = appended.sequence.plus(finished.events.len() as u64).minus(1);
        for position in &finished.touched {
            let Some((key, slot)) = keys.get(*position).zip(slots.get_mut(*position)) else { continue };
            let fresh = slot.head == Sequence::START;
            slot.head = last;
            slot.state.set_updated_at(appended.at);
            if fresh {
                self.entities.list(key.clone());
            }
            self.watch(key, slot);
        }
        let actor = meta.actor.as_ref();
        let whole =
            meta.idempotency.iter().filter(|_| effective).map(|known_by| (appended.sequence, known_by));
        let numbered = (appended.sequence.0..).map(Sequence).zip(&finished.events);
        let parts = numbered.filter_map(|(sequence, event)| Some((sequence, event.idempotency.as_ref()?)));
        let mut inserted = 0;
        for (sequence, known_by) in whole.chain(parts) {
            if let Some(effect) = KnownEffect::new(actor, known_by, sequence, appended.at) {
                self.idempotency.insert(effect);
                inserted += 1;
            }
        }
        if inserted > 0 {
            self.idempotency.sweep(appended.at, 2 * inserted);
        }
    }

    /// Sees to it that somebody looks at the state when it next falls due.
    fn watch(&self, key: &Key, slot: &mut Slot) {
        let Some(at) = slot.state.next_due() else { return };
        if slot.watched.is_none_or(|watched| at < watched) {
            slot.watched = Some(at);
            self.due.note(at, key.clone());
        }
    }

    /// Waits for the disk, and makes the outcome.
    async fn settle(&self, decided: Decided, head: Sequence) -> Result<Outcome, CommandError> {
        let Decided { refusal, finished, appended, .. } = decided;
        let (sequence, at) = match appended {
            Some(Appended { sequence, at, ticket }) => {
                ticket.await.unwrap_or(Err(LogFailed))?;
                (sequence, at)
            }
            None => {
                self.parts.log.durable().reached(head).await?;
                (Sequence::START, self.now())
            }
        };
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        let Finished { events, unapplied, .. } = finished;
        let replays = self.replays(&unapplied).await?;
        Ok(Outcome { sequence, at, events, unapplied, replays, replayed: false })
    }

    /// The first answer again, from the log.
    async fn replay(&self, sequence: Sequence) -> Result<Outcome, CommandError> {
        self.parts.log.durable().reached(sequence).await?;
        let history = Arc::clone(&self.parts.history);
        let entry = blocking(move || read_entry(&*history, sequence)).await?;
        let replays = self.replays(&entry.unapplied).await?;
        let Entry { sequence, at, events, unapplied, .. } = entry;
        Ok(Outcome { sequence, at, events, unapplied, replays, replayed: true })
    }

    /// The events that replayed operations had their effect in.
    async fn replays(&self, unapplied: &[Unapplied]) -> Result<Vec<(u32, Event)>, CommandError> {
        let wanted: Vec<(u32, Sequence)> = unapplied
            .iter()
            .filter_map(|unapplied| match unapplied.why {
                UnappliedWhy::Replayed(sequence) => Some((unapplied.op, sequence)),
                UnappliedWhy::Refused(_) => None,
            })
            .collect();
        let Some(last) = wanted.iter().map(|(_, sequence)| *sequence).max() else { return Ok(Vec::new()) };
        self.parts.log.durable().reached(last).await?;
        let history = Arc::clone(&self.parts.history);
        Ok(blocking(move || read_events(&*history, &wanted)).await?)
    }

    /// Expires what is due and nobody has come to.
    ///
    /// # Errors
    /// As [`Ledger::execute`].
    pub async fn expire_due(&self) -> Result<(), CommandError> {
        loop {
            let keys = self.due.take(self.now(), EXPIRIES_PER_ENTRY_MAX);
            if keys.is_empty() {
                return Ok(());
            }
            self.execute(Command::Due(keys), &Meta::default()).await?;
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
    ///
    /// # Errors
    /// [`LogFailed`] when the state was moved by something that will never be durable.
    pub async fn read<T>(&self, key: &Key, look: impl FnOnce(&State) -> T) -> Result<Option<T>, LogFailed> {
        let Some(slot) = self.entities.find(key) else { return Ok(None) };
        let (seen, head) = {
            let slot = slot.lock().await;
            if slot.state.version() == 0 {
                return Ok(None);
            }
            (look(&slot.state), slot.head)
        };
        self.parts.log.durable().reached(head).await?;
        Ok(Some(seen))
    }
}

fn read_entry(history: &dyn History, sequence: Sequence) -> Result<Entry, HistoryError> {
    history
        .entry(sequence)?
        .ok_or_else(|| HistoryError::Damaged(format!("event {sequence} is recorded but not in the log")))
}

/// Neighbours stand in the same entry as a rule, so the last one read is kept.
fn read_events(history: &dyn History, wanted: &[(u32, Sequence)]) -> Result<Vec<(u32, Event)>, HistoryError> {
    let mut events = Vec::with_capacity(wanted.len());
    let mut entry: Option<Entry> = None;
    for (op, sequence) in wanted {
        let current = match entry.take() {
            Some(current) if (current.sequence..=current.last()).contains(sequence) => current,
            _ => read_entry(history, *sequence)?,
        };
        let found = current.numbered().find(|(at, _)| at == sequence);
        events.extend(found.map(|(_, event)| (*op, event.clone())));
        entry = Some(current);
    }
    Ok(events)
}

/// Runs what blocks on the disk away from the async threads.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
