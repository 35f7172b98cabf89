//! The storage breaker: the writer thread's loop, what it says of the disk, and the watch over calls that do not return.
//!
//! ```text
//! closed ──the disk refuses──> open ──cool-down──> half-open ──the probe succeeds──> closed
//!                               └───────<──the probe fails──┘
//! ```
//!
//! Invariants:
//! 1. While it is not closed the log takes nothing and nothing is written but by the probe ([`Writer::probe`]).
//! 2. It opens before anybody hears of the failure: first the queue takes nothing more, then the durable watch fails, then
//!    the tickets do. So whoever hears of it finds a log that takes nothing until memory has gone back.
//! 3. Closing gives out the sequences after the durable one again. Entries decided on what was taken back are refused all
//!    the same, by their generation (`app/ports/durable.rs`).
//! 4. A write or sync that does not return for [`SHED_AFTER`] makes the log refuse new entries; those that wait go on
//!    waiting, and who only reads is shown what is durable. After [`ABORT_AFTER`] the process ends: nobody can be told what
//!    became of them, and a restart reads it from the disk.

use crate::adapters::file::log::Shared;
use crate::adapters::file::log::writer::Writer;
use parking_lot::Mutex;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

/// A write or sync that takes longer than this makes the log refuse new entries.
pub const SHED_AFTER: Duration = Duration::from_secs(5);
/// A write or sync that takes longer than this ends the process.
pub const ABORT_AFTER: Duration = Duration::from_secs(20);
/// The disk is left alone for at least so long between two probes, however short the cool-down: each of them writes.
pub const REST_MIN: Duration = Duration::from_millis(10);
/// How often calls are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What becomes known of the disk below the log.
#[derive(Debug)]
pub enum StorageNews<'a> {
    /// It has refused: the breaker is open.
    Opened {
        /// What it said.
        error: &'a io::Error,
        /// It was taken for stuck, so the breaker had been said to be open already.
        stuck: bool,
    },
    /// It is probed: the breaker is half-open.
    Probing,
    /// The probe failed: the breaker is open still.
    StillOpen(&'a io::Error),
    /// The probe succeeded: the breaker is closed.
    Closed,
    /// A write or sync has not returned for [`SHED_AFTER`].
    Stuck {
        /// It is one of a probe: the breaker is open anyway.
        probing: bool,
    },
    /// It has returned.
    Unstuck,
    /// It has not returned for [`ABORT_AFTER`]: the process ends now.
    Aborting,
}

/// Who hears it.
pub(crate) type Told = Arc<dyn Fn(StorageNews<'_>) + Send + Sync>;

/// Writes what comes until the log is closed.
///
/// # Errors
/// What the disk said last, when the log is closed while the breaker is open.
pub(crate) fn run(shared: &Shared, writer: &mut Writer, cool_down: Duration, told: &Told) -> io::Result<()> {
    while let Some(group) = shared.wait_for_group() {
        let (written, stuck) = shared.calls.during(|| writer.write_group(group));
        if let Err(failed) = written {
            let error = shared.open_breaker(failed);
            told(StorageNews::Opened { error: &error, stuck });
            mend(shared, writer, cool_down, told, error)?;
        }
    }
    Ok(())
}

fn mend(
    shared: &Shared,
    writer: &mut Writer,
    cool_down: Duration,
    told: &Told,
    mut error: io::Error,
) -> io::Result<()> {
    while shared.rest(cool_down.max(REST_MIN)) {
        told(StorageNews::Probing);
        match shared.probe(writer) {
            Ok(()) => {
                told(StorageNews::Closed);
                return Ok(());
            }
            Err(refused) => error = refused,
        }
        told(StorageNews::StillOpen(&error));
    }
    Err(error)
}

/// The call to the disk that is under way.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    since: Mutex<Option<Instant>>,
    stuck: AtomicBool,
}

impl Calls {
    /// Does what calls the disk; answers too whether it was taken for stuck meanwhile.
    pub(crate) fn during<T>(&self, call: impl FnOnce() -> T) -> (T, bool) {
        *self.since.lock() = Some(Instant::now());
        let returned = call();
        (returned, self.over())
    }

    fn over(&self) -> bool {
        let mut since = self.since.lock();
        *since = None;
        self.are_stuck()
    }

    /// True when the present call has not returned for [`SHED_AFTER`].
    pub(crate) fn are_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed)
    }

    fn look(&self, probing: bool, told: &Told) {
        // Under the lock: whoever ends a call knows whether it was told to be stuck.
        let since = self.since.lock();
        let lasting = since.map_or(Duration::ZERO, |since| since.elapsed());
        let stuck = lasting >= SHED_AFTER;
        let changed = self.stuck.swap(stuck, Ordering::Relaxed) != stuck;
        drop(since);
        if changed {
            told(if stuck { StorageNews::Stuck { probing } } else { StorageNews::Unstuck });
        }
        if lasting >= ABORT_AFTER {
            told(StorageNews::Aborting);
            std::process::abort();
        }
    }
}

/// Watches the calls of a log on a thread of its own, as long as the log is there.
pub(crate) fn watch(log: Weak<Shared>, told: Told) -> io::Result<()> {
    let run = move || {
        while let Some(shared) = log.upgrade() {
            shared.calls.look(shared.is_probing(), &told);
            shared.durable.note_silence(shared.calls.are_stuck());
            drop(shared);
            thread::sleep(LOOK_EVERY);
        }
    };
    thread::Builder::new().name("log-watch".to_owned()).spawn(run).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener() -> (Told, Arc<Mutex<Vec<String>>>) {
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let list = Arc::clone(&heard);
        (Arc::new(move |news| list.lock().push(format!("{news:?}"))), heard)
    }

    #[test]
    fn whoever_ends_a_call_knows_whether_it_was_told_to_be_stuck() {
        let (told, heard) = listener();
        let calls = Calls::default();
        let ((), stuck) = calls.during(|| calls.look(false, &told));
        assert!(!stuck && heard.lock().is_empty());
        let Some(long_ago) = Instant::now().checked_sub(SHED_AFTER) else { return };
        let ((), stuck) = calls.during(|| {
            *calls.since.lock() = Some(long_ago);
            calls.look(false, &told);
            calls.look(false, &told);
        });
        assert!(stuck);
        calls.look(false, &told);
        let ((), stuck) = calls.during(|| ());
        assert!(!stuck);
        assert_eq!(*heard.lock(), ["Stuck { probing: false }", "Unstuck"]);
    }
}
