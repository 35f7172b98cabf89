//! The columns of a file of movements, found by the names that the options give.

use std::path::Path;

use super::options::{ReadOptions, StoreFrom};
use super::table::{CsvFile, unusable};
use onhand_runtime::exit::Failure;

/// Names of columns listed in a message, at most.
const NAMES_SHOWN_MAX: usize = 40;

/// The positions of the named columns.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) store: Option<usize>,
    pub(super) sku: usize,
    pub(super) quantity: usize,
    pub(super) time: Option<usize>,
    pub(super) reference: Option<usize>,
    /// Fields that every record has.
    pub(super) count: usize,
}

/// Opens a file of movements.
///
/// # Errors
/// Those of [`CsvFile::open`], and [`Exit::Data`](onhand_runtime::exit::Exit::Data) when the file lacks a column.
pub(super) fn open(path: &Path, reading: &ReadOptions) -> Result<(CsvFile, Columns), Failure> {
    let meaning = serde_json::to_vec(reading).expect("options are plain fields");
    let table = CsvFile::open(path, reading.delimiter, &meaning)?;
    let columns = Columns::find(table.header(), reading).map_err(|reason| unusable(path, reason))?;
    Ok((table, columns))
}

impl Columns {
    /// The positions of all columns that the options name.
    pub(super) fn named(&self) -> impl Iterator<Item = usize> {
        let needed = [Some(self.sku), Some(self.quantity)];
        [self.store, self.time, self.reference].into_iter().chain(needed).flatten()
    }

    /// Finds the columns that the options name.
    fn find(names: &[String], reading: &ReadOptions) -> Result<Self, String> {
        let mut missing = Vec::new();
        let mut find = |option: &str, name: &str| {
            place(names, name).unwrap_or_else(|reason| {
                missing.push(format!("{option} {name:?} {reason}"));
                0
            })
        };
        let columns = Self {
            store: match &reading.store {
                StoreFrom::Names(name) | StoreFrom::Ids(name) => Some(find("--store-column", name)),
                StoreFrom::Fixed(_) => None,
            },
            sku: find("--sku-column", &reading.sku_column),
            quantity: find("--quantity-column", &reading.quantity_column),
            time: reading.time_column.as_ref().map(|name| find("--time-column", name)),
            reference: reading.reference_column.as_ref().map(|name| find("--reference-column", name)),
            count: names.len(),
        };
        if missing.is_empty() { Ok(columns) } else { Err(not_found(&missing, names)) }
    }
}

/// The position of the only column of that name.
pub(crate) fn place(names: &[String], wanted: &str) -> Result<usize, &'static str> {
    let mut places = names.iter().enumerate().filter(|(_, name)| *name == wanted.trim());
    match (places.next(), places.next()) {
        (Some((at, _)), None) => Ok(at),
        (Some(_), Some(_)) => Err("stands in the header more than once"),
        (None, _) => Err("is no column of the file"),
    }
}

/// The message for missing columns: their names, and the names of the columns that exist.
pub(crate) fn not_found(missing: &[String], names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(NAMES_SHOWN_MAX).map(|name| format!("{name:?}")).collect();
    if names.len() > NAMES_SHOWN_MAX {
        shown.push(format!("and {} more", names.len() - NAMES_SHOWN_MAX));
    }
    let mut text = missing.join("; ");
    text.push_str("\n  its columns are: ");
    text.push_str(&shown.join(", "));
    if names.len() == 1 {
        text.push_str("\n  only one? perhaps another --delimiter separates them");
    }
    text
}
