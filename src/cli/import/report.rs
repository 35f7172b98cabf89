//! The last pass: every refused row with its reason, in the order of the file.
//!
//! Rows refused before sending are read from the file once more, rows refused by the node are asked from it;
//! both come in order of rows and are merged as they come. So the report is complete also for an import that was
//! interrupted, or that was finished long ago, and memory stays small whatever the size of the file.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::super::client::{Client, query_value};
use super::super::exit::{Exit, Failure, OrExit};
use super::row;
use super::survey::Survey;
use super::table::{Columns, Record, Table};
use super::wire::{RefusalPage, ServerRefusal};

/// Refused rows named in the summary; the report has all.
const SHOWN_MAX: usize = 10;
const PAGE_ITEMS: u32 = 1000;

/// What was refused.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// Refused rows by reason code.
    pub(super) by_code: BTreeMap<String, u64>,
    /// The first refused rows, told in one line each.
    pub(super) first: Vec<String>,
    /// All refused rows.
    pub(super) total: u64,
}

/// The report goes to standard output under this name.
const STDOUT: &str = "-";

/// True when the report takes standard output; the summary is for standard error then.
pub(super) fn takes_stdout(report: Option<&Path>) -> bool {
    report.is_some_and(|report| report.as_os_str() == STDOUT)
}

/// Makes sure that the report can be written, before anything is sent. What it holds stays until then.
///
/// # Errors
/// [`Exit::CannotCreate`] when it cannot, [`Exit::Usage`] when it is the file to be imported.
pub(super) fn check(report: &Path, input: &Path) -> Result<(), Failure> {
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

/// Collects every refused row, and writes them to `report`. Without a client only the file speaks (dry run).
///
/// # Errors
/// Those of reading the file and of asking the node; [`Exit::Io`] when the report cannot be written.
pub(super) async fn collect(
    client: Option<&Client>,
    survey: &Survey,
    report: Option<&Path>,
) -> Result<Refusals, Failure> {
    let mut table = Table::open(&survey.path, &survey.reading)?;
    let columns = table.columns().clone();
    let mut told = Told::new(client, survey);
    let mut file = report.map(ReportFile::create).transpose()?;
    let mut refusals = Refusals::default();
    while let Some(record) = table.next()? {
        let told_here = told.about(record.row).await?;
        let refused = match row::read(&record, &columns, &survey.reading) {
            Err(reason) => Some((reason.code().to_owned(), reason.to_string())),
            Ok(_) => told_here.map(|refusal| (refusal.code.clone(), explain(&refusal))),
        };
        if let Some((code, detail)) = refused {
            if let Some(file) = &mut file {
                file.write(&record, &columns, &code, &detail)?;
            }
            refusals.add(&record, code, &detail);
        }
    }
    if let Some(file) = file {
        file.finish()?;
    }
    Ok(refusals)
}

impl Refusals {
    fn add(&mut self, record: &Record<'_>, code: String, detail: &str) {
        self.total += 1;
        if self.first.len() < SHOWN_MAX {
            self.first.push(format!("row {} (line {}): {code}: {detail}", record.row, record.line));
        }
        *self.by_code.entry(code).or_default() += 1;
    }
}

/// What the node's refusal means to the person with the file.
fn explain(refusal: &ServerRefusal) -> String {
    match (refusal.code.as_str(), refusal.available) {
        ("insufficient-stock", Some(available)) => {
            format!("the level had only {available} left at that point")
        }
        ("insufficient-stock", None) => "the level had too little left at that point".to_owned(),
        _ => "refused by the server".to_owned(),
    }
}

/// The node's refusals, page after page.
struct Told<'a> {
    client: Option<&'a Client>,
    path: String,
    cursor: Option<String>,
    page: VecDeque<ServerRefusal>,
    ended: bool,
}

impl<'a> Told<'a> {
    fn new(client: Option<&'a Client>, survey: &Survey) -> Self {
        let path = format!("/imports/{}/refusals?limit={PAGE_ITEMS}", survey.import_id());
        Self {
            client,
            path,
            cursor: None,
            page: VecDeque::new(),
            ended: client.is_none() || survey.rows == 0,
        }
    }

    /// The node's refusal of `row`, if it refused it. Rows must be asked for in order.
    async fn about(&mut self, row: u64) -> Result<Option<ServerRefusal>, Failure> {
        while self.page.is_empty() && !self.ended {
            self.turn_page().await?;
        }
        match self.page.front() {
            Some(next) if next.row < row => Err(Failure::new(
                Exit::Unavailable,
                format!("the server says it refused row {}, out of order; is it of this version?", next.row),
            )),
            Some(next) if next.row == row => Ok(self.page.pop_front()),
            _ => Ok(None),
        }
    }

    async fn turn_page(&mut self) -> Result<(), Failure> {
        let Some(client) = self.client else { return Ok(()) };
        let path = match &self.cursor {
            Some(cursor) => format!("{}&cursor={}", self.path, query_value(cursor)),
            None => self.path.clone(),
        };
        let page: RefusalPage = client.get(&path).await?;
        self.page = page.items.into();
        self.ended = page.next_cursor.is_none();
        self.cursor = page.next_cursor;
        Ok(())
    }
}

/// The report: CSV with a header.
struct ReportFile {
    writer: csv::Writer<Box<dyn Write>>,
}

impl ReportFile {
    fn create(path: &Path) -> Result<Self, Failure> {
        let describe = || format!("cannot create the report {}", path.display());
        let file: Box<dyn Write> = if takes_stdout(Some(path)) {
            Box::new(io::stdout().lock())
        } else {
            Box::new(File::create(path).or_exit(Exit::CannotCreate, describe)?)
        };
        let mut writer = csv::Writer::from_writer(file);
        let names = ["row", "line", "code", "detail", "store", "sku", "quantity", "time", "reference"];
        writer.write_record(names).or_exit(Exit::Io, || "cannot write the report")?;
        Ok(Self { writer })
    }

    fn write(
        &mut self,
        record: &Record<'_>,
        columns: &Columns,
        code: &str,
        detail: &str,
    ) -> Result<(), Failure> {
        let field = |at: Option<usize>| at.and_then(|at| record.fields.get(at)).unwrap_or_default();
        let fields = [
            record.row.to_string().as_bytes(),
            record.line.to_string().as_bytes(),
            code.as_bytes(),
            detail.as_bytes(),
            field(columns.store),
            field(Some(columns.sku)),
            field(Some(columns.quantity)),
            field(columns.time),
            field(columns.reference),
        ]
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        self.writer.write_record(fields).or_exit(Exit::Io, || "cannot write the report")
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.writer.flush().or_exit(Exit::Io, || "cannot write the report")
    }
}
