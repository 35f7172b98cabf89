//! The call to the disk under way, and its duration.

use crate::log::news::{StorageListener, StorageNews};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A write or sync that takes longer than this makes the log refuse new entries.
pub const SHED_AFTER: Duration = Duration::from_secs(5);
/// A write or sync that takes longer than this ends the process.
pub const ABORT_AFTER: Duration = Duration::from_secs(20);

/// The call to the disk under way, watched from another thread.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    since: Mutex<Option<Instant>>,
    stuck: AtomicBool,
}

impl Calls {
    /// Makes a call; returns also whether it was reported as stuck meanwhile.
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

    /// True when the call under way has not returned for [`SHED_AFTER`].
    pub(crate) fn are_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed)
    }

    /// Reports a call that is stuck, or has returned after all; ends the process when it has taken too long.
    pub(crate) fn report(&self, probing: bool, listener: &StorageListener) {
        // Under the lock, so that the end of a call sees whether it was reported as stuck.
        let since = self.since.lock();
        let lasting = since.map_or(Duration::ZERO, |since| since.elapsed());
        let stuck = lasting >= SHED_AFTER;
        let changed = self.stuck.swap(stuck, Ordering::Relaxed) != stuck;
        drop(since);
        if changed {
            listener(if stuck { StorageNews::Stuck { probing } } else { StorageNews::Unstuck });
        }
        if lasting >= ABORT_AFTER {
            listener(StorageNews::Aborting);
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn listener() -> (StorageListener, Arc<Mutex<Vec<String>>>) {
        let reports: Arc<Mutex<Vec<String>>> = Arc::default();
        let list = Arc::clone(&reports);
        (Arc::new(move |news| list.lock().push(format!("{news:?}"))), reports)
    }

    #[test]
    fn the_end_of_a_call_shows_whether_it_was_reported_as_stuck() {
        let (listener, reports) = listener();
        let calls = Calls::default();
        let ((), stuck) = calls.during(|| calls.report(false, &listener));
        assert!(!stuck && reports.lock().is_empty());
        let Some(long_ago) = Instant::now().checked_sub(SHED_AFTER) else { return };
        let ((), stuck) = calls.during(|| {
            *calls.since.lock() = Some(long_ago);
            calls.report(false, &listener);
            calls.report(false, &listener);
        });
        assert!(stuck);
        calls.report(false, &listener);
        let ((), stuck) = calls.during(|| ());
        assert!(!stuck);
        assert_eq!(*reports.lock(), ["Stuck { probing: false }", "Unstuck"]);
    }
}
