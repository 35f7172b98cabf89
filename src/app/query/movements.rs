//! The movements of a level, oldest first, with the numbers before and after.

use crate::app::Ledger;
use crate::app::ledger::blocking;
use crate::app::ports::{HistoryError, Moment, Movement, MovementQuery};
use crate::domain::stock::LevelAfter;
use crate::domain::{After, Fact, Key, Sequence, Sku, StoreId};
use std::sync::Arc;

/// Why a read has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The log cannot be read back.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The moment has not come yet.
    #[error("asOf lies in the future: the log ends at sequence {end}")]
    Future {
        /// The durable end of the log.
        end: Sequence,
    },
}

/// One movement with the numbers on both sides of it.
#[derive(Debug, Clone, PartialEq)]
pub struct MovementView {
    /// The event and what its entry says.
    pub movement: Movement,
    /// The numbers before it.
    pub before: LevelAfter,
    /// The numbers after it.
    pub after: LevelAfter,
}

impl Ledger {
    /// The movements of a level; empty when it never existed.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log cannot be read back.
    pub async fn movements(
        &self,
        store_id: &StoreId,
        sku: &Sku,
        query: MovementQuery,
    ) -> Result<Vec<MovementView>, ReadError> {
        let history = Arc::clone(&self.parts.history);
        let key = Key::Level(store_id.clone(), sku.clone());
        let movements = blocking(move || history.movements(&key, &query)).await?;
        Ok(movements.into_iter().filter_map(view).collect())
    }

    pub(super) fn check_past(&self, moment: Moment) -> Result<(), ReadError> {
        let end = self.parts.log.durable().sequence();
        let future = match moment {
            Moment::Sequence(sequence) => sequence > end,
            // The current millisecond is not over yet: what it shows now could change.
            Moment::Time(time) => time >= self.now(),
        };
        if future { Err(ReadError::Future { end }) } else { Ok(()) }
    }
}

fn view(movement: Movement) -> Option<MovementView> {
    match (&movement.event.fact, movement.event.after) {
        (Fact::Stock(fact), After::Level(after)) => {
            let before = fact.before(after)?;
            Some(MovementView { movement, before, after })
        }
        _ => None,
    }
}
