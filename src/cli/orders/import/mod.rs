//! `onhand orders import`: a CSV file of orders into a running node, each exactly once.
//!
//! The file is read three times, always streaming. [`survey`] finds its orders, and what is wrong with them; [`jobs`] and
//! [`send`] send them, each as soon as its last row was read; [`report`] names every refused row. No state of a run is kept:
//! every order has an id of its own, and the node answers what it has already without changing anything.

mod columns;
mod credit;
mod jobs;
mod lookahead;
mod node;
mod options;
mod outcome;
mod plan;
mod problem;
mod reason;
mod report;
mod row;
mod send;
mod shipped;
mod stop;
mod summary;
mod survey;
mod tally;
#[cfg(test)]
mod tests;
mod wire;

use std::time::Instant;

pub(super) use options::ImportOrdersArgs;

use crate::import::report_file;
use crate::import::screen::{bar, print_summary};
use onhand_runtime::exit::{Exit, Failure};
use options::Output;
use stop::Stop;
use summary::Ended;
use survey::OrderSurvey;
use tally::Tally;

/// Imports a file.
///
/// # Errors
/// The fault of the file, the node or the report. Refused orders are no error: they are reported.
pub(super) fn run(args: &ImportOrdersArgs) -> Result<Exit, Failure> {
    let survey = OrderSurvey::take(args)?;
    if let Some(path) = args.report.as_deref() {
        report_file::check(path, &args.file)?;
    }
    let started = Instant::now();
    let (tally, interrupted) = stop::run(|stop| with_bar(args, &survey, stop))?;
    let took = started.elapsed();
    let refusals = report::collect(args, &survey, &tally.reported)?;
    let ended = Ended { args, survey: &survey, tally: &tally, refusals: &refusals, interrupted, took };
    let text = match args.output {
        Output::Text => ended.text(),
        Output::Json => format!("{}\n", ended.json()),
    };
    let exit = print_summary(&text, args.report.as_deref())?;
    if interrupted {
        let message = if args.dry_run {
            "interrupted; nothing was changed"
        } else {
            "interrupted; what was done stays done, run the same command again to go on"
        };
        return Err(Failure::new(Exit::Failed, message));
    }
    Ok(exit)
}

/// Sends or plans the orders, and shows a progress bar. True when it was asked to stop before the end.
async fn with_bar(
    args: &ImportOrdersArgs,
    survey: &OrderSurvey,
    stop: Stop,
) -> Result<(Tally, bool), Failure> {
    let bar = bar(survey.sent(), "orders");
    let on_progress = |done| bar.set_position(done);
    let tally = if args.dry_run {
        plan::plan(args, survey, &stop, on_progress).await
    } else {
        send::send(args, survey, &stop, on_progress).await
    };
    bar.finish_and_clear();
    Ok((tally?, stop.is_asked()))
}
