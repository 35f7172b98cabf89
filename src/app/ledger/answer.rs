//! The end of the write path: waiting for the disk, and the answer, the first time and again.

use super::{CommandError, Decided, Ledger, Outcome, blocking};
use crate::app::ports::{Appended, Generation, History, HistoryError, LogFailed, TakenBack};
use crate::domain::{Entry, Event, Finished, Idempotency, Sequence, Unapplied, UnappliedWhy};
use std::sync::Arc;

impl Ledger {
    /// Waits for the disk, and makes the outcome.
    pub(super) async fn settle(
        &self,
        decided: Decided,
        generation: Generation,
        head: Sequence,
    ) -> Result<Outcome, CommandError> {
        let Decided { refusal, finished, appended, .. } = decided;
        let (sequence, at) = if let Some(Appended { sequence, at, ticket }) = appended {
            if let Err(failed) = ticket.await.unwrap_or(Err(LogFailed::Unknown)) {
                self.go_back().await;
                return Err(failed.into());
            }
            (sequence, at)
        } else {
            self.parts.log.durable().reached(generation, head).await?;
            (Sequence::START, self.now())
        };
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        let Finished { events, unapplied, .. } = finished;
        let replays = self.replays(generation, &unapplied).await?;
        Ok(Outcome { sequence, at, events, unapplied, replays, replayed: false })
    }

    /// The first answer again, from the log. What was an operation of a batch then is answered as if it had come alone.
    pub(super) async fn replay(
        &self,
        generation: Generation,
        sequence: Sequence,
        known_by: &Idempotency,
    ) -> Result<Outcome, CommandError> {
        let durable = self.parts.log.durable().reached(generation, sequence).await;
        // The effect may still be on the disk: as unknown as to the one who asked first.
        durable.map_err(|TakenBack| CommandError::OutcomeUnknown)?;
        let history = Arc::clone(&self.parts.history);
        let entry = blocking(move || read_entry(&*history, sequence)).await?;
        if entry.idempotency.as_ref() != Some(known_by) {
            return Ok(operation_alone(&entry, known_by));
        }
        let replays = self.replays(generation, &entry.unapplied).await?;
        let Entry { sequence, at, events, unapplied, .. } = entry;
        Ok(Outcome { sequence, at, events, unapplied, replays, replayed: true })
    }

    /// The events that replayed operations had their effect in.
    async fn replays(
        &self,
        generation: Generation,
        unapplied: &[Unapplied],
    ) -> Result<Vec<(u32, Event)>, CommandError> {
        let wanted: Vec<(u32, Sequence)> = unapplied
            .iter()
            .filter_map(|unapplied| match unapplied.why {
                UnappliedWhy::Replayed(sequence) => Some((unapplied.op, sequence)),
                UnappliedWhy::Refused(_) => None,
            })
            .collect();
        let Some(last) = wanted.iter().map(|(_, sequence)| *sequence).max() else { return Ok(Vec::new()) };
        self.parts.log.durable().reached(generation, last).await?;
        let history = Arc::clone(&self.parts.history);
        Ok(blocking(move || read_events(&*history, &wanted)).await?)
    }
}

/// What the operation of that key did in its batch, as an outcome of its own.
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
        let found = current.numbered().find(|(at, _)| at == sequence).map(|(_, event)| event);
        // A command is known by the first event of its entry, which may be an expiry; its own is the last.
        let found = if found.is_some_and(|event| event.op.is_none()) { current.events.last() } else { found };
        events.extend(found.map(|event| (*op, event.clone())));
        entry = Some(current);
    }
    Ok(events)
}
