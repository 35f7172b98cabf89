//! Checks that the views of processes fit a possible history, and that each level has its alert once all processes have
//! re-evaluated theirs.

use crate::oracle::Shown;
use crate::processes::run::SharedRun;
use onhand_app::ports::HistoryError;
use onhand_app::stock::ReadError;

/// Milliseconds between two checks that every level has its alert.
const LOOK_MS: u64 = 100;

/// Checks after which every level has its alert.
const LOOKS_MAX: usize = 50;

impl SharedRun<'_> {
    /// Compares one process's views with the possible histories.
    pub(super) fn look(&mut self) {
        let place = self.place();
        self.shows(place);
    }

    /// As [`Self::look`], for a given process; false when it was taken over from, and another one was started in its place.
    pub(super) fn shows(&mut self, place: usize) -> bool {
        let shown = self.skus.iter().map(|sku| self.group.shown(place, sku).map(|seen| (*sku, seen)));
        let shown: Result<Vec<_>, _> = shown.collect();
        let group = &self.group;
        match shown.and_then(|shown| Ok((shown, group.listed(place)?, group.identity(place)?))) {
            Ok((shown, lists, identity)) => {
                for (sku, seen) in shown {
                    self.histories.observed(sku, seen);
                }
                self.histories.observed_lists(&lists);
                self.histories.observed_identity(&identity);
                assert!(identity.is_governed(), "no administrator can log in: {identity:?}");
                true
            }
            Err(error) => {
                self.trace.note(format_args!("{place} shows nothing: {error}"));
                assert!(!matches!(error, ReadError::History(HistoryError::Contradiction(_))), "{error}");
                self.failed(place);
                false
            }
        }
    }

    /// Checks that each level has its alert, at any process, once all running processes have re-evaluated theirs.
    pub(super) fn alerts(&mut self) {
        if self.frozen.is_some() {
            return;
        }
        self.heal_all();
        let place = self.place();
        let mut wrong = Vec::new();
        for _ in 0..LOOKS_MAX {
            self.group.pass(LOOK_MS);
            if !self.shows(place) {
                return;
            }
            wrong.clear();
            for sku in self.skus {
                let Ok(seen) = self.group.shown(place, sku) else { return };
                if !alert_fits(&seen) {
                    wrong.push((*sku, seen));
                }
            }
            if wrong.is_empty() {
                return;
            }
        }
        panic!("nobody looks at these levels: {wrong:?}");
    }
}

/// An alert is raised while, and only while, the level is at its threshold or below.
fn alert_fits(seen: &Shown) -> bool {
    let own = seen.threshold.map(|(pieces, _)| pieces);
    let threshold = own.or_else(|| seen.product?.0.threshold);
    let pieces = seen.level.map(|(on_hand, reserved, _)| on_hand - reserved);
    let low = pieces.zip(threshold).is_some_and(|(pieces, threshold)| pieces <= threshold);
    seen.alert.is_some() == low
}
