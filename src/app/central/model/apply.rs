//! The application of one event to the model, or its parking behind the dead letter of its level.

use crate::central::model::change::{Change, Motion};
use crate::central::model::letters::guess_place;
use crate::central::model::step::{Origin, StepOutcome};
use crate::central::model::waits::{Closing, LevelPlace};
use crate::central::{Central, LetterState, Poison};
use crate::ports::Delivered;
use onhand_domain::{After, Event, Fact, Timestamp};

/// A decoded event: its change; none when it changes no level (an import's progress); or the reason it cannot be decoded.
pub(crate) type DecodedChange = Result<Option<Change>, String>;

/// The effect of an event on the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It moved its level.
    Now,
    /// It was a `TAKE`, and the level has the numbers that its log took over.
    Taken,
    /// The model contains it already: another log of the ledger has moved the level since.
    Superseded,
    /// It waits behind a dead letter.
    Waits,
}

pub(crate) fn decode(event: &Delivered) -> DecodedChange {
    let event = Event::decode(&event.json)?;
    let After::Level(after) = event.after else { return Ok(None) };
    let motion = match &event.fact {
        Fact::Level(fact) => Motion::By(fact.effect()),
        // A `TAKE` carries the time of its level, so the time passed here is not used.
        Fact::Take(_) => Motion::Taken { updated_at: event.fact.moved_at(Timestamp::EPOCH) },
        _ => return Ok(None),
    };
    let Some((store, sku)) = event.fact.place() else { return Ok(None) };
    Ok(Some(Change { place: (store.clone(), sku.clone()), motion, after }))
}

/// The level of an event, as far as it is known.
pub(crate) fn place_of(event: &Delivered, decoded: &DecodedChange) -> Option<LevelPlace> {
    match decoded {
        Ok(change) => change.as_ref().map(|change| change.place.clone()),
        Err(_) => guess_place(&event.json),
    }
}

/// Applies an event to the model, unless its level waits.
///
/// Only a `TAKE` does not wait: it carries the whole level, and with it the effect of every earlier event in its log. It ends the
/// waiting of the level in this log, and closes the letter.
///
/// # Errors
/// [`Poison`]; the model is as it was.
pub(crate) fn apply_one(
    central: &mut Central,
    origin: Origin,
    event: &Delivered,
    decoded: DecodedChange,
) -> Result<Applied, Poison> {
    let mut waits = None;
    if central.waits(origin.node).is_some() {
        waits = place_of(event, &decoded);
    }
    let Some(place) = waits else {
        return decoded.map_err(Poison::Unreadable)?.map_or(Ok(Applied::Now), |change| {
            let step = central.apply(origin, &change, event.at, false)?;
            Ok(applied_as(&step, &change))
        });
    };
    let parked = central.waits_mut(origin.node).parked.get(&place).copied();
    let loose = central.waits_mut(origin.node).loose.contains(&place);
    let taken = matches!(&decoded, Ok(Some(Change { motion: Motion::Taken { .. }, .. })));
    let applied = match (parked, decoded) {
        (Some(_), _) if !taken => None,
        (_, Err(reason)) => return Err(Poison::Unreadable(reason)),
        (_, Ok(None)) => return Ok(Applied::Now),
        (_, Ok(Some(change))) => match central.apply(origin, &change, event.at, loose) {
            Ok(step) => Some(applied_as(&step, &change)),
            Err(_) if parked.is_some() => None,
            Err(poison) => return Err(poison),
        },
    };
    let waits = central.waits_mut(origin.node);
    let Some(applied) = applied else {
        if let Some(parked) = waits.parked.get_mut(&place) {
            parked.waiting += 1;
        }
        return Ok(Applied::Waits);
    };
    if let Some(parked) = waits.parked.remove(&place) {
        let note = format!("event {} of the same log has all of the level", event.sequence);
        let (sequence, state) = (parked.from, LetterState::Redriven);
        waits.closing.insert(sequence, Closing { sequence, state, note: Some(note), at: event.at });
    }
    waits.loose.remove(&place);
    Ok(applied)
}

fn applied_as(step: &StepOutcome, change: &Change) -> Applied {
    match (step, change.motion) {
        (StepOutcome::Superseded, _) => Applied::Superseded,
        (StepOutcome::To(_), Motion::By(_)) => Applied::Now,
        (StepOutcome::To(_), Motion::Taken { .. }) => Applied::Taken,
    }
}
