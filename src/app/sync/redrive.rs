//! What people do with dead letters: try again after a fix, or give up with a reason.

use crate::app::ports::Delivered;
use crate::app::sync::bury::write_letter;
use crate::app::sync::central::place_of;
use crate::app::sync::follower::{Follower, Place, level_place};
use crate::app::sync::letters::{as_json, guess_place};
use crate::app::sync::{Central, DeadLetter, LetterState, Parked, Worker};
use crate::domain::{Event, Sequence};
use std::io;
use uuid::Uuid;

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

    /// Opens a letter again whose level waits still: the model is older than what was done about the letter.
    pub(super) async fn reopen(&self, node: Uuid, sequence: Sequence) -> io::Result<()> {
        match self.letter(&DeadLetter::id_of(node, sequence)) {
            Some(letter) if letter.state != LetterState::Open => {
                write_letter(self, DeadLetter { state: LetterState::Open, note: None, ..letter }).await
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn drive(&self, id: &str, discard: Option<&str>) -> Result<Redriven, LetterError> {
        let _no_pass = self.pass_lock().await;
        // Only now: two who drive one letter at once must not both find it open.
        let mut letter = self.letter(id).ok_or(LetterError::Unknown)?;
        if letter.state != LetterState::Open {
            return Err(LetterError::Closed);
        }
        let mut follower = self.follower_of(&letter).await?;
        if follower.sequence < letter.sequence {
            return Err(LetterError::Source(
                "after a restart it has not been read that far again".to_owned(),
            ));
        }
        letter.last_at = self.parts.clock.now();
        let mut attempt = Attempt::default();
        if waits_behind(&follower, &letter) {
            let events = waiting(&follower, &letter, self.settings.read_events).await?;
            attempt = self.attempt(&letter, events, discard.is_some());
            match &attempt.stuck {
                Some((event, reason)) if event.sequence == letter.sequence => {
                    letter.tries = letter.tries.saturating_add(1);
                    letter.reason.clone_from(reason);
                    write_letter(self, letter.clone()).await?;
                    return Ok(Redriven { letter, applied: 0, waiting: attempt.waiting });
                }
                Some((event, reason)) => write_letter(self, another(&letter, event, reason)).await?,
                None => {}
            }
            self.take_over(&mut follower, &letter, &attempt);
        }
        drop(follower);
        // A letter is closed only once its effect is saved. A crash, or a disk that is full, in between leaves it open
        // with nothing behind it, and the next drive does no more than what is missing.
        self.save_now().await?;
        letter.state = if discard.is_some() { LetterState::Discarded } else { LetterState::Redriven };
        letter.note = discard.map(str::to_owned);
        write_letter(self, letter.clone()).await?;
        Ok(Redriven { letter, applied: attempt.applied, waiting: attempt.waiting })
    }

    /// Applies events one after the other as far as it goes, beside the model.
    fn attempt(&self, letter: &DeadLetter, events: Vec<Delivered>, discard: bool) -> Attempt {
        let mut attempt = Attempt { loose: discard, ..Attempt::default() };
        let mut rest = events.into_iter();
        if discard {
            rest.next();
        }
        for event in rest.by_ref() {
            match self.attempt_one(&mut attempt.levels, letter, &event, attempt.loose) {
                Ok(()) => {
                    attempt.loose = false;
                    attempt.applied += 1;
                }
                Err(reason) => {
                    attempt.stuck = Some((event, reason));
                    break;
                }
            }
        }
        attempt.waiting = rest.count() as u64;
        attempt
    }

    fn attempt_one(
        &self,
        levels: &mut Central,
        letter: &DeadLetter,
        event: &Delivered,
        loose: bool,
    ) -> Result<(), String> {
        let decoded = Event::decode(event.json.as_bytes())?;
        if let Some(place) = level_place(place_of(&decoded))
            && levels.level(&place.0, &place.1).is_none()
        {
            let known = self.model.look(|model| model.level(&place.0, &place.1).map(<[_]>::to_vec));
            for level in known.into_iter().flatten() {
                levels.put(place.clone(), level);
            }
        }
        let applied = levels.apply(letter.node, &decoded, event.at, loose);
        applied.map(|_| ()).map_err(|poison| poison.to_string())
    }

    /// Puts what came of an attempt into the model, and what is stuck now in place of the letter's event.
    fn take_over(&self, follower: &mut Follower, letter: &DeadLetter, attempt: &Attempt) {
        let mut model = self.model.write();
        for (store, sku, levels) in attempt.levels.all() {
            for level in levels.iter().filter(|level| level.node == letter.node) {
                model.put((store.clone(), sku.clone()), *level);
            }
        }
        drop(model);
        if let Some(place) = place(letter) {
            follower.parked.remove(&place);
            if let Some((event, _)) = &attempt.stuck {
                follower.parked.insert(place, Parked { from: event.sequence, waiting: attempt.waiting });
            } else if attempt.loose {
                follower.loose.insert(place);
            }
        }
        self.model.moved();
        self.note(follower.report());
    }
}

/// What came of the events behind a letter.
#[derive(Default)]
struct Attempt {
    /// The levels they moved, as they are afterwards.
    levels: Central,
    applied: u64,
    /// The next event is to be taken as it is: the one in front of it was given up.
    loose: bool,
    /// The event that cannot be applied, and why.
    stuck: Option<(Delivered, String)>,
    /// Events behind that one.
    waiting: u64,
}

fn place(letter: &DeadLetter) -> Option<Place> {
    letter.store_id.clone().zip(letter.sku.clone())
}

/// True when the effect of the letter's event is still missing. When its level does not wait behind it any more, it was
/// driven before, and only the letter could not be written then.
fn waits_behind(follower: &Follower, letter: &DeadLetter) -> bool {
    let parked =
        |place: Place| follower.parked.get(&place).is_some_and(|parked| parked.from == letter.sequence);
    place(letter).is_none_or(parked)
}

/// The letter of an event that waited behind another one and cannot be applied either.
fn another(before: &DeadLetter, event: &Delivered, reason: &str) -> DeadLetter {
    DeadLetter {
        id: DeadLetter::id_of(before.node, event.sequence),
        sequence: event.sequence,
        reason: reason.to_owned(),
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
    limit: usize,
) -> Result<Vec<Delivered>, LetterError> {
    let place = place(letter);
    let mut events = Vec::new();
    let mut after = letter.sequence.minus(1);
    while after < follower.sequence {
        let read = follower.source.read(after, limit).await;
        let delivery = read.map_err(|error| LetterError::Source(error.to_string()))?;
        let Some(last) = delivery.events.last().map(|event| event.sequence) else { break };
        after = last;
        events.extend(delivery.events.into_iter().filter(|event| {
            event.sequence == letter.sequence
                || (event.sequence <= follower.sequence && place.is_some() && belongs(event, place.as_ref()))
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
