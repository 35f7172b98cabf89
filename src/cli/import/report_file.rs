//! The report of an import, and the part of it that the summary shows.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::table::CsvRecord;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_spreadsheet::safe;

/// Rejected rows listed in the summary; the report has all.
const SHOWN_MAX: usize = 10;

/// Counts of the rejected rows, and the first of them.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Number of rows by reason code.
    pub(super) by_code: BTreeMap<String, u64>,
    /// The first rows, one line of text each.
    pub(super) first: Vec<String>,
    /// Number of all rows.
    pub(super) total: u64,
}

/// The report goes to standard output under this name.
const STDOUT: &str = "-";

/// True when the report takes standard output; the summary is for standard error then.
pub(crate) fn takes_stdout(report: Option<&Path>) -> bool {
    report.is_some_and(|report| report.as_os_str() == STDOUT)
}

/// Checks that the report can be written, before anything is sent. An existing file stays unchanged.
///
/// # Errors
/// [`Exit::CannotCreate`] when it cannot be written, [`Exit::Usage`] when it is the input file.
pub(crate) fn check(report: &Path, input: &Path) -> Result<(), Failure> {
    if takes_stdout(Some(report)) {
        return Ok(());
    }
    let describe = || format!("cannot create the report {}", report.display());
    OpenOptions::new().append(true).create(true).open(report).or_exit(Exit::CannotCreate, describe)?;
    let same =
        report.canonicalize().ok().zip(input.canonicalize().ok()).is_some_and(|(one, other)| one == other);
    if same {
        return Err(Failure::new(
            Exit::Usage,
            "--report names the file that is to be imported; give another name",
        ));
    }
    Ok(())
}

impl Refusals {
    /// Counts one row.
    pub(super) fn add(&mut self, record: &CsvRecord<'_>, code: String, detail: &str) {
        self.total += 1;
        if self.first.len() < SHOWN_MAX {
            self.first.push(format!("row {} (line {}): {code}: {detail}", record.row, record.line));
        }
        *self.by_code.entry(code).or_default() += 1;
    }
}

/// The report file: CSV with a header.
pub(crate) struct ReportFile {
    writer: csv::Writer<Box<dyn Write>>,
}

impl ReportFile {
    /// Creates the file. Each line has row, line, code and detail, and then the fields in `names`.
    ///
    /// # Errors
    /// [`Exit::CannotCreate`], [`Exit::Io`].
    pub(crate) fn create(path: &Path, names: &[&str]) -> Result<Self, Failure> {
        let describe = || format!("cannot create the report {}", path.display());
        let file: Box<dyn Write> = if takes_stdout(Some(path)) {
            Box::new(io::stdout().lock())
        } else {
            Box::new(File::create(path).or_exit(Exit::CannotCreate, describe)?)
        };
        let mut writer = csv::Writer::from_writer(file);
        let names = ["row", "line", "code", "detail"].iter().chain(names);
        writer.write_record(names).or_exit(Exit::Io, || "cannot write the report")?;
        Ok(Self { writer })
    }

    /// Writes a line of one row, with the fields at these positions.
    ///
    /// # Errors
    /// [`Exit::Io`].
    pub(crate) fn write(
        &mut self,
        record: &CsvRecord<'_>,
        code: &str,
        detail: &str,
        places: &[Option<usize>],
    ) -> Result<(), Failure> {
        let field = |at: &Option<usize>| {
            let bytes = at.and_then(|at| record.fields.get(at)).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        let told = [record.row.to_string(), record.line.to_string(), code.to_owned(), detail.to_owned()];
        let fields = told.into_iter().chain(places.iter().map(field));
        // People open it in a spreadsheet, correct it, and import it.
        let fields = fields.map(|field| safe(field.as_bytes()).into_owned());
        self.writer.write_record(fields).or_exit(Exit::Io, || "cannot write the report")
    }

    /// Flushes the file.
    ///
    /// # Errors
    /// [`Exit::Io`].
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.writer.flush().or_exit(Exit::Io, || "cannot write the report")
    }
}
