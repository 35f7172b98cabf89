//! Checks of files derived from a log: indexes, snapshots, the mark, the term.

use super::auditor::Auditor;
use super::report::first_difference;
use crate::format::index::{IndexError, Sealed};
use crate::format::segment_end::SegmentEnd;
use crate::recovery::replay::load_snapshot;
use crate::upkeep::snapshot::SnapshotError;
use onhand_domain::{Key, Sequence};

impl Auditor<'_> {
    pub(super) fn index(&mut self, first: Sequence, end: SegmentEnd) {
        let path = self.layout.index(first);
        let checked = Sealed::open(self.disk, &path).and_then(|index| {
            index.check()?;
            Ok(index.is_of(end.length, end.crc))
        });
        match checked {
            Ok(true) => {}
            Ok(false) => self.find(&path, None, Some(first), "it is the index of another segment"),
            // A running node may not have written it yet, and the next start makes it.
            Err(IndexError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                self.find(&path, None, Some(first), format!("{error}; remove it, it is made again"));
            }
        }
    }

    /// Compares the fold with the snapshot at its sequence: they must be equal.
    pub(super) fn compare_snapshot(&mut self) {
        let Some(sequence) = self.unseen.last().copied().filter(|next| *next <= self.audit.fold.sequence)
        else {
            return;
        };
        self.unseen.pop();
        if !self.whole() {
            return;
        }
        let path = self.layout.snapshot(sequence);
        match load_snapshot(self.disk, &path, &self.audit.node) {
            Ok(_) if sequence < self.audit.fold.sequence => {
                self.find(&path, None, Some(sequence), "no entry ends with its sequence");
            }
            Ok(snapshot) => {
                if let Some(what) = first_difference(&self.audit.fold, &snapshot) {
                    self.find(&path, None, Some(sequence), what);
                }
            }
            // A running node removes its oldest snapshot now and then.
            Err(SnapshotError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => self.find(&path, None, Some(sequence), error.to_string()),
        }
    }

    /// The checks that need the whole log.
    pub(super) fn end(&mut self) {
        let end = self.audit.fold.sequence;
        self.audit.end = end;
        if self.whole() && self.mark > end {
            let what =
                format!("it says that sequence {} was durable, but the log ends with {end}", self.mark);
            self.find(&self.layout.mark(), None, Some(end), what);
            self.audit.cut_short = true;
        }
        if self.mark > self.upto {
            let what = format!("sequence {} was made durable after another process ended the log", self.mark);
            self.find(&self.layout.term(), None, Some(self.upto), what);
        }
        if self.whole() && self.audit.live.is_none() {
            for sequence in std::mem::take(&mut self.unseen) {
                let what = format!("the log ends with {end}, before the snapshot");
                self.find(&self.layout.snapshot(sequence), None, Some(sequence), what);
                self.audit.cut_short = true;
            }
        }
        let states = self.audit.fold.states.iter();
        let broken = states.filter(|(key, state)| state.record(key).restore().is_err());
        let broken: Vec<Key> = broken.map(|(key, _)| key.clone()).collect();
        for key in broken {
            let what = format!("{key}: the open reservations do not add up to what is reserved");
            self.find(&self.layout.log(), None, None, what);
        }
    }
}
