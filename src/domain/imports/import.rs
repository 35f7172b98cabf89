//! The state of one import, and the fact that moves it.

use crate::domain::{ImportId, Misfit, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

/// How far an import has come. Rows count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    /// The last row that was decided, by the server or by the importer itself.
    pub rows_done: u64,
    /// Rows applied.
    pub applied: u64,
    /// Rows the ledger refused.
    pub refused: u64,
    /// True once the last row was decided.
    pub finished: bool,
    /// Steps so far.
    pub version: u64,
    /// The time of the last step.
    pub updated_at: Timestamp,
}

/// `IMPORT`: the rows after `after_row` up to `through_row` were decided in this entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Progress {
    /// Which import.
    pub import_id: ImportId,
    /// The last row before.
    pub after_row: u64,
    /// The last row now.
    pub through_row: u64,
    /// How many of them were applied.
    pub applied: u64,
    /// Those that were refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedRow>,
    /// True when these were the last rows of the file.
    pub last: bool,
}

/// A row the ledger refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// The row's number.
    pub row: u64,
    /// Why.
    #[serde(flatten)]
    pub rejection: Rejection,
}

/// What the import came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportAfter {
    /// See [`Import::rows_done`].
    pub rows_done: u64,
    /// See [`Import::applied`].
    pub applied: u64,
    /// See [`Import::refused`].
    pub refused: u64,
    /// See [`Import::version`].
    pub version: u64,
}

/// An import in a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Import, under their names")]
pub struct ImportRecord {
    pub import_id: ImportId,
    pub rows_done: u64,
    pub applied: u64,
    pub refused: u64,
    pub finished: bool,
    pub version: u64,
    pub updated_at: Timestamp,
}

impl Progress {
    /// What the import was before this step, from what it was after; nothing when the two cannot belong together.
    pub fn before(&self, after: ImportAfter) -> Option<ImportAfter> {
        Some(ImportAfter {
            rows_done: self.after_row,
            applied: after.applied.checked_sub(self.applied)?,
            refused: after.refused.checked_sub(self.refused.len() as u64)?,
            version: after.version.checked_sub(1)?,
        })
    }
}

impl Import {
    /// Moves on by one step; answers what it was before.
    pub(in crate::domain) fn apply(&mut self, step: &Progress, at: Timestamp) -> Result<Self, Misfit> {
        let rows = step.through_row.checked_sub(step.after_row);
        let decided = step.applied.checked_add(step.refused.len() as u64);
        let fits = step.after_row == self.rows_done && rows.is_some() && decided.is_some() && decided <= rows;
        if !fits || self.finished {
            return Err(Misfit::Import);
        }
        let before = self.clone();
        self.rows_done = step.through_row;
        // Never beyond the number of rows, which was just checked to fit.
        self.applied += step.applied;
        self.refused += step.refused.len() as u64;
        self.finished = step.last;
        self.version += 1;
        self.updated_at = at;
        Ok(before)
    }

    /// The numbers an event records.
    pub const fn after(&self) -> ImportAfter {
        ImportAfter {
            rows_done: self.rows_done,
            applied: self.applied,
            refused: self.refused,
            version: self.version,
        }
    }

    pub(in crate::domain) fn record(&self, import_id: ImportId) -> ImportRecord {
        ImportRecord {
            import_id,
            rows_done: self.rows_done,
            applied: self.applied,
            refused: self.refused,
            finished: self.finished,
            version: self.version,
            updated_at: self.updated_at,
        }
    }

    pub(in crate::domain) fn restore(record: ImportRecord) -> Result<(ImportId, Self), Misfit> {
        if record.applied.checked_add(record.refused).is_none_or(|decided| decided > record.rows_done) {
            return Err(Misfit::Number);
        }
        let import = Self {
            rows_done: record.rows_done,
            applied: record.applied,
            refused: record.refused,
            finished: record.finished,
            version: record.version,
            updated_at: record.updated_at,
        };
        Ok((record.import_id, import))
    }
}
