//! What falls due by itself: the earliest expiry of each state, alerts and products that are to be looked at, and the task that
//! sees to it.
//!
//! The next buyer would expire the holds of his level anyway; this is for levels that nobody comes to.

use crate::app::ledger::Ledger;
use crate::domain::{Key, Timestamp};
use parking_lot::Mutex;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;
use tokio::sync::Notify;

/// Longest sleep of the task: a leap of the log's time is noticed within it.
const SLEEP_MS_MAX: i64 = 1_000;

/// Moments at which states fall due, earliest first. A moment may be out of date; then nothing is found to be due.
#[derive(Debug, Default)]
pub struct Due {
    moments: Mutex<BinaryHeap<Reverse<(Timestamp, Key)>>>,
    earlier: Notify,
}

impl Due {
    /// The state under `key` falls due at `at`; for an alert, and for a product with all its alerts: is looked at then.
    pub(crate) fn note(&self, at: Timestamp, key: Key) {
        let mut moments = self.moments.lock();
        let first = moments.peek().is_none_or(|Reverse((first, _))| at < *first);
        moments.push(Reverse((at, key)));
        drop(moments);
        if first {
            self.earlier.notify_one();
        }
    }

    /// The keys due at `now`, at most `most`, taken off the list.
    pub(crate) fn take(&self, now: Timestamp, most: usize) -> Vec<Key> {
        let mut moments = self.moments.lock();
        let mut keys = Vec::new();
        while keys.len() < most && moments.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            keys.extend(moments.pop().map(|Reverse((_, key))| key));
        }
        keys.dedup();
        keys
    }

    fn next(&self) -> Option<Timestamp> {
        self.moments.lock().peek().map(|Reverse((at, _))| *at)
    }

    /// Expires what is due, for ever; the caller drops the future to stop it.
    pub async fn run(ledger: &Ledger) {
        loop {
            let wait = match ledger.due().next() {
                Some(at) => at.milliseconds().saturating_sub(ledger.now().milliseconds()),
                None => SLEEP_MS_MAX,
            };
            if wait > 0 {
                let sleep = Duration::from_millis(wait.min(SLEEP_MS_MAX).unsigned_abs());
                tokio::select! {
                    () = tokio::time::sleep(sleep) => {}
                    () = ledger.due().earlier.notified() => {}
                }
                continue;
            }
            if ledger.expire_due().await.is_err() {
                // Too much is waiting, or the log has failed: the keys are due still. Do not spin meanwhile.
                tokio::time::sleep(Duration::from_millis(SLEEP_MS_MAX.unsigned_abs())).await;
            }
        }
    }
}
