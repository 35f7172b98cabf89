//! The progress and the refused rows of a bulk import.

use crate::Ledger;
use crate::blocking;
use crate::ports::{History, HistoryError, MovementQuery};
use crate::stock::movements::ReadError;
use onhand_domain::imports::{Import, RefusedRow};
use onhand_domain::{EventKind, Fact, ImportId, Key, Sequence, State};
use smol_str::SmolStr;
use std::fmt;

/// The progress of an import.
pub type ImportView = Import;

/// A refused row with its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The position, from which a reader continues.
    pub place: RefusedPlace,
    /// The refused row.
    pub row: RefusedRow,
}

/// The position of a refused row, written `sequence.row`: a page begins where the one before it ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefusedPlace {
    /// The sequence of the `IMPORT` event.
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
    /// Parses the written form.
    pub fn parse(text: &str) -> Option<Self> {
        let (sequence, row) = text.split_once('.')?;
        Some(Self { sequence: Sequence(sequence.parse().ok()?), row: row.parse().ok()? })
    }
}

/// `IMPORT` events of one read.
const STEPS_PER_READ: usize = 64;

impl Ledger {
    /// The progress of an import; none when it was never begun.
    ///
    /// # Errors
    /// [`ReadError::History`] when the log of another process cannot be read.
    pub async fn import(&self, import_id: &ImportId) -> Result<Option<ImportView>, ReadError> {
        let key = Key::Import(import_id.clone());
        let seen = self.read(&key, |state| match state {
            State::Import(import) => Some(import.clone()),
            _ => None,
        });
        Ok(seen.await?.flatten())
    }

    /// True when the actor has begun the import, or nobody has: an import is whose first step it was.
    ///
    /// # Errors
    /// As [`Ledger::movements`].
    pub async fn import_is_of(&self, import_id: &ImportId, actor: Option<&str>) -> Result<bool, ReadError> {
        // A first step that is not durable yet is waited for.
        if self.import(import_id).await?.is_none_or(|import| import.version == 0) {
            return Ok(true);
        }
        let histories = self.histories().await?;
        let (key, actor) = (Key::Import(import_id.clone()), actor.map(SmolStr::from));
        let read = move || {
            let first = MovementQuery {
                after: Sequence::START,
                limit: 1,
                kind: Some(EventKind::Import),
                since: None,
                until: None,
            };
            for (_, history) in histories {
                let step = history.movements(&key, &first)?.pop();
                // Each log has the steps that its process has decided, and one of them the first.
                if let Some(step) = step.filter(|step| step.event.after.version() == 1) {
                    return Ok(step.actor == actor);
                }
            }
            Ok(false)
        };
        let is_of: Result<_, HistoryError> = blocking(read).await;
        Ok(is_of?)
    }

    /// At most `limit` refused rows after `after`, in order.
    ///
    /// # Errors
    /// As [`Ledger::movements`].
    pub async fn import_refusals(
        &self,
        import_id: &ImportId,
        after: RefusedPlace,
        limit: usize,
    ) -> Result<Vec<Refused>, ReadError> {
        let histories = self.histories().await?;
        let key = Key::Import(import_id.clone());
        let read = move || {
            let mut refused = Vec::new();
            let single = histories.len() == 1;
            for (_, history) in histories {
                // Sequences of several logs are not comparable, so only the row's number counts.
                let from = if single { after.sequence } else { Sequence::START };
                refused.extend(refusals(&*history, &key, from, after.row, limit)?);
            }
            refused.sort_by_key(|refused| refused.place.row);
            refused.truncate(limit);
            Ok(refused)
        };
        let refused: Result<_, HistoryError> = blocking(read).await;
        Ok(refused?)
    }
}

/// At most `limit` refused rows of one log after the row `after`, from the sequence `from` on.
fn refusals(
    history: &dyn History,
    key: &Key,
    from: Sequence,
    after: u64,
    limit: usize,
) -> Result<Vec<Refused>, HistoryError> {
    let mut refused = Vec::new();
    // The event of the last row is read again: it may hold further refused rows.
    let mut query =
        MovementQuery { after: from.minus(1), limit: STEPS_PER_READ, kind: None, since: None, until: None };
    loop {
        let steps = history.movements(key, &query)?;
        let Some(last) = steps.last() else { return Ok(refused) };
        query.after = last.sequence;
        for step in steps {
            let Fact::Import(progress) = step.event.fact else { continue };
            let rows = progress.refused.into_iter().filter(|row| row.row > after);
            let place = |row| RefusedPlace { sequence: step.sequence, row };
            refused.extend(rows.map(|row| Refused { place: place(row.row), row }));
        }
        if refused.len() >= limit {
            refused.truncate(limit);
            return Ok(refused);
        }
    }
}
