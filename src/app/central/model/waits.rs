//! What of a node's log is not in the model although its checkpoint is past it.

use crate::app::central::{LetterState, Parked};
use crate::domain::{Sequence, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A store and a SKU.
pub(crate) type Place = (StoreId, Sku);

/// The dead letters of one node, as far as the model must know them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Waits {
    /// Levels that wait behind a dead letter.
    pub(crate) parked: BTreeMap<Place, Parked>,
    /// Levels whose next event is taken as it is, because one in front of it was discarded.
    pub(crate) loose: BTreeSet<Place>,
    /// Letters that are closed in this model, but perhaps not yet in their file.
    pub(crate) closing: BTreeMap<Sequence, Closing>,
}

/// How a letter was closed.
///
/// Saved with the model it was closed in, before the letter's own line is written: whatever a crash leaves, the two
/// can be brought together again, and neither says that something happened which the other does not know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Closing {
    /// The letter's sequence.
    pub sequence: Sequence,
    /// What became of it.
    pub state: LetterState,
    /// Why, where it was not redriven by somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Waits {
    pub(crate) fn is_empty(&self) -> bool {
        self.parked.is_empty() && self.loose.is_empty() && self.closing.is_empty()
    }

    /// The level waits behind the letter of `from`, or goes on without it when that was discarded.
    pub(crate) fn bury(&mut self, place: Place, from: Sequence, discarded: bool) {
        if discarded {
            self.loose.insert(place);
        } else {
            self.parked.insert(place, Parked { from, waiting: 0 });
        }
    }
}
