//! The last pass: every rejected row with its reason, in the order of the file.
//!
//! Rows rejected before sending are read from the file once more, rows rejected by the node are requested from it; both
//! arrive in row order and are merged as a stream. So the report is complete also for an import that was interrupted,
//! or that was finished long ago, and memory stays small whatever the size of the file.

use std::collections::VecDeque;
use std::path::Path;

use super::columns;
use super::report_file::{Refusals, ReportFile};
use super::row;
use super::survey::Survey;
use super::wire::{RefusalPage, ServerRefusal};
use crate::terminal::client::{NodeClient, query_value};
use onhand_runtime::exit::{Exit, Failure};

const PAGE_ITEMS: u32 = 1000;
/// The fields of a row in the report, after its reason.
const NAMES: [&str; 5] = ["store", "sku", "quantity", "time", "reference"];

/// Collects every rejected row, and writes them to `report`. Without a client (dry run) only the file is read.
///
/// # Errors
/// Those of reading the file and of requests to the node; [`Exit::Io`] when the report cannot be written.
pub(super) async fn collect(
    client: Option<&NodeClient>,
    survey: &Survey,
    report: Option<&Path>,
) -> Result<Refusals, Failure> {
    let (mut table, columns) = columns::open(&survey.path, &survey.reading)?;
    let mut told = NodeRefusals::new(client, survey);
    let places = [columns.store, Some(columns.sku), Some(columns.quantity), columns.time, columns.reference];
    let mut file = report.map(|path| ReportFile::create(path, &NAMES)).transpose()?;
    let mut refusals = Refusals::default();
    while let Some(record) = table.next()? {
        let told_here = told.about(record.row).await?;
        let refused = match row::read(&record, &columns, &survey.reading) {
            Err(reason) => Some((reason.code().to_owned(), reason.to_string())),
            Ok(_) => told_here.map(|refusal| (refusal.code.clone(), explain(&refusal))),
        };
        if let Some((code, detail)) = refused {
            if let Some(file) = &mut file {
                file.write(&record, &code, &detail, &places)?;
            }
            refusals.add(&record, code, &detail);
        }
    }
    if let Some(file) = file {
        file.finish()?;
    }
    Ok(refusals)
}

/// The node's rejection as a text for the owner of the file.
fn explain(refusal: &ServerRefusal) -> String {
    match (refusal.code.as_str(), refusal.available) {
        ("insufficient-stock", Some(available)) => {
            format!("the level had only {available} left at that point")
        }
        ("insufficient-stock", None) => "the level had too little left at that point".to_owned(),
        _ => "refused by the server".to_owned(),
    }
}

/// The node's rejections, page after page.
struct NodeRefusals<'a> {
    client: Option<&'a NodeClient>,
    path: String,
    cursor: Option<String>,
    page: VecDeque<ServerRefusal>,
    ended: bool,
}

impl<'a> NodeRefusals<'a> {
    fn new(client: Option<&'a NodeClient>, survey: &Survey) -> Self {
        let path = format!("/imports/{}/refusals?limit={PAGE_ITEMS}", survey.import_id());
        Self {
            client,
            path,
            cursor: None,
            page: VecDeque::new(),
            ended: client.is_none() || survey.rows == 0,
        }
    }

    /// The node's rejection of `row`, if there is one. Rows must be requested in order.
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
