//! What blocks on the disk, away from the threads that serve.

use tokio::runtime::Handle;

/// Runs `work` on a thread where it may block; on this one where there is no runtime, for then nobody else is kept waiting.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let Ok(runtime) = Handle::try_current() else { return work() };
    match runtime.spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
