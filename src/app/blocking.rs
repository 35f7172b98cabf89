//! Blocking work, moved off the threads of the async runtime.

use tokio::runtime::Handle;

/// Runs `work` on a thread that may block; without a runtime on the present thread, where no task waits for it.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let Ok(runtime) = Handle::try_current() else { return work() };
    match runtime.spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
