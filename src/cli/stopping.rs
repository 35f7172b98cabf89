//! Being told to stop: who hears of it first, and by when it is over.

use crate::adapters::http::Node;
use std::convert::Infallible;
use std::future::pending;
use std::process;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;

/// Share of the time to stop in which a probe that asks regularly may hear of it.
const ANNOUNCE_SHARE: f64 = 0.2;
/// The share in which requests may end.
pub(super) const DRAIN_SHARE: f64 = 0.6;
/// The share, while requests end, in which the alert that is on its way to the webhook may arrive.
pub(super) const LAST_ALERT_SHARE: f64 = 0.2;
/// The share in which the worker passes once more.
pub(super) const LAST_PASS_SHARE: f64 = 0.1;
/// The share in which a last snapshot may be made; the rest is for the flush.
pub(super) const LAST_SNAPSHOT_SHARE: f64 = 0.08;
/// Probes that come less often are not waited for.
const ANNOUNCE_MAX: Duration = Duration::from_secs(5);

/// The first signal has those told who send work, then drains; the second ends the process on the spot.
pub(super) async fn on_signals(
    mut terminate: Signal,
    mut interrupt: Signal,
    node: Arc<Node>,
    timeout: Duration,
) -> Infallible {
    let mut signal = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    signal().await;
    tracing::info!(
        "asked to stop: readiness says so, then no new connections, requests under way are answered"
    );
    end_by(timeout);
    let leaving = async {
        node.draining.announce(timeout.mul_f64(ANNOUNCE_SHARE).min(ANNOUNCE_MAX)).await;
        node.shutdown.cancel();
        pending::<Infallible>().await
    };
    tokio::select! {
        never = leaving => match never {},
        () = signal() => {
            eprintln!("onhand: second signal, aborting; what was acknowledged is safe");
            process::exit(1);
        }
    }
}

/// Whatever still hangs then, a disk that does not answer for one, the process is gone in time.
fn end_by(timeout: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(timeout);
        eprintln!("onhand: not stopped within {timeout:?}, aborting; what was acknowledged is safe");
        process::exit(1);
    });
}
