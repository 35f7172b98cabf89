//! One event into the model, or behind the dead letter its level waits for.

use crate::app::ports::Delivered;
use crate::app::sync::letters::guess_place;
use crate::app::sync::waits::Place;
use crate::app::sync::{Central, Poison};
use crate::domain::stock::{Effect, LevelAfter};
use crate::domain::{After, Event, Fact};
use uuid::Uuid;

/// What central needs of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// The level.
    pub(super) place: Place,
    /// By how much the event moves it.
    pub(super) effect: Effect,
    /// What it comes to.
    pub(super) after: LevelAfter,
}

/// An event read: nothing of interest when it changes no level (an import's progress), or why it cannot be read.
pub(super) type Decoded = Result<Option<Change>, String>;

pub(super) fn decode(event: &Delivered) -> Decoded {
    let event = Event::decode(&event.json)?;
    let (Fact::Stock(fact), After::Level(after)) = (&event.fact, event.after) else { return Ok(None) };
    let (store, sku) = fact.place();
    Ok(Some(Change { place: (store.clone(), sku.clone()), effect: fact.effect(), after }))
}

/// The level an event belongs to, as far as that can be told.
pub(super) fn place_of(event: &Delivered, decoded: &Decoded) -> Option<Place> {
    match decoded {
        Ok(change) => change.as_ref().map(|change| change.place.clone()),
        Err(_) => guess_place(&event.json),
    }
}

/// True when the event is in the model now, false when it waits.
pub(super) fn apply_one(
    central: &mut Central,
    node: Uuid,
    event: &Delivered,
    decoded: Decoded,
) -> Result<bool, Poison> {
    let mut loose = None;
    if central.waits(node).is_some()
        && let Some(place) = place_of(event, &decoded)
    {
        let waits = central.waits_mut(node);
        if let Some(parked) = waits.parked.get_mut(&place) {
            parked.waiting += 1;
            return Ok(false);
        }
        loose = Some(place).filter(|place| waits.loose.contains(place));
    }
    if let Some(change) = decoded.map_err(Poison::Unreadable)? {
        central.apply(node, &change, event.at, loose.is_some())?;
    }
    if let Some(place) = loose {
        central.waits_mut(node).loose.remove(&place);
    }
    Ok(true)
}
