//! Runs the asynchronous client commands, so that an interrupt still cleans up.

use std::future::Future;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use onhand_runtime::exit::{Exit, Failure, OrExit};

/// Runs `command` to its end, or until SIGINT or SIGTERM: then it is dropped, and with it its child processes and
/// scratch directories.
///
/// # Errors
/// Those of the command; [`Exit::Failed`] when interrupted.
pub(crate) fn run<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Internal, || "cannot start the runtime")?;
    let outcome = runtime.block_on(async {
        let mut terminate =
            signal(SignalKind::terminate()).or_exit(Exit::Internal, || "cannot listen for SIGTERM")?;
        tokio::select! {
            outcome = command => outcome,
            _ = tokio::signal::ctrl_c() => Err(Failure::new(Exit::Failed, "interrupted")),
            _ = terminate.recv() => Err(Failure::new(Exit::Failed, "terminated")),
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}
