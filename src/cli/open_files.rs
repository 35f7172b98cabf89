//! How many files the process may have open, and how many connections fit among them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are no connections: log, indexes, snapshots and what is read back, the reserve for probes, the runtime's own.
const OTHERS: u64 = 256;

/// Raises the limit as far as the system lets it, and answers how many of `connections_max` fit.
///
/// Otherwise the last connections would take the files that the log needs. At least a quarter of the limit is left to
/// connections, so that a very low one still serves.
pub(super) fn connections_that_fit(connections_max: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    // Refused: it stays as it is.
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
    let fit = limit.current.map_or(usize::MAX, that_fit);
    if fit < connections_max {
        tracing::warn!(connections_max, fit, "the limit of open files allows fewer connections (ulimit -n)");
    }
    fit.min(connections_max)
}

fn that_fit(files: u64) -> usize {
    let rest = files.saturating_sub(OTHERS).max(files / 4).max(1);
    usize::try_from(rest).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::that_fit;

    #[test]
    fn connections_leave_files_for_the_log() {
        for (files, connections) in [(1, 1), (60, 15), (256, 64), (300, 75), (1_024, 768), (65_536, 65_280)] {
            assert_eq!(that_fit(files), connections, "{files}");
        }
    }
}
