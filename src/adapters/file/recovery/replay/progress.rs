//! How far a replay has come, and what it answers in the end.

use crate::format::identity::NodeFile;
use crate::format::index::Growing;
use crate::format::segment::ScanPlace;
use crate::reading::archived::segment_path;
use crate::reading::segments::Segment;
use crate::recovery::options::{OpenOptions, OpenReport};
use onhand_app::Restored;
use onhand_app::ledger::fold::Fold;
use onhand_disk::OpenError;
use onhand_domain::{Sequence, Timestamp};
use std::io;
use std::sync::Arc;

/// A replay under way.
pub(crate) struct Replay<'a> {
    pub(super) options: &'a OpenOptions,
    pub(super) node: &'a NodeFile,
    /// Up to here the log was durable once: so says the mark, or a snapshot.
    pub(super) proven: Sequence,
    pub(super) fold: Fold,
    pub(super) last_time: Timestamp,
    /// Nothing behind this is taken: the log ends here for good, or nobody knows yet whether more is durable.
    pub(super) upto: Sequence,
    pub(super) weight: u64,
    pub(super) report: OpenReport,
    /// Memory for the bytes of a segment, which one after the other takes.
    pub(super) room: Vec<u8>,
}

/// Whose log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// One's own, up to that sequence: what stands behind it is cut.
    Own(Sequence),
    /// That of another process, which may be writing it: up to that sequence, and nothing is changed.
    Foreign(Sequence),
}

/// What the log and its snapshot add up to.
pub(crate) struct Replayed {
    /// All segments but the last.
    pub(crate) segments: Vec<Segment>,
    pub(crate) last: LastSegment,
    pub(crate) restored: Restored,
    pub(crate) end: Sequence,
    pub(crate) last_time: Timestamp,
    pub(crate) snapshot_weight: u64,
    pub(crate) report: OpenReport,
}

/// The segment to go on in.
pub(crate) struct LastSegment {
    pub(crate) number: u64,
    pub(crate) first: Sequence,
    /// The end of its good part.
    pub(crate) place: ScanPlace,
    pub(crate) index: Arc<Growing>,
    /// Bytes behind the good part.
    pub(crate) torn: Option<Vec<u8>>,
}

impl Replay<'_> {
    /// Damage to what was acknowledged, at `offset` of the segment that begins with `first`.
    pub(super) fn corrupt(
        &self,
        first: Sequence,
        offset: u64,
        sequence: Sequence,
        reason: &str,
    ) -> OpenError {
        let path = segment_path(&*self.options.disk, &self.options.layout, first);
        OpenError::Corrupt { path, offset, sequence, reason: reason.to_owned() }
    }

    /// Why a segment cannot be read: an archived one that cannot be unpacked is damaged.
    pub(super) fn unread(&self, first: Sequence) -> impl Fn(io::Error) -> OpenError {
        move |error| match error.kind() {
            io::ErrorKind::InvalidData => {
                self.corrupt(first, 0, first, &format!("it cannot be read: {error}"))
            }
            _ => OpenError::at(&segment_path(&*self.options.disk, &self.options.layout, first))(error),
        }
    }
}
