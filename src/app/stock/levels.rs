//! Reads of levels: one, one as of a moment, and pages of a store or of all stores.

use crate::Ledger;
use crate::blocking;
use crate::ports::{HistoryError, Moment, Movement};
use crate::stock::movements::ReadError;
use onhand_domain::stock::LevelAfter;
use onhand_domain::{After, Key, Sku, State, StoreId, Timestamp};
use std::ops::Bound;

/// A level with its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelView {
    /// The store of the level.
    pub store_id: StoreId,
    /// The SKU of the level.
    pub sku: Sku,
    /// The numbers of the level.
    pub numbers: LevelAfter,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

impl Ledger {
    /// A level as it is now; none when it does not exist.
    ///
    /// While the disk does not answer, a level with a pending change is returned in its durable state.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log, or that of another process, cannot be read.
    pub async fn level(&self, store_id: &StoreId, sku: &Sku) -> Result<Option<LevelView>, ReadError> {
        let key = Key::Level(store_id.clone(), sku.clone());
        let durable = self.parts.log.durable();
        let seen = tokio::select! {
            biased;
            seen = self.read(&key, numbers) => seen?.flatten(),
            // With several logs the own log need not have the latest event of the level.
            () = durable.silence(), if !self.is_shared() => {
                return self.level_as_of(store_id, sku, Moment::Sequence(durable.sequence())).await;
            }
        };
        Ok(seen.map(|(numbers, updated_at)| LevelView {
            store_id: store_id.clone(),
            sku: sku.clone(),
            numbers,
            updated_at,
        }))
    }

    /// A level as it was at a moment; none when it did not exist then.
    ///
    /// # Errors
    /// [`ReadError::Future`] for a moment beyond the durable end of the log, or that the clock has not reached;
    /// [`ReadError::SeveralLogs`] for a sequence where several processes share the stock.
    pub async fn level_as_of(
        &self,
        store_id: &StoreId,
        sku: &Sku,
        moment: Moment,
    ) -> Result<Option<LevelView>, ReadError> {
        self.check_past(moment)?;
        let histories = self.histories().await?;
        let key = Key::Level(store_id.clone(), sku.clone());
        let read = move || {
            let mut found: Option<Movement> = None;
            for (_, history) in histories {
                let last = history.last_before(&key, moment)?;
                // Each log has the level up to the takeover by another one.
                found = found.into_iter().chain(last).max_by_key(|movement| movement.event.after.version());
            }
            Ok::<_, HistoryError>(found)
        };
        let found = blocking(read).await?;
        Ok(found.and_then(|movement| match movement.event.after {
            After::Level(numbers) => Some(LevelView {
                store_id: store_id.clone(),
                sku: sku.clone(),
                numbers,
                updated_at: movement.event.fact.moved_at(movement.at),
            }),
            _ => None,
        }))
    }

    /// At most `limit` levels of a store in the order of their SKUs, after `after`.
    ///
    /// # Errors
    /// As [`Ledger::level`].
    pub async fn levels(
        &self,
        store_id: &StoreId,
        after: Option<&Sku>,
        limit: usize,
    ) -> Result<Vec<LevelView>, ReadError> {
        self.catch_up().await?;
        // No SKU is empty, so a bound below every SKU of the store is the last key of the store before it.
        let bound = match after {
            Some(sku) => Bound::Excluded(Key::Level(store_id.clone(), sku.clone())),
            None => Bound::Included(first_key(store_id)),
        };
        self.levels_behind(bound, Some(store_id), limit).await
    }
}

impl Ledger {
    /// At most `limit` levels of all stores, or of one SKU in all of them, in the order of stores and SKUs, after `after`.
    ///
    /// # Errors
    /// As [`Ledger::level`].
    pub async fn all_levels(
        &self,
        sku: Option<&Sku>,
        after: Option<&(StoreId, Sku)>,
        limit: usize,
    ) -> Result<Vec<LevelView>, ReadError> {
        self.catch_up().await?;
        let Some(sku) = sku else {
            let last = after.map(|(store, sku)| Key::Level(store.clone(), sku.clone()));
            return self.levels_behind(last.map_or(Bound::Unbounded, Bound::Excluded), None, limit).await;
        };
        let mut levels = Vec::new();
        for store in self.stores_with_stock(after.map(|(store, _)| store)) {
            if levels.len() >= limit {
                break;
            }
            levels.extend(self.level(&store, sku).await?);
        }
        Ok(levels)
    }

    /// At most `limit` levels of some stores, behind `after`, in the order of stores and SKUs; of one SKU or of all.
    ///
    /// # Errors
    /// As [`Ledger::all_levels`].
    pub async fn levels_within(
        &self,
        stores: &[StoreId],
        sku: Option<&Sku>,
        after: Option<&(StoreId, Sku)>,
        limit: usize,
    ) -> Result<Vec<LevelView>, ReadError> {
        self.catch_up().await?;
        let mut levels = Vec::new();
        let begin = after.map_or(0, |(store, _)| stores.partition_point(|before| before < store));
        for store in stores.iter().skip(begin) {
            if levels.len() >= limit {
                break;
            }
            let behind = after.filter(|(last, _)| last == store).map(|(_, sku)| sku);
            match sku {
                Some(_) if behind.is_some() => {}
                Some(sku) => levels.extend(self.level(store, sku).await?),
                None => levels.extend(self.levels(store, behind, limit - levels.len()).await?),
            }
        }
        Ok(levels)
    }

    /// Reads on until there are `limit` levels or no further keys: the directory may hold levels that are not durable yet, which are
    /// skipped.
    async fn levels_behind(
        &self,
        mut bound: Bound<Key>,
        of: Option<&StoreId>,
        limit: usize,
    ) -> Result<Vec<LevelView>, ReadError> {
        let mut levels = Vec::new();
        while levels.len() < limit {
            let keys = self.entities.keys_after(bound.as_ref(), limit - levels.len());
            let Some(last) = keys.last().cloned() else { break };
            for key in &keys {
                // Levels precede all other keys.
                let Key::Level(store, sku) = key else { return Ok(levels) };
                if of.is_some_and(|of| of != store) {
                    return Ok(levels);
                }
                levels.extend(self.level(store, sku).await?);
            }
            bound = Bound::Excluded(last);
        }
        Ok(levels)
    }
}

/// A bound not above any level of the store: `-` is the first character a SKU can have.
fn first_key(store_id: &StoreId) -> Key {
    let first = Sku::new("-").expect("a dash is a valid SKU");
    Key::Level(store_id.clone(), first)
}

fn numbers(state: &State) -> Option<(LevelAfter, Timestamp)> {
    match state {
        State::Level(level) => Some((level.after(), level.updated_at())),
        _ => None,
    }
}
