//! A CSV file as numbered records: opens it, reads its header, and hands out one record after another.

use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str;

use csv::ByteRecord;

use super::source::{BUFFER_BYTES, END, HashedFile, RECORD_BYTES_MAX};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_spreadsheet::shown;

/// One record as it is in the file, not validated.
#[derive(Debug)]
pub(crate) struct CsvRecord<'a> {
    /// 1 for the first record after the header.
    pub(crate) row: u64,
    /// Line of the file on which the record starts; a quoted field may hold line feeds.
    pub(crate) line: u64,
    pub(crate) fields: &'a ByteRecord,
}

/// A CSV file that is being read.
pub(crate) struct CsvFile {
    path: PathBuf,
    reader: csv::Reader<HashedFile>,
    header: Vec<String>,
    record: ByteRecord,
    row: u64,
}

impl CsvFile {
    /// Opens `path` and reads its header. `meaning` goes into the fingerprint in front of the file.
    ///
    /// # Errors
    /// [`Exit::NoInput`] when it cannot be opened or read, [`Exit::Data`] when it has no usable header.
    pub(crate) fn open(path: &Path, delimiter: u8, meaning: &[u8]) -> Result<Self, Failure> {
        let file = File::open(path).or_exit(Exit::NoInput, || format!("cannot open {}", path.display()))?;
        let metadata =
            file.metadata().or_exit(Exit::NoInput, || format!("cannot read {}", path.display()))?;
        if !metadata.is_file() {
            let message =
                format!("{} is not a regular file; it has to be read more than once", path.display());
            return Err(Failure::new(Exit::NoInput, message));
        }
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .buffer_capacity(BUFFER_BYTES)
            .from_reader(HashedFile::new(file, meaning));
        let mut header = reader.byte_headers().map_err(|error| unreadable(path, &error, 0, 1))?.clone();
        match ending(&header) {
            Ending::Not => {}
            Ending::Clean => header.clear(),
            Ending::InQuote => return Err(open_quote(path, 0, 1)),
        }
        let header = names(&header).map_err(|reason| unusable(path, reason))?;
        Ok(Self { path: path.to_owned(), reader, header, record: ByteRecord::new(), row: 0 })
    }

    /// The next record, or none at the end of the file. Cells that were escaped for spreadsheets are unescaped.
    ///
    /// # Errors
    /// [`Exit::NoInput`] when the file cannot be read on, [`Exit::Data`] when a record has no end.
    pub(crate) fn next(&mut self) -> Result<Option<CsvRecord<'_>>, Failure> {
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
        if self.record.iter().any(|field| shown(field) != field) {
            self.record = self.record.iter().map(shown).collect();
        }
        Ok(Some(CsvRecord { row: self.row, line, fields: &self.record }))
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// SHA-256 in hex over the options and the file, once its end was reached.
    pub(crate) fn fingerprint(&self) -> String {
        self.reader.get_ref().fingerprint()
    }
}

/// The failure for a file that cannot be imported.
pub(crate) fn unusable(path: &Path, reason: impl Display) -> Failure {
    Failure::new(Exit::Data, format!("{}: {reason}", path.display()))
}

fn names(header: &ByteRecord) -> Result<Vec<String>, &'static str> {
    let names = header
        .iter()
        .map(|name| str::from_utf8(shown(name)).map(|name| name.trim().to_owned()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| "the first line is not UTF-8; convert the file, for example with iconv")?;
    if names.iter().all(String::is_empty) {
        return Err("the file has no header line that names its columns");
    }
    Ok(names)
}

/// Whether a record has the end mark of the file, and where.
enum Ending {
    Not,
    Clean,
    /// [`END`] became part of a field, because a quote was never closed.
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
