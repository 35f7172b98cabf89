//! The events of a node before its checkpoint that are not in the model.

use crate::central::{LetterState, Parked};
use onhand_domain::{Sequence, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A store and a SKU.
pub(crate) type LevelPlace = (StoreId, Sku);

/// The part of a node's dead letters that the model saves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Waits {
    /// Levels that wait behind a dead letter.
    pub(crate) parked: BTreeMap<LevelPlace, Parked>,
    /// Levels whose next event is accepted with its numbers, because the event before it was discarded.
    pub(crate) loose: BTreeSet<LevelPlace>,
    /// Letters that are closed in this model, and perhaps not yet in the letter file.
    pub(crate) closing: BTreeMap<Sequence, Closing>,
}

/// The closing of a letter.
///
/// It is saved with the model before the letter's own line is written, so that the two can be reconciled after a crash, and no letter is
/// closed whose effect the model has lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Closing {
    /// The letter's sequence.
    pub sequence: Sequence,
    /// The final state of the letter.
    pub state: LetterState,
    /// The reason of a discard, or the note of an automatic closing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The time of the closing.
    pub at: Timestamp,
}

impl Waits {
    pub(crate) fn is_empty(&self) -> bool {
        self.parked.is_empty() && self.loose.is_empty() && self.closing.is_empty()
    }

    /// Parks a level behind the letter of `from`, or lets it continue when that letter is discarded.
    pub(crate) fn bury(&mut self, place: LevelPlace, from: Sequence, discarded: bool) {
        if discarded {
            self.loose.insert(place);
        } else {
            self.parked.insert(place, Parked { from, waiting: 0 });
        }
    }
}
