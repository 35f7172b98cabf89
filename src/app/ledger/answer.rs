//! The end of the write path: the wait for the disk, the outcome of a command, and the same outcome for a retry.

use super::{CommandError, Decided, Ledger, Meta, Outcome, WholeRetry};
use crate::blocking;
use crate::ledger::idempotency::{EffectPlace, RetryMatch};
use crate::ports::{Appended, Generation, History, HistoryError, LogFailed, LogNumber, RetryId, RolledBack};
use onhand_domain::{
    Command, Entry, Event, Finished, Idempotency, Key, Refusal, Rejection, Sequence, Unapplied, UnappliedWhy,
};
use std::collections::BTreeMap;

impl Ledger {
    /// Waits until the decision is durable, and returns its outcome.
    ///
    /// A command without an entry waits, too: its refusal may rest on entries that a failing disk rolls back.
    pub(super) async fn await_outcome(
        &self,
        decided: Decided,
        generation: Generation,
        head: Sequence,
        command: &Command,
    ) -> Result<Outcome, CommandError> {
        let Decided { refusal, finished, appended, .. } = decided;
        let (sequence, at) = if let Some(Appended { sequence, at, ticket }) = appended {
            if let Err(failed) = ticket.await.unwrap_or(Err(LogFailed::Unknown)) {
                self.roll_back().await;
                return Err(failed.into());
            }
            (sequence, at)
        } else {
            let durable = self.parts.log.durable();
            tokio::select! {
                biased;
                reached = durable.reached(generation, head) => reached?,
                // The entries that the decision rests on may wait for long. Nothing has happened, so the client can send the command again.
                () = durable.silence() => return Err(CommandError::Overloaded),
            }
            self.ensure_not_taken_over()?;
            (Sequence::START, self.now())
        };
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        let Finished { events, unapplied, .. } = finished;
        let replays = self.replays(generation, LogNumber::OWN, &unapplied, command).await?;
        Ok(Outcome { sequence, at, events, unapplied, replays, replayed: false })
    }

    /// True when the idempotency key of a request is known: it is a retry, and is answered whatever the states are by now.
    pub fn is_retry(&self, meta: &Meta) -> bool {
        let known_by = meta.idempotency.as_ref();
        known_by.is_some_and(|known_by| {
            let id = RetryId::new(meta.actor.as_ref(), known_by);
            self.idempotency.find(id, known_by, self.now()).is_some()
        })
    }

    /// The answer to a command whose idempotency key is known.
    pub(super) async fn answer_retry(
        &self,
        generation: Generation,
        (known, known_by): WholeRetry<'_>,
        command: &Command,
    ) -> Result<Outcome, CommandError> {
        match known {
            RetryMatch::Applied(place) => self.replay(generation, place, known_by, command).await,
            RetryMatch::Reused(place) => {
                self.durable(generation, place).await?;
                Err(Refusal::from(Rejection::IdempotencyKeyReused).into())
            }
        }
    }

    /// The first answer, read back from the log. An operation that stood in a batch is answered as a command of its own.
    async fn replay(
        &self,
        generation: Generation,
        place: EffectPlace,
        known_by: &Idempotency,
        command: &Command,
    ) -> Result<Outcome, CommandError> {
        // The effect may still be on the disk, so the outcome is as unknown to the retry as it is to the first request.
        self.durable(generation, place).await.map_err(|RolledBack| CommandError::OutcomeUnknown)?;
        let history = self.history_of(place.log)?;
        let entry = blocking(move || read_entry(&*history, place.sequence)).await?;
        if entry.idempotency.as_ref() != Some(known_by) {
            return Ok(operation_alone(&entry, known_by));
        }
        let replays = self.replays(generation, place.log, &entry.unapplied, command).await?;
        let Entry { sequence, at, events, unapplied, .. } = entry;
        Ok(Outcome { sequence, at, events, unapplied, replays, replayed: true })
    }

    /// Waits until an event is durable. Events of other processes are durable before this process knows them.
    pub(super) async fn durable(&self, generation: Generation, place: EffectPlace) -> Result<(), RolledBack> {
        match place.log {
            LogNumber::OWN => self.parts.log.durable().reached(generation, place.sequence).await,
            _ => Ok(()),
        }
    }

    /// The events that hold the effects of the replayed operations of an entry of `log`.
    async fn replays(
        &self,
        generation: Generation,
        log: LogNumber,
        unapplied: &[Unapplied],
        command: &Command,
    ) -> Result<Vec<(u32, Event)>, CommandError> {
        let mut wanted: BTreeMap<LogNumber, Vec<ReplayedOperation>> = BTreeMap::new();
        for Unapplied { op, why } in unapplied {
            let (log, sequence) = match why {
                UnappliedWhy::Refused(_) => continue,
                UnappliedWhy::Replayed(sequence) => (log, *sequence),
                UnappliedWhy::ReplayedIn(place) => (self.numbered(place.log), place.sequence),
            };
            self.durable(generation, EffectPlace { log, sequence }).await?;
            let own_key = command.key_of_operation(*op);
            wanted.entry(log).or_default().push(ReplayedOperation { op: *op, sequence, own_key });
        }
        let mut events = Vec::new();
        for (log, wanted) in wanted {
            let history = self.history_of(log)?;
            events.extend(blocking(move || read_events(&*history, &wanted)).await?);
        }
        events.sort_by_key(|(op, _)| *op);
        Ok(events)
    }
}

/// The effect of the operation with that key in its batch, as an outcome of its own.
fn operation_alone(entry: &Entry, known_by: &Idempotency) -> Outcome {
    let own: Vec<(Sequence, &Event)> =
        entry.numbered().filter(|(_, event)| event.idempotency.as_ref() == Some(known_by)).collect();
    Outcome {
        sequence: own.first().map_or(entry.sequence, |(sequence, _)| *sequence),
        at: entry.at,
        events: own.into_iter().map(|(_, event)| event.clone()).collect(),
        unapplied: Vec::new(),
        replays: Vec::new(),
        replayed: true,
    }
}

/// An operation of a batch whose idempotency key is known: the event of its effect, and the key of the state it decides on.
struct ReplayedOperation {
    op: u32,
    sequence: Sequence,
    own_key: Option<Key>,
}

fn read_entry(history: &dyn History, sequence: Sequence) -> Result<Entry, HistoryError> {
    history
        .entry(sequence)?
        .ok_or_else(|| HistoryError::Damaged(format!("event {sequence} is recorded but not in the log")))
}

/// Reads the event of each operation. Neighbours usually stand in the same entry, so the last entry is kept.
fn read_events(
    history: &dyn History,
    wanted: &[ReplayedOperation],
) -> Result<Vec<(u32, Event)>, HistoryError> {
    let mut events = Vec::with_capacity(wanted.len());
    let mut entry: Option<Entry> = None;
    for ReplayedOperation { op, sequence, own_key } in wanted {
        let current = match entry.take() {
            Some(current) if (current.sequence..=current.last()).contains(sequence) => current,
            _ => read_entry(history, *sequence)?,
        };
        let found = current.numbered().find(|(at, _)| at == sequence).map(|(_, event)| event);
        // A single command is recorded under the first event of its entry, which may be an expiry. Its own effect is the last event
        // of its own key; events of other keys, such as alerts, may follow.
        let alone = found.is_some_and(|event| event.op.is_none());
        let last = current.events.iter().rfind(|event| own_key.as_ref() == Some(&event.fact.key()));
        let found = if alone { last } else { found };
        events.extend(found.map(|event| (*op, event.clone())));
        entry = Some(current);
    }
    Ok(events)
}
