//! Bulk imports: how far one has come, and which rows were refused.

use super::movements::ReadError;
use crate::app::Ledger;
use crate::app::ledger::blocking;
use crate::app::ports::{HistoryError, MovementQuery};
use crate::domain::imports::{Import, RefusedRow};
use crate::domain::{Fact, ImportId, Key, Sequence, State};
use std::fmt;
use std::sync::Arc;

/// An import as it is shown.
pub type ImportView = Import;

/// A refused row, and where to go on behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its place.
    pub place: RefusedPlace,
    /// The row.
    pub row: RefusedRow,
}

/// The place of a refused row: written `sequence.row`, so that a page begins where the one before it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefusedPlace {
    /// The `IMPORT` event.
    pub sequence: Sequence,
    /// The row's number.
    pub row: u64,
}

impl fmt::Display for RefusedPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.sequence, self.row)
    }
}

impl RefusedPlace {
    /// Reads what was written.
    pub fn parse(text: &str) -> Option<Self> {
        let (sequence, row) = text.split_once('.')?;
        Some(Self { sequence: Sequence(sequence.parse().ok()?), row: row.parse().ok()? })
    }
}

/// How many steps are read at once while looking for refused rows.
const STEPS_PER_READ: usize = 64;

impl Ledger {
    /// An import as it stands; nothing when it was never begun.
    pub async fn import(&self, import_id: &ImportId) -> Option<ImportView> {
        let key = Key::Import(import_id.clone());
        let seen = self.read(&key, |state| match state {
            State::Import(import) => Some(import.clone()),
            State::Level(_) | State::Clock(_) => None,
        });
        seen.await.flatten()
    }

    /// At most `limit` refused rows behind `after`, in order.
    ///
    /// # Errors
    /// As [`Ledger::movements`].
    pub async fn import_refusals(
        &self,
        import_id: &ImportId,
        after: RefusedPlace,
        limit: usize,
    ) -> Result<Vec<Refused>, ReadError> {
        let history = Arc::clone(&self.parts.history);
        let key = Key::Import(import_id.clone());
        let read = move || {
            let mut refused = Vec::new();
            let mut query = MovementQuery {
                // The step of the last row may have refused more.
                after: after.sequence.minus(1),
                limit: STEPS_PER_READ,
                kind: None,
                since: None,
                until: None,
            };
            loop {
                let steps = history.movements(&key, &query)?;
                let Some(last) = steps.last() else { return Ok(refused) };
                query.after = last.sequence;
                for step in steps {
                    let Fact::Import(progress) = step.event.fact else { continue };
                    let rows = progress.refused.into_iter().filter(|row| row.row > after.row);
                    let place = |row| RefusedPlace { sequence: step.sequence, row };
                    refused.extend(rows.map(|row| Refused { place: place(row.row), row }));
                }
                if refused.len() >= limit {
                    refused.truncate(limit);
                    return Ok(refused);
                }
            }
        };
        let refused: Result<_, HistoryError> = blocking(read).await;
        Ok(refused?)
    }
}
