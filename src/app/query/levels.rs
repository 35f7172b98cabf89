//! Levels: one, a store's, or one as of a moment.

use super::movements::ReadError;
use crate::app::Ledger;
use crate::app::ledger::blocking;
use crate::app::ports::Moment;
use crate::domain::stock::LevelAfter;
use crate::domain::{After, Key, Sku, State, StoreId, Timestamp};
use std::ops::Bound;
use std::sync::Arc;

/// A level as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelView {
    /// Where.
    pub store_id: StoreId,
    /// What.
    pub sku: Sku,
    /// The numbers.
    pub numbers: LevelAfter,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

impl Ledger {
    /// A level as it is now; nothing when it does not exist.
    pub async fn level(&self, store_id: &StoreId, sku: &Sku) -> Option<LevelView> {
        let key = Key::Level(store_id.clone(), sku.clone());
        let (numbers, updated_at) = self.read(&key, numbers).await.flatten()?;
        Some(LevelView { store_id: store_id.clone(), sku: sku.clone(), numbers, updated_at })
    }

    /// A level as it was at a moment; nothing when it did not exist then.
    ///
    /// # Errors
    /// [`ReadError::Future`] for a moment beyond the durable end of the log, or that the clock has not reached.
    pub async fn level_as_of(
        &self,
        store_id: &StoreId,
        sku: &Sku,
        moment: Moment,
    ) -> Result<Option<LevelView>, ReadError> {
        self.check_past(moment)?;
        let history = Arc::clone(&self.parts.history);
        let key = Key::Level(store_id.clone(), sku.clone());
        let found = blocking(move || history.last_before(&key, moment)).await?;
        Ok(found.and_then(|movement| match movement.event.after {
            After::Level(numbers) => Some(LevelView {
                store_id: store_id.clone(),
                sku: sku.clone(),
                numbers,
                updated_at: movement.at,
            }),
            After::Import(_) | After::Clock(_) => None,
        }))
    }

    /// At most `limit` levels of a store in the order of their SKUs, after `after`.
    pub async fn levels(&self, store_id: &StoreId, after: Option<&Sku>, limit: usize) -> Vec<LevelView> {
        // No SKU is empty, so a bound below every SKU of the store is the last key of the store before it.
        let keys = match after {
            Some(sku) => {
                let last = Key::Level(store_id.clone(), sku.clone());
                self.entities.keys_after(Bound::Excluded(&last), limit)
            }
            None => self.entities.keys_after(Bound::Included(&first_key(store_id)), limit),
        };
        let mut levels = Vec::with_capacity(keys.len());
        for key in keys {
            let Key::Level(store, sku) = &key else { break };
            if store != store_id {
                break;
            }
            levels.extend(self.level(store, sku).await);
        }
        levels
    }
}

/// Not above any level of the store: `-` is the first character a SKU can be.
fn first_key(store_id: &StoreId) -> Key {
    let first = Sku::new("-").expect("a dash is a valid SKU");
    Key::Level(store_id.clone(), first)
}

fn numbers(state: &State) -> Option<(LevelAfter, Timestamp)> {
    match state {
        State::Level(level) => Some((level.after(), level.updated_at())),
        State::Import(_) | State::Clock(_) => None,
    }
}
