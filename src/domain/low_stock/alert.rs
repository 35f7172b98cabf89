//! The low-stock alert as a state in the log: raised when a level falls to its threshold, cleared when it rises above it.
//!
//! An alert is an event and not a projection that a job brings up to date: it stands in the entry of the movement that caused it, behind
//! it. So it is as durable as the movement, is raised and cleared once each, and is never early, late or lost; whoever folds the log
//! has it. It belongs to the command as a whole and to no operation of a batch, so the answer to a retried operation is never an alert.
//!
//! An alert has no lease of its own. It is decided on together with its level, under the level's lease; two processes that want both
//! could otherwise each get one half and wait for the other.

use crate::domain::{Draft, Fact, Key, Misfit, Quantity, Sku, StoreId, Timestamp};
use serde::{Deserialize, Serialize};

/// Whether a level is low.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alert {
    /// What raised it; nothing while the level is not low.
    pub raised: Option<Raised>,
    /// How often it was raised and cleared.
    pub version: u64,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

/// The numbers that raised an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Raised {
    /// The sellable pieces then.
    pub qty: Quantity,
    /// The threshold then; they are not above it.
    pub threshold: Quantity,
}

/// `ALERT`: the level is low from here on, or not any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertFact {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub sku: Sku,
    /// True when it is raised, false when it is cleared.
    pub raised: bool,
    /// The sellable pieces.
    pub qty: Quantity,
    /// The threshold they were held against; none when there is none any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Quantity>,
}

/// What an alert came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertAfter {
    /// Whether the level is low.
    pub raised: bool,
    /// See [`Alert::version`].
    pub version: u64,
}

/// An alert in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Alert, under their names")]
pub struct AlertRecord {
    pub store_id: StoreId,
    pub sku: Sku,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raised: Option<Raised>,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// Raises and clears what the draft has made low or plentiful: to be called once the command is decided. Of each level
/// that is watched the draft holds the alert, too.
pub fn settle(draft: &mut Draft<'_>) {
    // An alert is of what the whole command came to, and no part of what a retry of its last operation is told.
    draft.end_operations();
    let mut position = 0;
    while let Some((key, threshold)) = draft.watched(position) {
        position += 1;
        let Key::Alert(store_id, sku) = key else { continue };
        let level = draft.level(&Key::Level(store_id.clone(), sku.clone()));
        let qty = level.after().qty();
        let low = threshold.is_some_and(|threshold| qty <= threshold) && level.version() > 0;
        if draft.alert(key).raised.is_some() != low {
            let (store_id, sku) = (store_id.clone(), sku.clone());
            draft.record(Fact::Alert(AlertFact { store_id, sku, raised: low, qty, threshold }));
        }
    }
}

impl AlertFact {
    /// What it was before this event, from what it was after; nothing when the two cannot belong together.
    pub fn before(&self, after: AlertAfter) -> Option<AlertAfter> {
        let fits = after.raised == self.raised;
        Some(AlertAfter { raised: !self.raised, version: after.version.checked_sub(1).filter(|_| fits)? })
    }
}

impl Alert {
    /// Is raised or cleared; answers what it was before.
    pub(in crate::domain) fn apply(&mut self, fact: &AlertFact, at: Timestamp) -> Result<Self, Misfit> {
        let raised = match (fact.raised, fact.threshold) {
            (false, _) => None,
            (true, Some(threshold)) if fact.qty <= threshold => Some(Raised { qty: fact.qty, threshold }),
            (true, _) => return Err(Misfit::Alert),
        };
        if raised.is_some() == self.raised.is_some() {
            return Err(Misfit::Alert);
        }
        let version = self.version + 1;
        Ok(std::mem::replace(self, Self { raised, version, updated_at: at }))
    }

    /// What an event records.
    pub const fn after(&self) -> AlertAfter {
        AlertAfter { raised: self.raised.is_some(), version: self.version }
    }

    pub(in crate::domain) fn record(&self, store_id: StoreId, sku: Sku) -> AlertRecord {
        let Self { raised, version, updated_at } = *self;
        AlertRecord { store_id, sku, raised, version, updated_at }
    }

    pub(in crate::domain) fn restore(record: AlertRecord) -> Result<(StoreId, Sku, Self), Misfit> {
        let AlertRecord { store_id, sku, raised, version, updated_at } = record;
        // It was raised first, and then in turn.
        if version == 0 || raised.is_some() != (version % 2 == 1) {
            return Err(Misfit::Alert);
        }
        Ok((store_id, sku, Self { raised, version, updated_at }))
    }
}
