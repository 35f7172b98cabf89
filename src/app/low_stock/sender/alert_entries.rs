//! The sequences of entries with alerts, as the write path reports them.
//!
//! They are hints: an entry may have been rolled back since, so the log decides. But none is missing: an entry with an alert is
//! reported before [`Ledger::noted_end`](crate::Ledger::noted_end) passes it, or lies in the gap.

use onhand_domain::Sequence;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Most entries kept; beyond, the log is scanned for alerts.
const ENTRIES_MAX: usize = 65_536;

/// The reported entries that are not read yet.
#[derive(Debug, Default)]
pub(crate) struct AlertEntries {
    listening: AtomicBool,
    places: Mutex<Places>,
    news: Notify,
}

#[derive(Debug, Default)]
struct Places {
    /// The last sequence of each entry with alerts, with the number of its alerts.
    entries: BTreeMap<Sequence, usize>,
    /// Up to here entries may be missing.
    gap: Sequence,
}

/// Where the next alerts stand.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextAlerts {
    /// Anywhere: the log has to be scanned.
    Everywhere,
    /// In the entry that ends with this sequence.
    Entry(Sequence),
    /// No alerts are waiting.
    None,
}

impl AlertEntries {
    /// Starts to record; entries up to `end` were not reported.
    pub(super) fn listen(&self, end: Sequence) {
        self.places.lock().gap = end;
        self.listening.store(true, Ordering::Release);
    }

    /// Records an alert in the entry that ends with `last`.
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

    /// The next alerts after `read`, up to `end`.
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

    /// Forgets the entries up to `read`.
    pub(super) fn forget(&self, read: Sequence) {
        let mut places = self.places.lock();
        places.entries = places.entries.split_off(&read.plus(1));
    }

    /// The first recorded entry after `read`.
    pub(super) fn first_after(&self, read: Sequence) -> Option<Sequence> {
        let places = self.places.lock();
        places.entries.range(read.plus(1)..).next().map(|(last, _)| *last)
    }

    /// Waits for the next report.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// The number of recorded alerts that are not read yet.
    pub(super) fn waiting(&self) -> usize {
        self.places.lock().entries.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_found_once_durable_and_forgotten_once_read() {
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
    fn reports_beyond_the_limit_cause_a_scan() {
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
