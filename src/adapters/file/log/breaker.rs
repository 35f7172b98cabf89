//! The storage breaker: the writer thread's loop, and the watch over calls that do not return.
//!
//! ```text
//! closed ──the disk refuses──> open ──cool-down──> half-open ──the probe succeeds──> closed
//!                               └───────<──the probe fails──┘
//! ```
//!
//! Invariants:
//! 1. While it is not closed the log accepts nothing and only the probe ([`Writer::probe`]) writes.
//! 2. It opens before any caller learns of the failure: first the queue rejects new entries, then the durable watch
//!    fails, then the tickets do. A caller that learns of it finds a log that accepts nothing until memory is rolled
//!    back.
//! 3. Closing assigns the sequences after the durable one again. Entries decided on rolled-back states are still
//!    rejected, by their generation (`app/ports/durable.rs`).
//! 4. A write or sync that does not return for [`SHED_AFTER`](super::SHED_AFTER) makes the log refuse new entries;
//!    entries in the queue keep waiting, and reads answer from durable entries. After
//!    [`ABORT_AFTER`](super::ABORT_AFTER) the process ends: the outcome of the waiting entries is unknown, and a
//!    restart reads it from the disk.

use crate::log::news::{StorageListener, StorageNews};
use crate::log::shared::Shared;
use crate::log::writer::Writer;
use std::io;
use std::sync::Weak;
use std::thread;
use std::time::Duration;

/// Minimum pause between two probes, however short the cool-down, because each of them writes.
pub const REST_MIN: Duration = Duration::from_millis(10);
/// Interval between two checks of the call under way.
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// Writes groups of entries until the log is closed.
///
/// # Errors
/// The last error of the disk, when the log is closed while the breaker is open.
pub(crate) fn run(
    shared: &Shared,
    writer: &mut Writer,
    cool_down: Duration,
    listener: &StorageListener,
) -> io::Result<()> {
    while let Some(group) = shared.wait_for_group() {
        let (written, stuck) = shared.calls.during(|| writer.write_group(group));
        if let Err(failed) = written {
            let error = shared.open_breaker(failed);
            listener(StorageNews::Opened { error: &error, stuck });
            probe_until_well(shared, writer, cool_down, listener, error)?;
        }
    }
    Ok(())
}

/// Probes the disk until a probe succeeds; an error when the log is closed meanwhile.
fn probe_until_well(
    shared: &Shared,
    writer: &mut Writer,
    cool_down: Duration,
    listener: &StorageListener,
    mut error: io::Error,
) -> io::Result<()> {
    while shared.rest(cool_down.max(REST_MIN)) {
        listener(StorageNews::Probing);
        match shared.probe(writer) {
            Ok(()) => {
                listener(StorageNews::Closed);
                return Ok(());
            }
            Err(refused) => error = refused,
        }
        listener(StorageNews::StillOpen(&error));
    }
    Err(error)
}

/// Watches the calls of a log on a thread of its own, as long as the log exists.
pub(crate) fn watch(log: Weak<Shared>, listener: StorageListener) -> io::Result<()> {
    let run = move || {
        while let Some(shared) = log.upgrade() {
            shared.calls.report(shared.is_probing(), &listener);
            shared.durable.note_silence(shared.calls.are_stuck());
            drop(shared);
            thread::sleep(CHECK_EVERY);
        }
    };
    thread::Builder::new().name("log-watch".to_owned()).spawn(run).map(drop)
}
