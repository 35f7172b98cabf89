//! The first pass over the file: is it readable to its end, what is its fingerprint, how many rows does it have?
//! Only after that is anything sent, so a file that is broken somewhere leaves no trace.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str;

use super::super::exit::Failure;
use super::columns;
use super::options::{Reading, StoreFrom};
use super::row;
use super::table::Record;

/// Hex digits of the fingerprint that name the import.
const IMPORT_ID_LENGTH: usize = 32;
/// Different store names watched for falling together, at most.
const STORES_WATCHED_MAX: usize = 100_000;
/// Pairs of store names that fell together, told at most.
const MERGED_SHOWN_MAX: usize = 5;

/// A file, how it is read, and what the first pass found.
#[derive(Debug)]
pub(super) struct Survey {
    pub(super) path: PathBuf,
    pub(super) reading: Reading,
    /// SHA-256 in hex over options and file.
    pub(super) fingerprint: String,
    /// Rows after the header.
    pub(super) rows: u64,
    /// Rows that are refused before they are sent.
    pub(super) refused: u64,
    /// Different names that became one store id, for the person to judge.
    pub(super) merged_stores: Vec<String>,
}

impl Survey {
    /// Reads the file from start to end.
    ///
    /// # Errors
    /// Those of [`columns::open`] and [`Table::next`](super::table::Table::next).
    pub(super) fn take(path: PathBuf, reading: Reading) -> Result<Self, Failure> {
        let (mut table, columns) = columns::open(&path, &reading)?;
        let mut names = Names::default();
        let (mut rows, mut refused) = (0, 0);
        while let Some(record) = table.next()? {
            rows += 1;
            match row::read(&record, &columns, &reading) {
                Ok(row) if matches!(reading.store, StoreFrom::Names(_)) => {
                    names.saw(row.store_id.as_str(), name(&record, columns.store));
                }
                Ok(_) => {}
                Err(_) => refused += 1,
            }
        }
        let fingerprint = table.fingerprint();
        Ok(Self { path, reading, fingerprint, rows, refused, merged_stores: names.merged })
    }

    /// The name of this import in the log.
    pub(super) fn import_id(&self) -> &str {
        self.fingerprint.get(..IMPORT_ID_LENGTH).expect("a SHA-256 has 64 hex digits")
    }
}

fn name<'a>(record: &Record<'a>, store: Option<usize>) -> &'a str {
    let field = store.and_then(|at| record.fields.get(at)).unwrap_or_default();
    str::from_utf8(field).unwrap_or_default().trim()
}

/// Watches for different names that end up as one store.
#[derive(Default)]
struct Names {
    first: HashMap<String, String>,
    merged: Vec<String>,
}

impl Names {
    fn saw(&mut self, id: &str, name: &str) {
        match self.first.get(id) {
            Some(first) if first.eq_ignore_ascii_case(name) => {}
            Some(first) => {
                let pair = format!("{first:?} and {name:?} are one store, {id}");
                if self.merged.len() < MERGED_SHOWN_MAX && !self.merged.contains(&pair) {
                    self.merged.push(pair);
                }
            }
            None if self.first.len() < STORES_WATCHED_MAX => {
                self.first.insert(id.to_owned(), name.to_owned());
            }
            None => {}
        }
    }
}
