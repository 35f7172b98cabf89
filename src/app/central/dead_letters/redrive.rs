//! Redrive and discard: an operator tries a dead letter again after a fix, or discards it with a reason.
//!
//! The order loses nothing in a crash at any point. The new level is computed beside the model. If a later event
//! does not fit, its letter is written. Then the model takes the level, the waiting events and the closing of the
//! letter under one lock, and is saved as a whole. The closing is written to the letter file last: a crash before
//! that leaves it in the model, and `heal` writes it.

use crate::central::dead_letters::bury::{close, write_letter};
use crate::central::following::follower::Follower;
use crate::central::model::apply::{decode, place_of};
use crate::central::model::change::Change;
use crate::central::model::letters::as_json;
use crate::central::model::step::{Origin, StepOutcome, step};
use crate::central::model::waits::{Closing, LevelPlace, Waits};
use crate::central::{CentralLevel, DeadLetter, LetterError, LetterState, Parked, SyncSettings, Worker};
use crate::ports::Delivered;
use onhand_domain::Timestamp;

/// The result of a redrive or a discard.
#[derive(Debug, Clone)]
pub struct Redriven {
    /// The letter afterwards; still open when the event still cannot be applied.
    pub letter: DeadLetter,
    /// Events that were applied.
    pub applied: u64,
    /// Events that still wait.
    pub waiting: u64,
}

/// A trial of the waiting events of a level, in order, beside the model.
#[derive(Default)]
struct Trial {
    place: Option<LevelPlace>,
    level: Option<CentralLevel>,
    /// The next event is accepted with its numbers, without a check against the level.
    loose: bool,
    applied: u64,
    /// The event that ended the trial early, with the reason.
    stuck: Option<(Delivered, String)>,
    waiting: u64,
}

impl Worker {
    /// Tries a dead letter again, and then the events that wait behind it. The caller runs it to its end, even after its client is gone.
    ///
    /// # Errors
    /// [`LetterError`]; nothing was lost.
    pub async fn redrive(&self, id: &str) -> Result<Redriven, LetterError> {
        self.close_letter(id, None).await
    }

    /// Discards an event with a reason, and applies the events behind it: the next event of the level is accepted with its numbers.
    ///
    /// # Errors
    /// [`LetterError`]; nothing was lost.
    pub async fn discard(&self, id: &str, reason: &str) -> Result<Redriven, LetterError> {
        self.close_letter(id, Some(reason)).await
    }

    async fn close_letter(&self, id: &str, discard: Option<&str>) -> Result<Redriven, LetterError> {
        let node = self.letter(id).ok_or(LetterError::Unknown)?.node;
        let (mut follower, origin) = self.followers.follower_of(node).await?;
        // Read again under the follower's lock: two concurrent redrives of one letter must not both find it open.
        let letter = self.letter(id).ok_or(LetterError::Unknown)?;
        if letter.state != LetterState::Open {
            return Err(LetterError::Closed);
        }
        let closed_before = self.model.look(|central| {
            central.waits(node).and_then(|waits| waits.closing.get(&letter.sequence).cloned())
        });
        if let Some(closing) = closed_before {
            // The model recorded the closing, and then a write failed.
            return self.finish(letter, &closing, 0, 0).await;
        }
        if !self.is_pending(&letter)? {
            // The event is in the model already: the log was read again by a version that could apply it.
            let (state, at) = (LetterState::Redriven, self.parts.clock.now());
            let closing = Closing { sequence: letter.sequence, state, note: None, at };
            self.update_model(&mut follower, &letter, Trial::default(), &closing);
            return self.finish(letter, &closing, 0, 0).await;
        }
        let events = waiting(&follower, &letter, &self.settings).await?;
        let trial = self.try_events(&letter, origin, events, discard.is_some());
        let at = self.parts.clock.now();
        let (applied, waiting) = (trial.applied, trial.waiting);
        match &trial.stuck {
            Some((event, reason)) if event.sequence == letter.sequence => {
                let tries = letter.tries.saturating_add(1);
                let letter = DeadLetter { tries, reason: reason.clone(), last_at: at, ..letter };
                write_letter(self, letter.clone()).await?;
                return Ok(Redriven { letter, applied, waiting });
            }
            Some((event, reason)) => write_letter(self, another(&letter, event, reason, at)).await?,
            None => {}
        }
        let state = if discard.is_some() { LetterState::Discarded } else { LetterState::Redriven };
        let closing = Closing { sequence: letter.sequence, state, note: discard.map(str::to_owned), at };
        self.update_model(&mut follower, &letter, trial, &closing);
        self.finish(letter, &closing, applied, waiting).await
    }

    /// True when the letter's event is not in the model, and the first of its level that is not.
    fn is_pending(&self, letter: &DeadLetter) -> Result<bool, LetterError> {
        let Some(place) = place(letter) else { return Ok(true) };
        let parked = self
            .model
            .look(|central| central.waits(letter.node).and_then(|waits| waits.parked.get(&place).copied()));
        let reached = self.model.look(|central| central.as_of().get(&letter.node).copied());
        match parked {
            Some(parked) if parked.from < letter.sequence => {
                Err(LetterError::Behind(DeadLetter::id_of(letter.node, parked.from)))
            }
            Some(parked) => Ok(parked.from == letter.sequence),
            None => Ok(reached.is_none_or(|reached| reached < letter.sequence)),
        }
    }

