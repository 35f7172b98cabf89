//! `onhand import products`: a CSV file of products into the catalogue of a running node.
//!
//! The file is read twice, always streaming. [`survey`] counts what its rows say of each SKU; what most of them say is what
//! is sent ([`send`]), a thousand products a request. Then the file is read once more, and each row that says otherwise is
//! answered with its number. Nothing is remembered of a run: the node makes no event of what its catalogue says already.

mod columns;
mod money;
mod options;
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
use crate::import::screen::{bar, tell};
use crate::terminal::client::NodeClient;
use crate::terminal::run_client;
use onhand_runtime::exit::{Exit, Failure};
use survey::CatalogueSurvey;

/// Imports a file.
///
/// # Errors
/// What was wrong with the file, the node or the report. Rows and products that were answered are no error.
pub(super) fn run(args: &ProductsArgs) -> Result<Exit, Failure> {
    let survey = CatalogueSurvey::take(args)?;
    let report = args.report.as_deref();
    if let Some(path) = report {
        report_file::check(path, &args.file)?;
    }
    if args.dry_run {
        let findings = survey.answer(args, &[], report)?;
        return tell(&summary::told(&survey, None, &findings, report), report);
    }
    let started = Instant::now();
    let told = run_client::run(async {
        let client = NodeClient::new(&args.server)?;
        let products = &survey.tally.products;
        let bar = bar(products.len() as u64, "products");
        let told = send::send(&client, products, args.update, |done| bar.set_position(done)).await;
        bar.finish_and_clear();
        told
    })?;
    let took = started.elapsed();
    let findings = survey.answer(args, &told, report)?;
    tell(&summary::told(&survey, Some((&told, took)), &findings, report), report)
}
