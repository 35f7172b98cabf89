//! `onhand import`: a CSV file of movements into a running node, exactly once; and [`products`] into its catalogue.
//!
//! A file of movements is read three times, always streaming: [`survey`] (is it sound, what is its fingerprint),
//! [`send`] (rows to the node, from the row where the node stopped), [`report`] (every rejected row, also those of
//! earlier runs).

pub(crate) mod columns;
mod command;
pub(crate) mod options;
pub(crate) mod products;
mod report;
pub(crate) mod report_file;
pub(crate) mod row;
pub(crate) mod screen;
mod send;
mod source;
mod store_name;
pub(crate) mod summary;
mod survey;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod time;
mod wire;

use std::time::Instant;

use crate::terminal::client::NodeClient;
use crate::terminal::run_client;
use onhand_runtime::exit::{Exit, Failure};
use options::ImportArgs;
use report_file::Refusals;
use screen::{bar, print_summary};
use send::Sent;
use survey::Survey;

pub use command::ImportCommand;

/// Imports a file.
///
/// # Errors
/// The fault of the file, the node or the report. Rejected rows are no error: they are reported.
pub fn run(command: &ImportCommand) -> Result<Exit, Failure> {
    match command {
        ImportCommand::Movements(args) => movements(args),
        ImportCommand::Products(args) => products::run(args),
    }
}

fn movements(args: &ImportArgs) -> Result<Exit, Failure> {
    let survey = Survey::take(args.file.clone(), args.reading()?)?;
    let report = args.report.as_deref();
    if let Some(path) = report {
        report_file::check(path, &args.file)?;
    }
    let text = run_client::run(async {
        if args.dry_run {
            let refusals = report::collect(None, &survey, report).await?;
            return Ok(summary::dry_run(&survey, &refusals, report));
        }
        let client = NodeClient::new(&args.server)?;
        let started = Instant::now();
        let sent = send_with_bar(&client, &survey).await?;
        let took = started.elapsed();
        let refusals = report::collect(Some(&client), &survey, report).await?;
        adds_up(&survey, sent, &refusals)?;
        Ok(summary::run(&survey, sent, &refusals, report, took))
    })?;
    print_summary(&text, report)
}

/// Shows a progress bar while rows are sent.
async fn send_with_bar(client: &NodeClient, survey: &Survey) -> Result<Sent, Failure> {
    if survey.rows == 0 {
        return Ok(Sent::Before(wire::Progress::default()));
    }
    let bar = bar(survey.rows, "rows");
    let sent = send::send(client, survey, |rows_done| bar.set_position(rows_done)).await;
    bar.finish_and_clear();
    sent
}

/// Checks that every row was either applied or rejected.
fn adds_up(survey: &Survey, sent: Sent, refusals: &Refusals) -> Result<(), Failure> {
    let applied = sent.progress().applied;
    if applied + refusals.total == survey.rows {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Data,
        format!(
            "of {} rows the server applied {applied} and {} are known to be refused: that does not add up; run \
             onhand verify on its data directory",
            survey.rows, refusals.total
        ),
    ))
}
