//! Runs a future on this thread, without a runtime.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// A future that is polled so often without an end waits for something that nobody does.
const POLLS_MAX: u64 = 10_000_000;

/// Polls a future until it is ready. Whoever waits is polled again.
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
