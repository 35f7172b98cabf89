//! Runs a future on this thread, without a runtime.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// A future that is not ready after so many polls waits for something that nothing will do.
const POLLS_MAX: u64 = 10_000_000;

/// Polls a future until it is ready; wake-ups are not needed.
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
