//! What people do with dead letters: try again after a fix, or give up with a reason.

use crate::app::ports::Delivered;
use crate::app::sync::central::place_of;
use crate::app::sync::follower::{Follower, Place, level_place, write_letter};
use crate::app::sync::letters::{as_json, guess_place};
use crate::app::sync::{DeadLetter, LetterState, Parked, Worker};
use crate::domain::{Event, Sequence};
use std::io;

/// What became of a letter and of what waited behind it.
#[derive(Debug, Clone)]
pub struct Redriven {
    /// The letter as it is now; still open when the event cannot be applied yet.
    pub letter: DeadLetter,
    /// Events that are in the model now.
    pub applied: u64,
    /// Events that still wait.
    pub waiting: u64,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// There is no letter of that id.
    #[error("there is no dead letter of that id")]
    Unknown,
    /// It was redriven or discarded before.
    #[error("this dead letter is closed already")]
    Closed,
    /// The source cannot be read now.
    #[error("the source cannot be read: {0}")]
    Source(String),
    /// The dead-letter file or the model could not be written.
    #[error("cannot be written")]
    Io(#[from] io::Error),
}

impl Worker {
    /// Tries a dead letter again, and then what waits behind it. To be run to its end, also when whoever asked goes away.
    ///
    /// # Errors
    /// [`LetterError`]; nothing was lost.
    pub async fn redrive(&self, id: &str) -> Result<Redriven, LetterError> {
        self.drive(id, None).await
    }

    /// Gives an event up, for a reason, and lets flow what waits behind it: the next event of the level is taken as it is.
    ///
    /// # Errors
    /// [`LetterError`]; nothing was lost.
    pub async fn discard(&self, id: &str, reason: &str) -> Result<Redriven, LetterError> {
        self.drive(id, Some(reason)).await
    }

    async fn drive(&self, id: &str, discard: Option<&str>) -> Result<Redriven, LetterError> {
        let _no_pass = self.pass_lock().await;
        // Only now: two who drive one letter at once must not both find it open.
        let mut letter = self.letter(id).ok_or(LetterError::Unknown)?;
        if letter.state != LetterState::Open {
            return Err(LetterError::Closed);
        }
        let mut follower = self.follower_of(&letter).await?;
        let place = letter.store_id.clone().zip(letter.sku.clone());
        let waiting = waiting(&follower, &letter, place.as_ref(), self.settings.read_events).await?;
        let mut applied = 0;
        letter.last_at = self.parts.clock.now();
        let mut rest = waiting.into_iter();
        if let Some(reason) = discard {
            letter.state = LetterState::Discarded;
            letter.note = Some(reason.to_owned());
            rest.next();
        }
        let mut loose = discard.is_some();
        let mut stuck = None;
        for event in rest.by_ref() {
            let tried = Event::decode(event.json.as_bytes()).and_then(|decoded| {
                let applied = self.model.write().apply(letter.node, &decoded, event.at, loose);
                applied.map_err(|poison| poison.to_string())
            });
            match tried {
                Ok(_) => {
                    loose = false;
                    applied += 1;
                }
                Err(reason) => {
                    stuck = Some((event, reason));
                    break;
                }
            }
        }
        let waiting = rest.count() as u64;
        if let Some(place) = &place {
            follower.parked.remove(place);
            if loose && stuck.is_none() {
                follower.loose.insert(place.clone());
            }
        }
        match stuck {
            Some((event, reason)) if event.sequence == letter.sequence => {
                letter.tries = letter.tries.saturating_add(1);
                letter.reason = reason;
                park(&mut follower, place, event.sequence, waiting);
            }
            Some((event, reason)) => {
                letter.state = closed(discard);
                park(&mut follower, place, event.sequence, waiting);
                write_letter(self, another(&letter, &event, reason)).await?;
            }
            None => letter.state = closed(discard),
        }
        write_letter(self, letter.clone()).await?;
        self.model.moved();
        self.note(follower.report());
        drop(follower);
        self.save_now().await?;
        Ok(Redriven { letter, applied, waiting })
    }
}

const fn closed(discard: Option<&str>) -> LetterState {
    if discard.is_some() { LetterState::Discarded } else { LetterState::Redriven }
}

fn park(follower: &mut Follower, place: Option<Place>, from: Sequence, waiting: u64) {
    if let Some(place) = place {
        follower.parked.insert(place, Parked { from, waiting });
    }
}

/// The letter of an event that waited behind another one and cannot be applied either.
fn another(before: &DeadLetter, event: &Delivered, reason: String) -> DeadLetter {
    DeadLetter {
        id: DeadLetter::id_of(before.node, event.sequence),
        sequence: event.sequence,
        reason,
        tries: 1,
        first_at: before.last_at,
        state: LetterState::Open,
        note: None,
        at: event.at,
        event: as_json(&event.json),
        ..before.clone()
    }
}

/// The letter's event and everything of its level behind it, up to the checkpoint, read again from the source.
async fn waiting(
    follower: &Follower,
    letter: &DeadLetter,
    place: Option<&Place>,
    limit: usize,
) -> Result<Vec<Delivered>, LetterError> {
    let mut events = Vec::new();
    let mut after = letter.sequence.minus(1);
    while after < follower.sequence {
        let read = follower.source.read(after, limit).await;
        let delivery = read.map_err(|error| LetterError::Source(error.to_string()))?;
        let Some(last) = delivery.events.last().map(|event| event.sequence) else { break };
        after = last;
        events.extend(delivery.events.into_iter().filter(|event| {
            event.sequence == letter.sequence
                || (event.sequence <= follower.sequence && place.is_some() && belongs(event, place))
        }));
        if place.is_none() {
            break;
        }
    }
    if events.first().is_none_or(|event| event.sequence != letter.sequence) {
        return Err(LetterError::Source(format!("it does not have sequence {} any more", letter.sequence)));
    }
    Ok(events)
}

fn belongs(event: &Delivered, place: Option<&Place>) -> bool {
    let found = match Event::decode(event.json.as_bytes()) {
        Ok(decoded) => level_place(place_of(&decoded)),
        Err(_) => guess_place(&event.json),
    };
    found.as_ref() == place
}
