//! Progress and result of a replay.

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

/// A replay in progress.
pub(crate) struct Replay<'a> {
    pub(super) options: &'a OpenOptions,
    pub(super) node: &'a NodeFile,
    /// The sequence up to which the log was durable once, by the mark or a snapshot.
    pub(super) proven: Sequence,
    pub(super) fold: Fold,
    pub(super) last_time: Timestamp,
    /// Nothing behind this is accepted: it is the final end of the log, or it is unknown whether more is durable.
    pub(super) upto: Sequence,
    pub(super) weight: u64,
    pub(super) report: OpenReport,
    /// A buffer for the bytes of a segment, reused for each segment.
    pub(super) room: Vec<u8>,
}

/// Ownership of the log that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplayedLog {
    /// The log of this process, up to that sequence: bytes behind it are cut.
    Own(Sequence),
    /// The log of another process, which may be writing it: up to that sequence, without changes.
    Foreign(Sequence),
}

/// The states from a log and its snapshot.
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

/// The segment in which the log continues.
pub(crate) struct LastSegment {
    pub(crate) number: u64,
    pub(crate) first: Sequence,
    /// The end of its good part.
    pub(crate) place: ScanPlace,
    pub(crate) index: Arc<Growing>,
    /// The bytes behind the good part.
    pub(crate) torn: Option<Vec<u8>>,
}

impl Replay<'_> {
    /// The error for damaged acknowledged entries, at `offset` of the segment that begins with `first`.
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

    /// The error for an unreadable segment: an archived one that cannot be unpacked is damaged.
    pub(super) fn unread(&self, first: Sequence) -> impl Fn(io::Error) -> OpenError {
        move |error| match error.kind() {
            io::ErrorKind::InvalidData => {
                self.corrupt(first, 0, first, &format!("it cannot be read: {error}"))
            }
            _ => OpenError::at(&segment_path(&*self.options.disk, &self.options.layout, first))(error),
        }
    }
}
