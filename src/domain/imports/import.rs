//! The state of one import, and the fact that moves it.

use crate::{EventKind, ImportId, Kind, Misfit, Rejection, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// An import step that does not follow the last one.
const OUT_OF_STEP: Misfit = Misfit("the event does not follow the import's last row");

/// The progress of an import. Rows count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    /// The last row that was decided, by the server or by the importer itself.
    pub rows_done: u64,
    /// Number of rows applied.
    pub applied: u64,
    /// Number of rows that the ledger refused.
    pub refused: u64,
    /// True once the last row was decided.
    pub finished: bool,
    /// The number of steps.
    pub version: u64,
    /// The time of the last step.
    pub updated_at: Timestamp,
}

/// `IMPORT`: the rows after `after_row` up to `through_row` were decided in this entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportFact {
    /// The id of the import.
    pub import_id: ImportId,
    /// The last decided row before this step.
    pub after_row: u64,
    /// The last decided row after this step.
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
    /// The reason of the refusal.
    #[serde(flatten)]
    pub rejection: Rejection,
}

/// The progress after a step.
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

impl Kind for Import {
    type Id = (ImportId,);
    type State = Self;
    type Fact = ImportFact;
    type After = ImportAfter;
    type Record = ImportRecord;
    type Undo = Self;

    fn id(step: &ImportFact) -> (ImportId,) {
        (step.import_id.clone(),)
    }

    fn event(_: &ImportFact) -> EventKind {
        EventKind::Import
    }

    fn read<'de, D: Deserializer<'de>>(_: EventKind, payload: D) -> Result<ImportFact, D::Error> {
        Deserialize::deserialize(payload)
    }

    fn apply(import: &mut Self, step: &ImportFact, at: Timestamp) -> Result<Self, Misfit> {
        let rows = step.through_row.checked_sub(step.after_row);
        let decided = step.applied.checked_add(step.refused.len() as u64);
        let fits =
            step.after_row == import.rows_done && rows.is_some() && decided.is_some() && decided <= rows;
        if !fits || import.finished {
            return Err(OUT_OF_STEP);
        }
        let before = import.clone();
        import.rows_done = step.through_row;
        // Never beyond the number of rows, which was just checked to fit.
        import.applied += step.applied;
        import.refused += step.refused.len() as u64;
        import.finished = step.last;
        import.version += 1;
        import.updated_at = at;
        Ok(before)
    }

    fn undo(import: &mut Self, before: Self) {
        *import = before;
    }

    fn after(import: &Self) -> ImportAfter {
        let &Self { rows_done, applied, refused, version, .. } = import;
        ImportAfter { rows_done, applied, refused, version }
    }

    fn before(step: &ImportFact, after: ImportAfter) -> Option<ImportAfter> {
        Some(ImportAfter {
            rows_done: step.after_row,
            applied: after.applied.checked_sub(step.applied)?,
            refused: after.refused.checked_sub(step.refused.len() as u64)?,
            version: after.version.checked_sub(1)?,
        })
    }

    fn version_of(after: &ImportAfter) -> u64 {
        after.version
    }

    fn version(import: &Self) -> u64 {
        import.version
    }

    fn set_updated_at(import: &mut Self, at: Timestamp) {
        import.updated_at = at;
    }

    fn record(import: &Self, (import_id,): (ImportId,)) -> ImportRecord {
        let &Self { rows_done, applied, refused, finished, version, updated_at } = import;
        ImportRecord { import_id, rows_done, applied, refused, finished, version, updated_at }
    }

    fn restore(record: ImportRecord) -> Result<((ImportId,), Self), Misfit> {
        if record.applied.checked_add(record.refused).is_none_or(|decided| decided > record.rows_done) {
            return Err(Misfit::NUMBER);
        }
        let ImportRecord { import_id, rows_done, applied, refused, finished, version, updated_at } = record;
        Ok(((import_id,), Self { rows_done, applied, refused, finished, version, updated_at }))
    }

    fn id_in(record: &ImportRecord) -> (ImportId,) {
        (record.import_id.clone(),)
    }

    fn updated_at_in(record: &ImportRecord) -> Timestamp {
        record.updated_at
    }
}
