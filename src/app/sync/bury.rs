//! An event that cannot be applied becomes a dead letter, before the checkpoint moves past it.

use crate::app::ledger::blocking;
use crate::app::ports::Delivered;
use crate::app::sync::central::place_of;
use crate::app::sync::follower::{Follower, Place, level_place};
use crate::app::sync::letters::{as_json, guess_place};
use crate::app::sync::{DeadLetter, LetterState, Parked, Poison, Worker};
use crate::domain::Event;
use std::sync::Arc;
use uuid::Uuid;

impl Follower {
    /// Writes the dead letter, and only then moves on. False when it could not be written.
    pub(super) async fn bury(
        &mut self,
        worker: &Worker,
        node: Uuid,
        event: &Delivered,
        poison: &Poison,
        tries: u32,
    ) -> bool {
        let decoded = Event::decode(event.json.as_bytes()).ok();
        let place = match &decoded {
            Some(event) => level_place(place_of(event)),
            None => guess_place(&event.json),
        };
        let discarded = match worker.letter_state(node, event.sequence) {
            Some(LetterState::Discarded) => true,
            Some(LetterState::Open) => false,
            // Applied once, and not again: the model is an older one. The letter is opened again.
            Some(LetterState::Redriven) | None => {
                let letter = self.letter(worker, node, event, place.as_ref(), poison, tries);
                if let Err(error) = write_letter(worker, letter).await {
                    self.fail(&format!(
                        "the dead-letter file cannot be written ({error}); nothing is dropped"
                    ));
                    return false;
                }
                false
            }
        };
        if let Some(place) = place {
            if discarded {
                self.loose.insert(place);
            } else {
                self.parked.insert(place, Parked { from: event.sequence, waiting: 0 });
            }
        }
        self.sequence = event.sequence;
        worker.model.write().advance(node, event.sequence);
        worker.model.moved();
        true
    }

    fn letter(
        &self,
        worker: &Worker,
        node: Uuid,
        event: &Delivered,
        place: Option<&Place>,
        poison: &Poison,
        tries: u32,
    ) -> DeadLetter {
        let now = worker.parts.clock.now();
        DeadLetter {
            id: DeadLetter::id_of(node, event.sequence),
            node,
            source: self.source.name().to_owned(),
            sequence: event.sequence,
            store_id: place.map(|(store, _)| store.clone()),
            sku: place.map(|(_, sku)| sku.clone()),
            reason: poison.to_string(),
            tries,
            first_at: now,
            last_at: now,
            state: LetterState::Open,
            note: None,
            at: event.at,
            event: as_json(&event.json),
        }
    }
}

/// Keeps a letter durably, and then in memory.
pub(super) async fn write_letter(worker: &Worker, letter: DeadLetter) -> std::io::Result<()> {
    let store = Arc::clone(&worker.parts.letters);
    let kept = letter.clone();
    blocking(move || store.append(&letter)).await?;
    tracing::warn!(id = kept.id, reason = kept.reason, state = ?kept.state, "dead letter");
    worker.keep_letter(kept);
    Ok(())
}
