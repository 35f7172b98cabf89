//! Runs one seed on one thread.

use crate::block_on::block_on;
use crate::chain::Chain;
use crate::processes::SharedRun;
use crate::tally::RunTally;
use crate::trace::RunTrace;

/// One in so many seeds runs several processes on one data directory; the others run a chain of stores.
const SHARED_EVERY: u64 = 4;

/// Cost of an operation of several processes, relative to one of a chain; their runs have so many times fewer.
const SHARED_COST: u64 = 8;

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The counts of the run.
    pub tally: RunTally,
    /// Lines of its trace, and their checksum: the same for the same seed and number of operations.
    pub trace: (u64, u32),
}

/// Runs a seed until so many operations were requested; `aloud` prints each step to stdout.
///
/// # Panics
/// When the run has a finding.
pub fn run(seed: u64, operations: u64, aloud: bool) -> Run {
    let mut trace = RunTrace::new(aloud);
    let tally = if seed.is_multiple_of(SHARED_EVERY) {
        SharedRun::new(seed, &mut trace).run(operations.div_ceil(SHARED_COST))
    } else {
        block_on(Chain::new(seed, &mut trace).run(operations))
    };
    Run { tally, trace: trace.sum() }
}
