//! The report of a pass of the worker, for people and scripts: `onhand sync` and `onhand sync-worker --once`.

use crate::terminal::print::thousands;
use comfy_table::{CellAlignment, Table, presets};
use onhand_app::central::{PassReport, SourceReport, SourceState};
use onhand_runtime::exit::{Exit, Failure};
use std::fmt::Write;

/// The report as a text.
pub(crate) fn text(report: &PassReport) -> String {
    let mut text = format!(
        "applied       {}\ndead letters  {}\nin central    {} events\nmissing       {} events\ntook          {} ms\n",
        thousands(report.applied),
        thousands(report.dead_lettered),
        thousands(report.central_sequence.0),
        thousands(report.lag),
        thousands(report.duration_ms),
    );
    if !report.sources.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", table(&report.sources));
    }
    for source in &report.sources {
        if let Some(reason) = reason(&source.state) {
            let _ = writeln!(text, "{}: {reason}", source.name);
        }
    }
    text
}

fn table(sources: &[SourceReport]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(["source", "node", "in central", "end of log", "waiting", "state"]);
    for source in sources {
        table.add_row([
            source.name.clone(),
            source.node.map(|node| node.to_string()).unwrap_or_default(),
            thousands(source.sequence.0),
            thousands(source.end.0),
            thousands(source.parked_events),
            state(&source.state).to_owned(),
        ]);
    }
    for column in table.column_iter_mut().skip(2).take(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

const fn state(state: &SourceState) -> &'static str {
    match state {
        SourceState::New => "not asked yet",
        SourceState::Well => "well",
        SourceState::Failing(_) => "failing",
        SourceState::Stopped(_) => "STOPPED",
    }
}

fn reason(state: &SourceState) -> Option<&str> {
    match state {
        SourceState::New | SourceState::Well => None,
        SourceState::Failing(reason) | SourceState::Stopped(reason) => Some(reason),
    }
}

/// The exit code of a command that ran a pass: it tells scripts whether central has everything.
///
/// # Errors
/// [`Exit::Data`] when a source is stopped, [`Exit::Unavailable`] when one could not be read.
pub(crate) fn verdict(report: &PassReport) -> Result<Exit, Failure> {
    let names = |wanted: fn(&SourceState) -> bool| {
        let of = report.sources.iter().filter(|source| wanted(&source.state));
        of.map(|source| source.name.clone()).collect::<Vec<_>>().join(", ")
    };
    let stopped = names(|state| matches!(state, SourceState::Stopped(_)));
    if !stopped.is_empty() {
        let message =
            format!("stopped until somebody has looked: {stopped}; see run.md, \"A source is stuck\"");
        return Err(Failure::new(Exit::Data, message));
    }
    let failing = names(|state| matches!(state, SourceState::Failing(_) | SourceState::New));
    if !failing.is_empty() {
        let message = format!("could not be read this time: {failing}; central goes on from there later");
        return Err(Failure::new(Exit::Unavailable, message));
    }
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use onhand_domain::Sequence;

    fn report(states: &[SourceState]) -> PassReport {
        let source = |(number, state): (usize, &SourceState)| SourceReport {
            name: format!("source-{number}"),
            node: None,
            sequence: Sequence(1_041),
            end: Sequence(2_000),
            state: state.clone(),
            duplicates: 0,
            taken: 0,
            superseded: 0,
            parked_levels: 0,
            parked_events: 7,
        };
        PassReport { sources: states.iter().enumerate().map(source).collect(), ..PassReport::default() }
    }

    #[test]
    fn the_worst_source_decides_the_exit_code() {
        let failing = SourceState::Failing("connection refused".to_owned());
        let stopped = SourceState::Stopped("sequence 9 follows 7".to_owned());
        let table: [(&[SourceState], Exit, &str); 5] = [
            (&[], Exit::Ok, ""),
            (&[SourceState::Well], Exit::Ok, "well"),
            (&[SourceState::Well, failing.clone()], Exit::Unavailable, "source-1: connection refused"),
            (&[SourceState::New], Exit::Unavailable, "not asked yet"),
            (&[failing, stopped, SourceState::Well], Exit::Data, "source-1: sequence 9 follows 7"),
        ];
        for (states, exit, told) in table {
            let report = report(states);
            let found = verdict(&report).unwrap_or_else(|failure| failure.exit);
            assert_eq!(found, exit, "{states:?}");
            let text = text(&report);
            assert!(text.contains(told) && (states.is_empty() || text.contains("1,041")), "{text}");
        }
    }
}
