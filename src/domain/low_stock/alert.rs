//! The low-stock alert as a state in the log: raised when a level falls to its threshold, cleared when it rises above it.
//!
//! An alert is an event and not a projection that a job updates: it stands in the entry of the movement that caused it, behind that
//! movement. It is therefore as durable as the movement, raised and cleared once each, never early, late or lost, and part of every
//! fold. It belongs to the command and to no operation of a batch, so the answer to a retried operation is never an alert.
//!
//! An alert has no lease of its own. It is decided together with its level, under the level's lease: with two leases, two processes
//! could each hold one and wait for the other.

use crate::stock::Level;
use crate::{Draft, EventKind, Fact, Key, Kind, Leasing, Misfit, Quantity, Sku, StoreId, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// An event that raises a raised alert, clears a cleared one, or raises it by numbers that are not low.
const WRONG: Misfit = Misfit("the event raises or clears an alert that it cannot");

/// Whether a level is low.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alert {
    /// The numbers that raised it; none while the level is not low.
    pub raised: Option<Raised>,
    /// The number of times it was raised or cleared.
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
    /// The store of the level.
    pub store_id: StoreId,
    /// The SKU of the level.
    pub sku: Sku,
    /// True when it is raised, false when it is cleared.
    pub raised: bool,
    /// The sellable pieces after the event.
    pub qty: Quantity,
    /// The threshold; none when it was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Quantity>,
}

/// An alert after an event.
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

/// Evidence: the thresholds of the levels among the keys of a draft, and of its alerts, at the positions of their keys.
#[derive(Debug)]
pub struct KeyThresholds(pub Vec<Option<Quantity>>);

/// Raises and clears the alerts of the levels that the draft has moved across their thresholds. Requests the alert of each level with a
/// threshold.
pub fn update_alerts(draft: &mut Draft<'_>) {
    let Some(KeyThresholds(thresholds)) = draft.evidence() else { return };
    for (key, threshold) in draft.keys().iter().zip(thresholds) {
        match key {
            Key::Level(store_id, sku) if threshold.is_some() => {
                let alert = Key::Alert(store_id.clone(), sku.clone());
                if draft.keys().binary_search(&alert).is_err() {
                    draft.need(alert);
                }
            }
            Key::Alert(store_id, sku) => {
                let level = draft.state::<Level>(&Key::Level(store_id.clone(), sku.clone()));
                let qty = level.qty();
                let low = threshold.is_some_and(|threshold| qty <= threshold) && level.version() > 0;
                if draft.state::<Alert>(key).raised.is_some() != low {
                    let (store_id, sku, threshold) = (store_id.clone(), sku.clone(), *threshold);
                    draft.record(Fact::Alert(AlertFact { store_id, sku, raised: low, qty, threshold }));
                }
            }
            _ => {}
        }
    }
}

impl Kind for Alert {
    type Id = (StoreId, Sku);
    type State = Self;
    type Fact = AlertFact;
    type After = AlertAfter;
    type Record = AlertRecord;
    type Undo = Self;

    const LEASE: Leasing = Leasing::WithAnother;

    fn id(fact: &AlertFact) -> (StoreId, Sku) {
        (fact.store_id.clone(), fact.sku.clone())
    }

    fn event(_: &AlertFact) -> EventKind {
        EventKind::Alert
    }

    fn read<'de, D: Deserializer<'de>>(_: EventKind, payload: D) -> Result<AlertFact, D::Error> {
        Deserialize::deserialize(payload)
    }

    fn place(fact: &AlertFact) -> Option<(&StoreId, &Sku)> {
        Some((&fact.store_id, &fact.sku))
    }

    fn apply(alert: &mut Self, fact: &AlertFact, at: Timestamp) -> Result<Self, Misfit> {
        let raised = match (fact.raised, fact.threshold) {
            (false, _) => None,
            (true, Some(threshold)) if fact.qty <= threshold => Some(Raised { qty: fact.qty, threshold }),
            (true, _) => return Err(WRONG),
        };
        if raised.is_some() == alert.raised.is_some() {
            return Err(WRONG);
        }
        let version = alert.version + 1;
        Ok(std::mem::replace(alert, Self { raised, version, updated_at: at }))
    }

    fn undo(alert: &mut Self, before: Self) {
        *alert = before;
    }

    fn after(alert: &Self) -> AlertAfter {
        AlertAfter { raised: alert.raised.is_some(), version: alert.version }
    }

    fn before(fact: &AlertFact, after: AlertAfter) -> Option<AlertAfter> {
        let fits = after.raised == fact.raised;
        Some(AlertAfter { raised: !fact.raised, version: after.version.checked_sub(1).filter(|_| fits)? })
    }

    fn version_of(after: &AlertAfter) -> u64 {
        after.version
    }

    fn version(alert: &Self) -> u64 {
        alert.version
    }

    fn set_updated_at(alert: &mut Self, at: Timestamp) {
        alert.updated_at = at;
    }

    fn decided_with((store_id, sku): &(StoreId, Sku)) -> Option<Key> {
        Some(Key::Level(store_id.clone(), sku.clone()))
    }

    fn record(alert: &Self, (store_id, sku): (StoreId, Sku)) -> AlertRecord {
        let &Self { raised, version, updated_at } = alert;
        AlertRecord { store_id, sku, raised, version, updated_at }
    }

    fn restore(record: AlertRecord) -> Result<((StoreId, Sku), Self), Misfit> {
        let AlertRecord { store_id, sku, raised, version, updated_at } = record;
        // It was raised first, and then alternately.
        if version == 0 || raised.is_some() != (version % 2 == 1) {
            return Err(WRONG);
        }
        Ok(((store_id, sku), Self { raised, version, updated_at }))
    }

    fn id_in(record: &AlertRecord) -> (StoreId, Sku) {
        (record.store_id.clone(), record.sku.clone())
    }

    fn updated_at_in(record: &AlertRecord) -> Timestamp {
        record.updated_at
    }

    fn place_in(record: &AlertRecord) -> Option<(&StoreId, &Sku)> {
        Some((&record.store_id, &record.sku))
    }
}
