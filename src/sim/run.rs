//! One seed, one run, on one thread.

use crate::sim::chain::Chain;
use crate::sim::shared::Shared;
use crate::sim::tally::Tally;
use crate::sim::trace::Trace;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Every so many seeds are of several processes on one data directory; the others are of a chain of nodes.
const SHARED_EVERY: u64 = 4;

/// An operation of theirs costs as much as so many of a chain: a run of theirs has so many times fewer.
const SHARED_COST: u64 = 8;

/// Whoever is polled so often without an end waits for something that nobody does.
const POLLS_MAX: u64 = 10_000_000;

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What it has been through.
    pub tally: Tally,
    /// Lines of its trace, and their checksum: the same for the same seed and number of operations.
    pub trace: (u64, u32),
}

/// Runs a seed until that many operations were asked for; `aloud` says each step on stdout.
///
/// # Panics
/// When something is found. Everything else about the run is in the seed.
pub fn run(seed: u64, operations: u64, aloud: bool) -> Run {
    let mut trace = Trace::new(aloud);
    let tally = if seed.is_multiple_of(SHARED_EVERY) {
        Shared::new(seed, &mut trace).run(operations.div_ceil(SHARED_COST))
    } else {
        block_on(Chain::new(seed, &mut trace).run(operations))
    };
    Run { tally, trace: trace.sum() }
}

/// Polls a future until it is ready: on one thread, without a runtime, whoever waits is polled again.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..POLLS_MAX {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
    panic!("everybody waits for everybody");
}