    /// Applies the events to a copy of the level; the model does not change.
    fn try_events(
        &self,
        letter: &DeadLetter,
        origin: Origin,
        events: Vec<Delivered>,
        discard: bool,
    ) -> Trial {
        let mut trial = Trial { place: place(letter), loose: discard, ..Trial::default() };
        if let Some(place) = &trial.place {
            let loose = |waits: &Waits| waits.loose.contains(place);
            trial.loose |= self.model.look(|central| central.waits(letter.node).is_some_and(loose));
        }
        let mut events = events.into_iter();
        if discard {
            events.next();
        }
        for event in events.by_ref() {
            let tried = decode(&event).and_then(|change| match change {
                Some(change) => self.try_event(&mut trial, origin, &event, &change),
                None => Ok(()),
            });
            if let Err(reason) = tried {
                trial.stuck = Some((event, reason));
                break;
            }
            trial.applied += 1;
        }
        trial.waiting = events.count() as u64;
        trial
    }

    fn try_event(
        &self,
        trial: &mut Trial,
        origin: Origin,
        event: &Delivered,
        change: &Change,
    ) -> Result<(), String> {
        let place = trial.place.insert(change.place.clone());
        let known =
            trial.level.or_else(|| self.model.look(|central| central.of_ledger(origin.ledger, place)));
        let step = step(known.as_ref(), origin, change, event.at, trial.loose);
        if let StepOutcome::To(level) = step.map_err(|poison| poison.to_string())? {
            trial.level = Some(level);
        }
        trial.loose = false;
        Ok(())
    }

    /// Puts the result of a trial into the model, under one lock: a save in between would contain half of it.
    fn update_model(&self, follower: &mut Follower, letter: &DeadLetter, trial: Trial, closing: &Closing) {
        let mut central = self.model.write();
        if let Some(place) = trial.place {
            if let Some(level) = trial.level {
                central.put_unless_later(&place, level);
            }
            let waits = central.waits_mut(letter.node);
            if waits.parked.get(&place).is_some_and(|parked| parked.from == letter.sequence) {
                waits.parked.remove(&place);
            }
            if trial.loose {
                waits.loose.insert(place.clone());
            } else {
                waits.loose.remove(&place);
            }
            if let Some((event, _)) = &trial.stuck {
                waits.parked.insert(place, Parked { from: event.sequence, waiting: trial.waiting });
            }
        }
        central.waits_mut(letter.node).closing.insert(closing.sequence, closing.clone());
        follower.count_parked(&central);
        drop(central);
        self.model.moved();
        self.note(follower.report());
    }

    /// Saves the model with the closing, and then writes the closing to the letter file. The other order could close a letter whose effect
    /// a crash takes out of the model.
    async fn finish(
        &self,
        letter: DeadLetter,
        closing: &Closing,
        applied: u64,
        waiting: u64,
    ) -> Result<Redriven, LetterError> {
        self.save().await?;
        close(self, letter.node, closing).await?;
        let letter = self.letter(&letter.id).unwrap_or(letter);
        Ok(Redriven { letter, applied, waiting })
    }
}

fn place(letter: &DeadLetter) -> Option<LevelPlace> {
    letter.store_id.clone().zip(letter.sku.clone())
}

/// The letter of a waiting event that cannot be applied either.
fn another(before: &DeadLetter, event: &Delivered, reason: &str, at: Timestamp) -> DeadLetter {
    DeadLetter {
        id: DeadLetter::id_of(before.node, event.sequence),
        sequence: event.sequence,
        reason: reason.to_owned(),
        tries: 1,
        first_at: at,
        last_at: at,
        state: LetterState::Open,
        note: None,
        at: event.at,
        event: as_json(&event.json),
        ..before.clone()
    }
}

/// Reads the letter's event and the later events of its level again from the source, up to the checkpoint.
async fn waiting(
    follower: &Follower,
    letter: &DeadLetter,
    settings: &SyncSettings,
) -> Result<Vec<Delivered>, LetterError> {
    if letter.sequence > follower.sequence {
        let reason =
            "since the start it has not been read as far as this event; try again after the next pass";
        return Err(LetterError::Source(reason.to_owned()));
    }
    let wanted = place(letter);
    let mut events = Vec::new();
    let mut after = letter.sequence.minus(1);
    while after < follower.sequence {
        // No event waits behind a letter without a level.
        let limit = if wanted.is_some() { settings.read_events } else { 1 };
        let delivery = follower.ask(settings, after, limit, None).await?;
        if delivery.node != letter.node {
            return Err(LetterError::Source(format!("the source is node {} now", delivery.node)));
        }
        if delivery.events.is_empty() {
            return Err(LetterError::Source(format!("the source delivers nothing after {after}")));
        }
        for event in delivery.events {
            if event.sequence != after.plus(1) {
                return Err(LetterError::Source(format!(
                    "the source does not deliver event {}",
                    after.plus(1)
                )));
            }
            if after == follower.sequence {
                break;
            }
            after = event.sequence;
            if event.sequence == letter.sequence || (wanted.is_some() && belongs(&event) == wanted) {
                events.push(event);
            }
        }
        if wanted.is_none() {
            break;
        }
    }
    if events.is_empty() {
        return Err(LetterError::Source(format!("the source does not deliver event {}", letter.sequence)));
    }
    Ok(events)
}

fn belongs(event: &Delivered) -> Option<LevelPlace> {
    place_of(event, &decode(event))
}
