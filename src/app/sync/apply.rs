//! One event into the model, or behind the dead letter its level waits for.

use crate::app::ports::Delivered;
use crate::app::sync::central::place_of;
use crate::app::sync::letters::guess_place;
use crate::app::sync::waits::Place;
use crate::app::sync::{Central, Poison};
use crate::domain::{Event, Key};
use uuid::Uuid;

/// True when the event is in the model now, false when it waits.
pub(super) fn apply_one(
    central: &mut Central,
    node: Uuid,
    event: &Delivered,
    decoded: Result<Event, String>,
) -> Result<bool, Poison> {
    if central.waits(node).is_none() {
        let decoded = decoded.map_err(Poison::Unreadable)?;
        return central.apply(node, &decoded, event.at, false).map(|_| true);
    }
    let place = place_of_delivered(event, decoded.as_ref().ok());
    let waits = central.waits_mut(node);
    if let Some(parked) = place.as_ref().and_then(|place| waits.parked.get_mut(place)) {
        parked.waiting += 1;
        return Ok(false);
    }
    let loose = place.as_ref().is_some_and(|place| waits.loose.contains(place));
    let decoded = decoded.map_err(Poison::Unreadable)?;
    central.apply(node, &decoded, event.at, loose)?;
    if let Some(place) = place.filter(|_| loose) {
        central.waits_mut(node).loose.remove(&place);
    }
    Ok(true)
}

/// The level an event belongs to, as far as that can be told.
pub(super) fn place_of_delivered(event: &Delivered, decoded: Option<&Event>) -> Option<Place> {
    match decoded {
        Some(decoded) => level_place(place_of(decoded)),
        None => guess_place(&event.json),
    }
}

fn level_place(key: Option<Key>) -> Option<Place> {
    match key {
        Some(Key::Level(store, sku)) => Some((store, sku)),
        Some(Key::Import(_)) | None => None,
    }
}
