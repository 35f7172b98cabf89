//! `onhand import products`: a CSV file of products into the catalogue of a running node.
//!
//! The file is read twice, always streaming. [`survey`] counts the values that its rows give for each SKU; the value of
//! most rows is sent ([`send`]), a thousand products a request. Then the file is read once more, and each row with
//! another value is reported with its number. No state of a run is kept: the node makes no event of details that its
//! catalogue already has.

mod columns;
pub(crate) mod money;
pub(crate) mod options;
mod row;
mod send;
mod summary;
mod survey;
mod tally;
#[cfg(test)]
mod tests;

use std::time::Instant;

pub(crate) use options::ProductsArgs;

use crate::import::report_file;
use crate::import::screen::{bar, print_summary};
use crate::terminal::client::NodeClient;
use crate::terminal::run_client;
use onhand_runtime::exit::{Exit, Failure};
use survey::CatalogueSurvey;

/// Imports a file.
///
/// # Errors
/// The fault of the file, the node or the report. Reported rows and products are no error.
pub(super) fn run(args: &ProductsArgs) -> Result<Exit, Failure> {
    let survey = CatalogueSurvey::take(args)?;
    let report = args.report.as_deref();
    if let Some(path) = report {
        report_file::check(path, &args.file)?;
    }
    if args.dry_run {
        let findings = survey.answer(args, &[], report)?;
        return print_summary(&summary::text(&survey, None, &findings, report), report);
    }
    let started = Instant::now();
    let outcomes = run_client::run(async {
        let client = NodeClient::new(&args.server)?;
        let products = &survey.tally.products;
        let bar = bar(products.len() as u64, "products");
        let outcomes = send::send(&client, products, args.update, |done| bar.set_position(done)).await;
        bar.finish_and_clear();
        outcomes
    })?;
    let took = started.elapsed();
    let findings = survey.answer(args, &outcomes, report)?;
    print_summary(&summary::text(&survey, Some((&outcomes, took)), &findings, report), report)
}
