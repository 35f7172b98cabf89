//! Where in the log alerts stand, as the write path says it while it goes on.
//!
//! A hint: what was taken back since was heard of too, and the log tells what is there. But nothing is missed: an entry with an
//! alert is heard of before [`Ledger::noted_end`](crate::app::Ledger::noted_end) passes it, or lies in the gap.

use crate::domain::Sequence;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Entries that are remembered; beyond, the log is read from one end to the other to find them.
const ENTRIES_MAX: usize = 65_536;

/// What was heard and is not read yet.
#[derive(Debug, Default)]
pub(crate) struct AlertEntries {
    listening: AtomicBool,
    places: Mutex<Places>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Places {
    /// The last sequences of entries with alerts, and how many alerts those have.
    entries: BTreeMap<Sequence, usize>,
    /// Up to here there may be more of them.
    gap: Sequence,
}

/// Where to look for alerts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextAlerts {
    /// Everywhere.
    Everywhere,
    /// In the entry that ends there.
    Entry(Sequence),
    /// There are none.
    None,
}

impl AlertEntries {
    /// Listens from now on; what stands in the log up to `end` was not heard of.
    pub(super) fn listen(&self, end: Sequence) {
        self.places.lock().gap = end;
        self.listening.store(true, Ordering::Release);
    }

    /// An alert was raised or cleared by the entry that ends at `last`.
    pub(crate) fn note(&self, last: Sequence) {
        if !self.listening.load(Ordering::Acquire) {
            return;
        }
        let mut places = self.places.lock();
        let Places { entries, gap } = &mut *places;
        if entries.len() < ENTRIES_MAX || entries.contains_key(&last) {
            *entries.entry(last).or_default() += 1;
        } else {
            *gap = last.max(*gap);
        }
        drop(places);
        self.news.notify_one();
    }

    /// Where behind `read` the next alerts stand that are not behind `end`.
    pub(super) fn next_alerts(&self, read: Sequence, end: Sequence) -> NextAlerts {
        let places = self.places.lock();
        if places.gap > read {
            return NextAlerts::Everywhere;
        }
        match places.entries.range(read.plus(1)..).next() {
            Some((last, _)) if *last <= end => NextAlerts::Entry(*last),
            _ => NextAlerts::None,
        }
    }

    /// What stands up to there is read.
    pub(super) fn forget(&self, read: Sequence) {
        let mut places = self.places.lock();
        places.entries = places.entries.split_off(&read.plus(1));
    }

    /// The first entry behind `read` that was heard of.
    pub(super) fn first_after(&self, read: Sequence) -> Option<Sequence> {
        let places = self.places.lock();
        places.entries.range(read.plus(1)..).next().map(|(last, _)| *last)
    }

    /// Waits until something was heard since the last time.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// How many alerts were heard of and are not read yet.
    pub(super) fn waiting(&self) -> usize {
        self.places.lock().entries.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_heard_is_found_once_it_is_durable_and_forgotten_once_it_is_read() {
        let alert_entries = AlertEntries::default();
        alert_entries.note(Sequence(3));
        assert_eq!(alert_entries.waiting(), 0, "nobody listens");
        alert_entries.listen(Sequence(5));
        for last in [9, 7, 9] {
            alert_entries.note(Sequence(last));
        }
        assert_eq!(alert_entries.waiting(), 3);
        assert_eq!(
            alert_entries.next_alerts(Sequence(2), Sequence(6)),
            NextAlerts::Everywhere,
            "what was before is looked for"
        );
        assert_eq!(
            alert_entries.next_alerts(Sequence(5), Sequence(6)),
            NextAlerts::None,
            "it is not durable yet"
        );
        assert_eq!(alert_entries.next_alerts(Sequence(5), Sequence(8)), NextAlerts::Entry(Sequence(7)));
        assert_eq!(alert_entries.next_alerts(Sequence(7), Sequence(20)), NextAlerts::Entry(Sequence(9)));
        alert_entries.forget(Sequence(7));
        assert_eq!((alert_entries.waiting(), alert_entries.first_after(Sequence(9))), (2, None));
        alert_entries.forget(Sequence(9));
        assert_eq!(
            (alert_entries.next_alerts(Sequence(9), Sequence(20)), alert_entries.waiting()),
            (NextAlerts::None, 0)
        );
    }

    #[test]
    fn what_is_more_than_can_be_remembered_is_looked_for() {
        let alert_entries = AlertEntries::default();
        alert_entries.listen(Sequence::START);
        let most = ENTRIES_MAX as u64;
        for last in 1..=most + 2 {
            alert_entries.note(Sequence(last));
        }
        alert_entries.note(Sequence(most));
        assert_eq!(alert_entries.waiting(), ENTRIES_MAX + 1);
        assert_eq!(alert_entries.next_alerts(Sequence(most), Sequence(most + 1)), NextAlerts::Everywhere);
        assert_eq!(alert_entries.next_alerts(Sequence(most + 2), Sequence(most + 9)), NextAlerts::None);
    }
}
