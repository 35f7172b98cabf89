//! The second pass: rows to the node, batch after batch.
//!
//! The node counts the rows it has processed as part of the same durable entry that moves the stock, and accepts a
//! batch only if it starts exactly there. So the client keeps no state: after any loss (a request, an answer, this
//! process or the node) the node's progress gives the row to resume from.

use std::collections::VecDeque;

use http::HeaderMap;

use super::columns::{self, Columns};
use super::row;
use super::survey::Survey;
use super::table::CsvFile;
use super::wire::{Progress, RowsRequest, WireRow};
use crate::terminal::client::{ClientError, NodeClient};
use onhand_runtime::exit::{Exit, Failure};

/// Rows of the file that one request covers.
pub(super) const BATCH_ROWS: u64 = 1000;

/// The result of the second pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// The import was finished by an earlier run: nothing was sent.
    Before(Progress),
    /// The import is finished now; `from` rows had been processed by an earlier, interrupted run.
    Now { from: u64, progress: Progress },
}

impl Sent {
    /// The totals of the import.
    pub(super) fn progress(self) -> Progress {
        match self {
            Self::Before(progress) | Self::Now { progress, .. } => progress,
        }
    }
}

/// Sends the rows that the node has not processed, to the end of the file.
///
/// `on_progress` receives the number of rows that are done.
///
/// # Errors
/// [`Exit::Unavailable`] when the node cannot be reached or rejects a request, [`Exit::Data`] when the file changed
/// meanwhile.
pub(super) async fn send(
    client: &NodeClient,
    survey: &Survey,
    on_progress: impl Fn(u64),
) -> Result<Sent, Failure> {
    let mut progress = progress(client, survey).await?;
    if progress.finished {
        return Ok(Sent::Before(progress));
    }
    let from = progress.rows_done;
    let mut window = SendWindow::open(survey)?;
    while !progress.finished {
        on_progress(progress.rows_done);
        let after_row = progress.rows_done;
        let through_row = (after_row + BATCH_ROWS).min(survey.rows);
        window.move_to(after_row, through_row)?;
        let body =
            RowsRequest { after_row, through_row, last: through_row == survey.rows, rows: &window.rows };
        let path = format!("/imports/{}/rows", survey.import_id());
        progress = match client.post(&path, HeaderMap::new(), &body).await {
            Ok(next) => next,
            Err(error) if error.code() == Some("import-out-of-step") => {
                elsewhere(client, survey, after_row).await?
            }
            Err(error) => return Err(stopped(error, after_row, survey)),
        };
    }
    on_progress(progress.rows_done);
    Ok(Sent::Now { from, progress })
}

/// The node's progress in this import; zero when it has not begun.
async fn progress(client: &NodeClient, survey: &Survey) -> Result<Progress, Failure> {
    match client.get::<Progress>(&format!("/imports/{}", survey.import_id())).await {
        Ok(progress) if progress.rows_done <= survey.rows => Ok(progress),
        Ok(progress) => Err(Failure::new(
            Exit::Unavailable,
            format!(
                "the server has done {} rows of import {}, but the file has only {}",
                progress.rows_done,
                survey.import_id(),
                survey.rows
            ),
        )),
        Err(error) if error.code() == Some("not-found") => Ok(Progress::default()),
        Err(error) => Err(error.into()),
    }
}

/// The node's position differs from this run's: an answer was lost after its batch was applied, or a second run of the
/// same import is active. Either way the node is ahead, never behind.
async fn elsewhere(client: &NodeClient, survey: &Survey, after_row: u64) -> Result<Progress, Failure> {
    let progress = progress(client, survey).await?;
    if progress.rows_done <= after_row && !progress.finished {
        return Err(Failure::new(
            Exit::Unavailable,
            format!(
                "the server does not take rows after {after_row} and says that {} are done; was its data directory \
                 replaced by an older one? Look, then run the same command again",
                progress.rows_done
            ),
        ));
    }
    Ok(progress)
}

fn stopped(error: ClientError, after_row: u64, survey: &Survey) -> Failure {
    let mut failure = Failure::from(error);
    failure.error = failure.error.context(format!(
        "stopped after row {after_row} of {}; what was done stays done, run the same command again to go on",
        survey.rows
    ));
    failure
}

/// The rows of the next request: from the last processed one to the last of the request. Holds no more than a batch.
struct SendWindow<'a> {
    survey: &'a Survey,
    table: CsvFile,
    columns: Columns,
    /// Valid rows that were read and are not yet processed.
    rows: VecDeque<WireRow>,
    /// Number of rows read from the file, valid or not.
    read: u64,
}

impl<'a> SendWindow<'a> {
    fn open(survey: &'a Survey) -> Result<Self, Failure> {
        let (table, columns) = columns::open(&survey.path, &survey.reading)?;
        Ok(Self { survey, table, columns, rows: VecDeque::new(), read: 0 })
    }

    /// Drops the rows up to `after` and reads on through `through`.
    fn move_to(&mut self, after: u64, through: u64) -> Result<(), Failure> {
        while self.rows.front().is_some_and(|row| row.row <= after) {
            self.rows.pop_front();
        }
        while self.read < through {
            let Some(record) = self.table.next()? else { return Err(changed(self.survey)) };
            self.read = record.row;
            if record.row > after
                && let Ok(row) = row::read(&record, &self.columns, &self.survey.reading)
            {
                self.rows.push_back(row);
            }
        }
        if through == self.survey.rows { self.same_file() } else { Ok(()) }
    }

    /// Checks before the last batch that the file still has the fingerprint that names the import.
    fn same_file(&mut self) -> Result<(), Failure> {
        let at_end = self.table.next()?.is_none();
        if at_end && self.table.fingerprint() == self.survey.fingerprint {
            Ok(())
        } else {
            Err(changed(self.survey))
        }
    }
}

fn changed(survey: &Survey) -> Failure {
    Failure::new(
        Exit::Data,
        format!(
            "{} changed while it was read; put back the file as it was and run the same command again to finish \
             import {}",
            survey.path.display(),
            survey.import_id()
        ),
    )
}
