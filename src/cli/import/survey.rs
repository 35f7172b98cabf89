//! The first pass over the file: checks that it can be read to its end, computes its fingerprint and counts its rows.
//! Only after that is anything sent, so a file that is broken somewhere leaves no trace.

use std::path::PathBuf;
use std::str;

use super::columns;
use super::options::{ReadOptions, StoreFrom};
use super::row;
use super::store_name::StoreNames;
use super::table::{CsvRecord, unusable};
use onhand_runtime::exit::Failure;

/// Hex digits of the fingerprint that name the import.
const IMPORT_ID_LENGTH: usize = 32;

/// A file, the options it is read with, and the result of the first pass.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) path: PathBuf,
    pub(super) reading: ReadOptions,
    /// SHA-256 in hex over options and file.
    pub(super) fingerprint: String,
    /// Rows after the header.
    pub(super) rows: u64,
    /// Number of rows that are rejected before they are sent.
    pub(super) refused: u64,
    /// Notes about the names of stores, for the user to decide on.
    pub(super) store_notes: Vec<String>,
}

impl Survey {
    /// Reads the file from start to end.
    ///
    /// # Errors
    /// Those of [`columns::open`] and [`CsvFile::next`](super::table::CsvFile::next), and those of [`StoreNames`].
    pub(super) fn take(path: PathBuf, reading: ReadOptions) -> Result<Self, Failure> {
        let (mut table, columns) = columns::open(&path, &reading)?;
        let mut names = StoreNames::default();
        let (mut rows, mut refused) = (0, 0);
        while let Some(record) = table.next()? {
            rows += 1;
            match row::read(&record, &columns, &reading) {
                Ok(row) if matches!(reading.store, StoreFrom::Names(_)) => {
                    let name = name(&record, columns.store);
                    names.add(name, &row.store_id, &record, &reading.store_names)?;
                }
                Ok(_) => {}
                Err(_) => refused += 1,
            }
        }
        let fingerprint = table.fingerprint();
        let judged = names.judge(&reading.store_names);
        let store_notes = judged.map_err(|failure| unusable(&path, failure))?;
        Ok(Self { path, reading, fingerprint, rows, refused, store_notes })
    }

    /// The name of this import in the log.
    pub(super) fn import_id(&self) -> &str {
        self.fingerprint.get(..IMPORT_ID_LENGTH).expect("a SHA-256 has 64 hex digits")
    }
}

fn name<'a>(record: &CsvRecord<'a>, store: Option<usize>) -> &'a str {
    let field = store.and_then(|at| record.fields.get(at)).unwrap_or_default();
    str::from_utf8(field).unwrap_or_default().trim()
}
