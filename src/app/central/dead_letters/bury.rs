//! Dead letters written: always before the checkpoint moves past the event, because a crash in between would lose it.

use crate::blocking;
use crate::central::following::follower::Follower;
use crate::central::model::apply::{decode, place_of};
use crate::central::model::letters::as_json;
use crate::central::model::waits::{Closing, LevelPlace};
use crate::central::{DeadLetter, LetterState, Poison, Worker};
use crate::ports::Delivered;
use onhand_domain::Sequence;
use onhand_planted::{Bug, planted};
use std::io;
use std::sync::Arc;
use uuid::Uuid;

impl Follower {
    /// Writes the dead letter, and only then moves on. False when it could not be written.
    pub(crate) async fn bury(
        &mut self,
        worker: &Worker,
        node: Uuid,
        event: &Delivered,
        poison: &Poison,
        tries: u32,
    ) -> bool {
        let place = place_of(event, &decode(event));
        let known = worker.letter(&DeadLetter::id_of(node, event.sequence)).map(|letter| letter.state);
        // A redriven letter that cannot be applied: the model was restored from a save before the redrive.
        if matches!(known, None | Some(LetterState::Redriven)) {
            let letter = self.letter(worker, node, event, place.as_ref(), poison.to_string(), tries);
            if planted(Bug::CheckpointBeforeDeadLetter) {
                worker.model.write().advance(node, event.sequence);
                let _ = worker.save().await;
            }
            if let Err(error) = write_letter(worker, letter).await {
                self.fail(&unwritten(&error));
                return false;
            }
        }
        self.sequence = event.sequence;
        let mut central = worker.model.write();
        if let Some(place) = place {
            let discarded = known == Some(LetterState::Discarded);
            central.waits_mut(node).bury(place, event.sequence, discarded);
        }
        central.advance(node, event.sequence);
        self.count_parked(&central);
        drop(central);
        worker.model.moved();
        true
    }

    fn letter(
        &self,
        worker: &Worker,
        node: Uuid,
        event: &Delivered,
        place: Option<&LevelPlace>,
        reason: String,
        tries: u32,
    ) -> DeadLetter {
        let id = DeadLetter::id_of(node, event.sequence);
        let now = worker.parts.clock.now();
        let first_at = worker.letter(&id).map_or(now, |letter| letter.first_at);
        DeadLetter {
            id,
            node,
            source: self.source.name().to_owned(),
            sequence: event.sequence,
            store_id: place.map(|(store, _)| store.clone()),
            sku: place.map(|(_, sku)| sku.clone()),
            reason,
            tries,
            first_at,
            last_at: now,
            state: LetterState::Open,
            note: None,
            at: event.at,
            event: as_json(&event.json),
        }
    }

    /// Reconciles model and dead letters after a crash between their writes, or the loss of one of them.
    pub(crate) async fn heal(&self, worker: &Worker, node: Uuid) -> Result<(), String> {
        let waits = worker.model.look(|central| central.waits(node).cloned()).unwrap_or_default();
        for closing in waits.closing.values() {
            close(worker, node, closing).await.map_err(|error| unwritten(&error))?;
        }
        let reached = worker.model.look(|central| central.as_of().get(&node).copied()).unwrap_or_default();
        for letter in worker.letters() {
            let place = letter.store_id.clone().zip(letter.sku.clone());
            let waits = place.is_none_or(|place| waits.parked.contains_key(&place));
            let passed = letter.node == node && letter.sequence <= reached && !waits;
            if passed && letter.state == LetterState::Open {
                // The saved model contains the event: it was applied together with a letter before it.
                let (sequence, at) = (letter.sequence, worker.parts.clock.now());
                let closing = Closing { sequence, state: LetterState::Redriven, note: None, at };
                close(worker, node, &closing).await.map_err(|error| unwritten(&error))?;
            }
        }
        for (place, parked) in &waits.parked {
            let known = worker.letter(&DeadLetter::id_of(node, parked.from));
            if known.is_none_or(|letter| letter.state != LetterState::Open) {
                self.write_again(worker, node, place, parked.from).await?;
            }
        }
        Ok(())
    }

    /// Closes the letters of levels that their log took over again: the `TAKE` carries the events that waited.
    pub(crate) async fn close_letters(&mut self, worker: &Worker, node: Uuid) {
        let closing = worker.model.look(|central| central.waits(node).map(|waits| waits.closing.clone()));
        for closing in closing.unwrap_or_default().values() {
            if let Err(error) = close(worker, node, closing).await {
                // The model keeps the note, so the next delivery or the next start tries again.
                self.fail(&unwritten(&error));
                return;
            }
        }
    }

    /// Writes the letter of a parked level anew: the letter is lost, or was closed in a later model than this one.
    async fn write_again(
        &self,
        worker: &Worker,
        node: Uuid,
        place: &LevelPlace,
        from: Sequence,
    ) -> Result<(), String> {
        let read = self.source.read(from.minus(1), 1).await.map_err(|error| error.to_string())?;
        let event = read.events.first().filter(|event| event.sequence == from);
        let event = event.ok_or_else(|| format!("it does not deliver event {from} any more"))?;
        let reason = "the central model waits for it, but there was no open letter of it".to_owned();
        let letter = self.letter(worker, node, event, Some(place), reason, 1);
        write_letter(worker, letter).await.map_err(|error| unwritten(&error))
    }
}

fn unwritten(error: &io::Error) -> String {
    format!("the dead-letter file cannot be written ({error}); nothing is dropped")
}

/// Writes a letter durably, and then keeps it in memory.
pub(crate) async fn write_letter(worker: &Worker, letter: DeadLetter) -> io::Result<()> {
    let store = Arc::clone(&worker.parts.letters);
    let kept = letter.clone();
    blocking(move || store.append(&letter)).await?;
    tracing::warn!(id = kept.id, reason = kept.reason, state = ?kept.state, "dead letter");
    worker.keep_letter(kept);
    Ok(())
}

/// Writes the closing of a letter that the saved model records; then the model forgets it.
pub(crate) async fn close(worker: &Worker, node: Uuid, closing: &Closing) -> io::Result<()> {
    let Closing { sequence, state, note, at } = closing.clone();
    let open = worker.letter(&DeadLetter::id_of(node, sequence));
    if let Some(letter) = open.filter(|letter| letter.state == LetterState::Open) {
        write_letter(worker, DeadLetter { state, note, last_at: at, ..letter }).await?;
    }
    worker.model.write().waits_mut(node).closing.remove(&sequence);
    Ok(())
}
