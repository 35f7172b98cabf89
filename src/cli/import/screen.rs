//! The terminal output of an import: a progress bar, and the summary.

use crate::import::report_file;
use crate::terminal::print;
use indicatif::{ProgressBar, ProgressStyle};
use onhand_runtime::exit::{Exit, Failure};
use std::io::IsTerminal;
use std::path::Path;

/// Prints the summary to the stream that the report does not use.
pub(crate) fn print_summary(text: &str, report: Option<&Path>) -> Result<Exit, Failure> {
    if report_file::takes_stdout(report) {
        eprint!("{text}");
    } else {
        print::print(text)?;
    }
    Ok(Exit::Ok)
}

/// A progress bar on stderr; hidden unless stderr is a terminal.
pub(crate) fn bar(length: u64, of: &str) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(length) } else { ProgressBar::hidden() };
    let template = format!("{{bar:40}} {{human_pos}}/{{human_len}} {of}, {{eta}} left");
    bar.set_style(ProgressStyle::with_template(&template).expect("the template is correct"));
    bar
}
