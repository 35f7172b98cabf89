//! The stop of a node: the reason for it, the signals that request it, and how its time is divided.
//!
//! The order is: readiness fails, so that load balancers send nothing more; new connections are refused, and requests
//! in progress are answered, while the alert in flight to the webhook may arrive; a last pass of the worker; a last
//! snapshot; the flush of the log; the release of the leases.

use crate::exit::{Exit, Failure, OrExit};
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::process;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Share of the stop's time in which readiness fails while requests are still accepted, for probes to notice.
const ANNOUNCE_SHARE: f64 = 0.2;
/// The share in which requests in progress may end.
const DRAIN_SHARE: f64 = 0.6;
/// The share, within the drain, in which the alert in flight to the webhook may arrive.
const LAST_ALERT_SHARE: f64 = 0.2;
/// The share of the worker's last pass.
const LAST_PASS_SHARE: f64 = 0.1;
/// The share of the last snapshot; the rest is for the flush.
const LAST_SNAPSHOT_SHARE: f64 = 0.08;
/// The longest wait for a probe; less frequent probes are not waited for.
const ANNOUNCE_MAX: Duration = Duration::from_secs(5);

/// `SHUTDOWN_TIMEOUT_MS`, divided among the steps of a stop.
#[derive(Debug, Clone, Copy)]
pub struct StopTimes {
    /// The time of the whole stop.
    all: Duration,
}

impl StopTimes {
    /// The steps of a stop that takes at most `all`.
    pub const fn new(all: Duration) -> Self {
        Self { all }
    }

    /// The time in which requests in progress may end.
    pub fn drain(self) -> Duration {
        self.all.mul_f64(DRAIN_SHARE)
    }

    /// The time in which the alert in flight may arrive.
    pub fn last_alert(self) -> Duration {
        self.all.mul_f64(LAST_ALERT_SHARE)
    }

    /// The time for the last pass of the worker.
    pub fn last_pass(self) -> Duration {
        self.all.mul_f64(LAST_PASS_SHARE)
    }

    /// The time for the last snapshot.
    pub(super) fn last_snapshot(self) -> Duration {
        self.all.mul_f64(LAST_SNAPSHOT_SHARE)
    }

    fn announce(self) -> Duration {
        self.all.mul_f64(ANNOUNCE_SHARE).min(ANNOUNCE_MAX)
    }
}

/// The state of a node's stop, shared by its tasks.
pub struct Stop {
    /// Cancelled when the node accepts no new work.
    pub token: CancellationToken,
    /// The time limit of each step.
    pub times: StopTimes,
    /// The error with which the process noticed that another one has taken over; empty otherwise.
    taken_over: OnceLock<io::Error>,
}

impl Stop {
    /// A stop that has not been requested yet.
    pub fn new(times: StopTimes) -> Self {
        Self { token: CancellationToken::new(), times, taken_over: OnceLock::new() }
    }

    /// Another process has taken over: requests in progress are answered that their outcome is unknown.
    pub fn take_over(&self, error: io::Error) {
        let _ = self.taken_over.set(error);
        self.token.cancel();
    }

    /// The result of the node, when it drained with `exit`.
    ///
    /// # Errors
    /// [`Exit::Locked`] when another process has taken over.
    pub fn outcome(self, exit: Exit) -> Result<Exit, Failure> {
        match self.taken_over.into_inner() {
            Some(error) => {
                let message =
                    "another process goes on with what this one held; it ends, and may be started again";
                Err(Failure { exit: Exit::Locked, error: anyhow::Error::new(error).context(message) })
            }
            None => Ok(exit),
        }
    }
}

/// The signals that request the stop of a node.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Installs the signal handlers.
    ///
    /// # Errors
    /// [`Exit::Internal`] when the system does not allow it.
    pub fn listen() -> Result<Self, Failure> {
        let terminate =
            signal(SignalKind::terminate()).or_exit(Exit::Internal, || "cannot listen for SIGTERM")?;
        let interrupt =
            signal(SignalKind::interrupt()).or_exit(Exit::Internal, || "cannot listen for SIGINT")?;
        Ok(Self { terminate, interrupt })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// On the first signal, `announce` fails readiness for its time, and then the node drains; the second one ends the
    /// process at once.
    pub async fn obey(mut self, stop: &Stop, announce: impl AsyncFnOnce(Duration)) -> Infallible {
        self.next().await;
        tracing::info!(
            "asked to stop: readiness says so, then no new connections, requests under way are answered"
        );
        end_by(stop.times.all);
        let drain = async {
            announce(stop.times.announce()).await;
            stop.token.cancel();
            pending::<Infallible>().await
        };
        tokio::select! {
            never = drain => match never {},
            () = self.next() => {
                eprintln!("onhand: second signal, aborting; what was acknowledged is safe");
                process::exit(1);
            }
        }
    }
}

/// Ends the process after `timeout` even if it hangs, such as on a disk that does not answer.
fn end_by(timeout: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(timeout);
        eprintln!("onhand: not stopped within {timeout:?}, aborting; what was acknowledged is safe");
        process::exit(1);
    });
}
