//! Due moments: the earliest expiry of each state, alerts and products that wait for re-evaluation, and the task that runs them.
//!
//! A command expires the due holds of its own level first; this task is for levels that no command touches.

use onhand_domain::{Key, Timestamp};
use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use tokio::sync::Notify;

/// Due moments with their keys, earliest first. A moment may be out of date; the decision then finds nothing due.
#[derive(Debug, Default)]
pub struct Due {
    moments: Mutex<BinaryHeap<Reverse<(Timestamp, Key)>>>,
    pub(super) earlier: Notify,
}

impl Due {
    /// Schedules `key` at `at`: the state's due moment, or the re-evaluation of an alert, or of all alerts of a product.
    pub(crate) fn note(&self, at: Timestamp, key: Key) {
        let mut moments = self.moments.lock();
        let first = moments.peek().is_none_or(|Reverse((first, _))| at < *first);
        moments.push(Reverse((at, key)));
        drop(moments);
        if first {
            self.earlier.notify_one();
        }
    }

    /// Removes and returns the keys due at `now`, at most `most`.
    pub(crate) fn take(&self, now: Timestamp, most: usize) -> Vec<Key> {
        let mut moments = self.moments.lock();
        let mut keys = Vec::new();
        while keys.len() < most && moments.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            keys.extend(moments.pop().map(|Reverse((_, key))| key));
        }
        keys.dedup();
        keys
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.moments.lock().peek().map(|Reverse((at, _))| *at)
    }
}
