//! The summary of an import, for a person.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::report_file::{Refusals, takes_stdout};
use super::send::Sent;
use super::survey::Survey;
use crate::terminal::print::thousands;

/// The summary of a dry run.
pub(super) fn dry_run(survey: &Survey, refusals: &Refusals, report: Option<&Path>) -> String {
    let mut text = format!("Dry run of {}: nothing was sent.\n", survey.path.display());
    line(&mut text, "import", survey.import_id());
    line(&mut text, "rows", &thousands(survey.rows));
    line(&mut text, "would send", &thousands(survey.rows - survey.refused));
    refused(&mut text, survey, refusals, report);
    text
}

/// The summary of a run that sent rows.
pub(super) fn run(
    survey: &Survey,
    sent: Sent,
    refusals: &Refusals,
    report: Option<&Path>,
    took: Duration,
) -> String {
    let mut text = match sent {
        _ if survey.rows == 0 => {
            format!("{} has a header and no rows: nothing was sent.\n", survey.path.display())
        }
        Sent::Before(_) => format!(
            "{} was imported before, with the same options: nothing was sent, nothing changed.\n",
            survey.path.display()
        ),
        Sent::Now { from: 0, .. } => format!("Imported {}.\n", survey.path.display()),
        Sent::Now { from, .. } => format!(
            "Imported {}, going on after row {} of an interrupted run.\n",
            survey.path.display(),
            thousands(from)
        ),
    };
    line(&mut text, "import", survey.import_id());
    line(&mut text, "rows", &thousands(survey.rows));
    line(&mut text, "applied", &thousands(sent.progress().applied));
    refused(&mut text, survey, refusals, report);
    if let Sent::Now { from, .. } = sent {
        let rows = u32::try_from(survey.rows - from).unwrap_or(u32::MAX);
        let rate = f64::from(rows) / took.as_secs_f64().max(0.001);
        line(&mut text, "took", &format!("{:.2} s, {rate:.0} rows/s", took.as_secs_f64()));
    }
    text
}

fn refused(text: &mut String, survey: &Survey, refusals: &Refusals, report: Option<&Path>) {
    line(text, "refused", &thousands(refusals.total));
    named(text, &[refusals], report);
    for note in &survey.store_notes {
        let _ = writeln!(text, "  note: {note}");
    }
}

/// Adds the number of rejected rows by reason, the first of them, and the path of the report.
pub(super) fn named(text: &mut String, refusals: &[&Refusals], report: Option<&Path>) {
    for (code, count) in refusals.iter().flat_map(|some| &some.by_code) {
        line(text, "", &format!("{:>6} {code}", thousands(*count)));
    }
    for row in refusals.iter().flat_map(|some| &some.first) {
        let _ = writeln!(text, "  {row}");
    }
    let hidden: u64 = refusals.iter().map(|some| some.total.saturating_sub(some.first.len() as u64)).sum();
    match report {
        Some(_) if takes_stdout(report) => line(text, "report", "standard output"),
        Some(path) => line(text, "report", &path.display().to_string()),
        None if hidden > 0 => {
            let _ = writeln!(text, "  ... and {} more; --report FILE names them all", thousands(hidden));
        }
        None => {}
    }
}

/// One line of a summary.
pub(crate) fn line(text: &mut String, label: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  {label:<11}{value}");
}
