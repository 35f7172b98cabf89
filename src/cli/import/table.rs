//! A CSV file as numbered records: opens it, finds the named columns, and hands out one record after another.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str;

use csv::ByteRecord;

use super::super::exit::{Exit, Failure, OrExit};
use super::options::{Reading, StoreFrom};
use super::source::{BUFFER_BYTES, END, RECORD_BYTES_MAX, Source};

/// Names of columns listed in a message, at most.
const NAMES_SHOWN_MAX: usize = 40;

/// Where the named columns stand.
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

/// One record, not yet judged.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// 1 for the first record after the header.
    pub(super) row: u64,
    /// Line of the file on which the record starts; a quoted field may hold line feeds.
    pub(super) line: u64,
    pub(super) fields: &'a ByteRecord,
}

/// A CSV file that is being read.
pub(super) struct Table {
    path: PathBuf,
    reader: csv::Reader<Source>,
    columns: Columns,
    record: ByteRecord,
    row: u64,
}

impl Table {
    /// Opens `path` and reads its header.
    ///
    /// # Errors
    /// [`Exit::NoInput`] when it cannot be opened or read, [`Exit::Data`] when it has no usable header.
    pub(super) fn open(path: &Path, reading: &Reading) -> Result<Self, Failure> {
        let file = File::open(path).or_exit(Exit::NoInput, || format!("cannot open {}", path.display()))?;
        let metadata =
            file.metadata().or_exit(Exit::NoInput, || format!("cannot read {}", path.display()))?;
        if !metadata.is_file() {
            let message =
                format!("{} is not a regular file; it has to be read more than once", path.display());
            return Err(Failure::new(Exit::NoInput, message));
        }
        let meaning = serde_json::to_vec(reading).expect("options are plain fields");
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(reading.delimiter)
            .flexible(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(Source::new(file, &meaning));
        let mut header = reader.byte_headers().map_err(|error| unreadable(path, &error, 0, 1))?.clone();
        match ending(&header) {
            Ending::Not => {}
            Ending::Clean => header.clear(),
            Ending::InQuote => return Err(open_quote(path, 0, 1)),
        }
        let columns = Columns::find(&header, reading)
            .map_err(|reason| Failure::new(Exit::Data, format!("{}: {reason}", path.display())))?;
        Ok(Self { path: path.to_owned(), reader, columns, record: ByteRecord::new(), row: 0 })
    }

    /// The next record, or none at the end of the file.
    ///
    /// # Errors
    /// [`Exit::NoInput`] when the file cannot be read on, [`Exit::Data`] when a record has no end.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, Failure> {
        let start = self.reader.position();
        let (byte, line) = (start.byte(), start.line());
        self.reader.get_ref().record_starts(byte);
        let more = self.reader.read_byte_record(&mut self.record);
        if !more.map_err(|error| unreadable(&self.path, &error, self.row + 1, line))? {
            return Ok(None);
        }
        match ending(&self.record) {
            Ending::Not => self.row += 1,
            Ending::Clean => return Ok(None),
            Ending::InQuote => return Err(open_quote(&self.path, self.row + 1, line)),
        }
        let line = self.record.position().map_or(line, csv::Position::line);
        Ok(Some(Record { row: self.row, line, fields: &self.record }))
    }

    /// Where the named columns stand.
    pub(super) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// SHA-256 in hex over the options and the file, once its end was reached.
    pub(super) fn fingerprint(&self) -> String {
        self.reader.get_ref().fingerprint()
    }
}

/// Whether a record is the one behind the end of the file.
enum Ending {
    Not,
    Clean,
    /// It became part of a field, because a quote was never closed.
    InQuote,
}

fn ending(record: &ByteRecord) -> Ending {
    match record.iter().next_back() {
        Some(field) if field == END.as_bytes() && record.len() == 1 => Ending::Clean,
        Some(field) if field.trim_ascii_end().ends_with(END.as_bytes()) => Ending::InQuote,
        _ => Ending::Not,
    }
}

fn open_quote(path: &Path, row: u64, line: u64) -> Failure {
    Failure::new(
        Exit::Data,
        format!(
            "{}: row {row}, from line {line} on, opens a quote that is never closed. Nothing was sent",
            path.display()
        ),
    )
}

fn unreadable(path: &Path, error: &csv::Error, row: u64, line: u64) -> Failure {
    match error.kind() {
        csv::ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::InvalidData => Failure::new(
            Exit::Data,
            format!(
                "{}: row {row}, from line {line} on, is longer than {RECORD_BYTES_MAX} bytes: is a quote opened there \
                 and never closed? Nothing was sent",
                path.display()
            ),
        ),
        _ => Failure::new(
            Exit::NoInput,
            format!("{}: cannot read on after line {line}: {error}", path.display()),
        ),
    }
}

impl Columns {
    /// The places of all columns that the options name.
    pub(super) fn named(&self) -> impl Iterator<Item = usize> {
        let needed = [Some(self.sku), Some(self.quantity)];
        [self.store, self.time, self.reference].into_iter().chain(needed).flatten()
    }

    /// Finds the columns that the options name.
    fn find(header: &ByteRecord, reading: &Reading) -> Result<Self, String> {
        let names = header
            .iter()
            .map(|name| str::from_utf8(name).map(str::trim))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| {
                "the first line is not UTF-8; convert the file, for example with iconv".to_owned()
            })?;
        if names.iter().all(|name| name.is_empty()) {
            return Err("the file has no header line that names its columns".to_owned());
        }
        let mut missing = Vec::new();
        let mut find = |option: &str, name: &str| {
            place(&names, name).unwrap_or_else(|reason| {
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
        if missing.is_empty() { Ok(columns) } else { Err(not_found(&missing, &names)) }
    }
}

fn place(names: &[&str], wanted: &str) -> Result<usize, &'static str> {
    let mut places = names.iter().enumerate().filter(|(_, name)| **name == wanted.trim());
    match (places.next(), places.next()) {
        (Some((at, _)), None) => Ok(at),
        (Some(_), Some(_)) => Err("stands in the header more than once"),
        (None, _) => Err("is no column of the file"),
    }
}

fn not_found(missing: &[String], names: &[&str]) -> String {
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
