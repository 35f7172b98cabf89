//! The stop of a node: the reason for it, the signals that ask for it, and how its time is shared out.
//!
//! The order is: readiness fails, so that load balancers send nothing more; no new connections, and requests under way are
//! answered, while the alert that is on its way to the webhook may arrive; a last pass of the worker; a last snapshot; the
//! flush of the log; the leases are given back.

use crate::exit::{Exit, Failure, OrExit};
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::process;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Share of the time to stop in which a probe that asks regularly sees that the node is not ready.
const ANNOUNCE_SHARE: f64 = 0.2;
/// The share in which requests may end.
const DRAIN_SHARE: f64 = 0.6;
/// The share, while requests end, in which the alert that is on its way to the webhook may arrive.
const LAST_ALERT_SHARE: f64 = 0.2;
/// The share in which the worker passes once more.
const LAST_PASS_SHARE: f64 = 0.1;
/// The share in which a last snapshot may be made; the rest is for the flush.
const LAST_SNAPSHOT_SHARE: f64 = 0.08;
/// Probes that come less often are not waited for.
const ANNOUNCE_MAX: Duration = Duration::from_secs(5);

/// `SHUTDOWN_TIMEOUT_MS`, shared out to the steps of a stop.
#[derive(Debug, Clone, Copy)]
pub struct StopTimes {
    /// The time for all of it.
    all: Duration,
}

impl StopTimes {
    /// The steps of a stop that may take `all` together.
    pub const fn new(all: Duration) -> Self {
        Self { all }
    }

    /// The time in which requests may end.
    pub fn drain(self) -> Duration {
        self.all.mul_f64(DRAIN_SHARE)
    }

    /// The time in which the alert that is on its way may arrive.
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

/// The stop of one node.
pub struct Stop {
    /// Cancelled when the node takes no new work.
    pub token: CancellationToken,
    /// The time that each step has.
    pub times: StopTimes,
    /// The reason, where another process has taken over from this one.
    taken_over: OnceLock<io::Error>,
}

impl Stop {
    /// A stop that nobody has asked for yet.
    pub fn new(times: StopTimes) -> Self {
        Self { token: CancellationToken::new(), times, taken_over: OnceLock::new() }
    }

    /// Another process has taken over: requests under way are told that they have no outcome here.
    pub fn take_over(&self, error: io::Error) {
        let _ = self.taken_over.set(error);
        self.token.cancel();
    }

    /// How the node ends, when it drained with `exit`.
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

/// The signals that ask a node to stop.
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Listens from now on.
    ///
    /// # Errors
    /// [`Exit::Internal`] when the system does not let it.
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

    /// The first signal has `announce` tell load balancers, for the time it is given, and then the node drain; the second
    /// one ends the process on the spot.
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

/// Ends the process at `timeout` whatever hangs then, such as a disk that does not answer.
fn end_by(timeout: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(timeout);
        eprintln!("onhand: not stopped within {timeout:?}, aborting; what was acknowledged is safe");
        process::exit(1);
    });
}
