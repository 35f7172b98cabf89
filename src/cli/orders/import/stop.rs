//! An interrupt: nothing new is begun, what is under way is waited for, and the summary says how to go on.

use std::future::{Future, pending};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use onhand_runtime::exit::{Exit, Failure, OrExit};

/// The longest that requests under way are waited for.
const LEAVE_MAX: Duration = Duration::from_secs(10);

/// Whether the command is to stop.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// One that nobody asks for.
    #[cfg(test)]
    pub(super) fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// True from the first signal on.
    pub(super) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when requests under way have had their time since the first signal.
    pub(super) async fn time_is_up(&self) {
        let mut asked = self.0.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            pending::<()>().await;
        }
        tokio::time::sleep(LEAVE_MAX).await;
    }
}

/// Runs `command` to its end. SIGINT and SIGTERM ask it to stop; a second one ends it at once.
///
/// # Errors
/// Those of the command; [`Exit::Failed`] when it was ended.
pub(super) fn run<T, F: Future<Output = Result<T, Failure>>>(
    command: impl FnOnce(Stop) -> F,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Internal, || "cannot start the runtime")?;
    let outcome = runtime.block_on(async {
        let listen = |kind| signal(kind).or_exit(Exit::Internal, || "cannot listen for signals");
        let (interrupt, terminate) = (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
        let (ask, asked) = watch::channel(false);
        tokio::select! {
            outcome = command(Stop(asked)) => outcome,
            failure = asked_twice(interrupt, terminate, &ask) => Err(failure),
        }
    });
    runtime.shutdown_timeout(Duration::from_millis(100));
    outcome
}

async fn asked_twice(mut interrupt: Signal, mut terminate: Signal, ask: &watch::Sender<bool>) -> Failure {
    either(&mut interrupt, &mut terminate).await;
    ask.send_replace(true);
    either(&mut interrupt, &mut terminate).await;
    Failure::new(Exit::Failed, "interrupted; what was done stays done, run the same command again to go on")
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
