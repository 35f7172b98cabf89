//! Opens a data directory as a running log: lock, snapshot, segments, and the difference between torn and damaged.
//!
//! 1. Take the lock, or fail with the name of its holder.
//! 2. Load the newest intact snapshot; set a bad one aside.
//! 3. Read the segments after it, in order, each checked against the one before.
//! 4. A **torn tail** (damage in the last batch of the last segment, not covered by the mark) is copied aside and
//!    cut.
//! 5. Damage **anywhere else** refuses to start: bytes that were acknowledged are never cut.
//! 6. The good part of the active segment is copied to a new file and synced, because after a failed sync the page
//!    cache may hold bytes that the disk does not have.
//!
//! Every step can be repeated after a kill.

use crate::format::identity::{DirectoryLock, NodeFile, read_node, upgrade, write_node};
use crate::format::index::Growing;
use crate::format::mark::{Mark, read_mark};
use crate::format::segment::{FORMAT, Header};
use crate::format::segment_end::SegmentEnd;
use crate::log::FileLog;
use crate::log::ballast::Ballast;
use crate::log::term::read_term;
use crate::log::writer::{Active, Writer, WriterMeters, create_segment};
use crate::reading::archived::{list_segments, open_segment};
use crate::reading::segments::{Segment, Segments};
use crate::recovery::options::{OpenOptions, OpenReport};
use crate::recovery::replay::{Replay, Replayed, ReplayedLog};
use crate::sources::members::{Arrangement, arrangement};
use crate::upkeep::archive::remove_archived;
use crate::upkeep::maintenance::Maintenance;
use crate::upkeep::snapshot::list_snapshots;
use crate::upkeep::snapshotter::LastSnapshot;
use onhand_app::Restored;
use onhand_app::ports::{Clock, DurableWatch, EventIds};
use onhand_disk::layout::Layout;
use onhand_disk::{
    Disk, DiskFile, OpenError, create_dir_durably, keep_aside, read_all, remove_unfinished, replace, reserve,
};
use onhand_domain::Sequence;
use std::io;
use std::sync::Arc;

/// A data directory that is open for writing.
pub struct OpenNode {
    /// The node's identity.
    pub node: NodeFile,
    /// The log, not started yet.
    pub log: FileLog,
    /// The states from snapshot and log.
    pub restored: Restored,
    /// The durable end of the log.
    pub end: Sequence,
    /// The report of opening.
    pub report: OpenReport,
    /// Number of states and holds in the snapshot it started from.
    snapshot_weight: u64,
    /// The lock that keeps other processes out.
    pub lock: DirectoryLock,
}

impl OpenNode {
    /// The maintenance of its log, with a snapshot after every `snapshot_every` events.
    pub fn maintenance(&self, snapshot_every: u64) -> Maintenance {
        let last = LastSnapshot { sequence: self.report.snapshot, weight: self.snapshot_weight };
        Maintenance::new(self.log.segments(), self.log.durable_watch(), self.node.node, last, snapshot_every)
    }
}

/// Opens a data directory for writing, and creates it when it is missing.
///
/// # Errors
/// [`OpenError`]; acknowledged entries are unchanged then.
pub fn open(options: &OpenOptions, clock: &dyn Clock, ids: &dyn EventIds) -> Result<OpenNode, OpenError> {
    open_held(options, hold(options)?, clock, ids)
}

/// Locks a data directory for one log, and creates it when it is missing. Nothing else in it is changed.
///
/// # Errors
/// [`OpenError::Locked`] or [`OpenError::Shared`], or any I/O error of the disk.
pub fn hold(options: &OpenOptions) -> Result<DirectoryLock, OpenError> {
    let OpenOptions { disk, layout, .. } = options;
    create_dir_durably(&**disk, layout.root()).map_err(OpenError::at(layout.root()))?;
    let lock = DirectoryLock::take(&**disk, layout)?;
    // Under the lock: a process that moves the log into a shared arrangement holds it meanwhile.
    if arrangement(&**disk, layout).map_err(OpenError::at(&layout.nodes()))? != Arrangement::Alone {
        return Err(OpenError::Shared { path: layout.root().to_path_buf() });
    }
    Ok(lock)
}

/// Opens a data directory whose lock is held already.
pub fn open_held(
    options: &OpenOptions,
    lock: DirectoryLock,
    clock: &dyn Clock,
    ids: &dyn EventIds,
) -> Result<OpenNode, OpenError> {
    let OpenOptions { disk, layout, .. } = options;
    for directory in [layout.log(), layout.snapshots(), layout.archive()] {
        create_dir_durably(&**disk, &directory).map_err(OpenError::at(&directory))?;
        remove_unfinished(&**disk, &directory).map_err(OpenError::at(&directory))?;
    }
    let node = match read_node(&**disk, layout)? {
        Some(node) => upgrade(&**disk, layout, node)?,
        None => make_node(&**disk, layout, clock, ids)?,
    };
    remove_archived(&**disk, layout).map_err(OpenError::at(&layout.archive()))?;
    let firsts = list_segments(&**disk, layout).map_err(OpenError::at(&layout.log()))?;
    let marked = read_mark(&**disk, &layout.mark()).map_err(OpenError::at(&layout.mark()))?;
    let term = read_term(&**disk, &layout.term()).map_err(OpenError::at(&layout.term()))?;
    let upto = term.and_then(|term| term.end).unwrap_or(Sequence(u64::MAX));
    let replay = Replay::begin(options, &node, marked, ReplayedLog::Own(upto))?;
    let replayed = if firsts.is_empty() {
        replay.check_empty(marked)?;
        let header = Header::new(node.node, 1, Sequence(1), None);
        create_segment(&**disk, layout, &header).map_err(OpenError::at(&layout.log()))?;
        replay.run(&[Sequence(1)])?
    } else {
        replay.run(&firsts)?
    };
    finish(options, node, lock, replayed)
}

fn make_node(
    disk: &dyn Disk,
    layout: &Layout,
    clock: &dyn Clock,
    ids: &dyn EventIds,
) -> Result<NodeFile, OpenError> {
    let has_log = !list_segments(disk, layout).map_err(OpenError::at(&layout.log()))?.is_empty();
    let has_snapshot = !list_snapshots(disk, layout).map_err(OpenError::at(&layout.snapshots()))?.is_empty();
    if has_log || has_snapshot {
        let reason =
            "it is missing, but there is a log or a snapshot; restore it from a copy of this directory"
                .to_owned();
        return Err(OpenError::Damaged { path: layout.node(), reason });
    }
    let node = NodeFile { node: ids.event_id(), format: FORMAT, created: clock.now(), ledger: None };
    write_node(disk, layout, &node).map_err(OpenError::at(&layout.node()))?;
    Ok(node)
}

/// Copies the good part of the active segment to a new file, and continues the log behind it.
fn finish(
    options: &OpenOptions,
    node: NodeFile,
    lock: DirectoryLock,
    replayed: Replayed,
) -> Result<OpenNode, OpenError> {
    let OpenOptions { disk, layout, segment_bytes, ballast_bytes, .. } = options;
    let Replayed { segments, last, restored, end, last_time, snapshot_weight, mut report } = replayed;
    let path = layout.segment(last.first);
    if let Some(torn) = last.torn {
        let stem = format!("torn-{}", end.plus(1));
        let aside = keep_aside(&**disk, &layout.log(), &stem, &torn).map_err(OpenError::at(&layout.log()))?;
        report.torn = Some((torn.len() as u64, aside));
    }
    let file = rewrite(&**disk, layout, last.first, last.place.end).map_err(OpenError::at(&path))?;
    let index: Arc<Growing> = last.index;
    let active = Active {
        file,
        lost: false,
        number: last.number,
        first: last.first,
        end: last.place.end,
        index: Arc::clone(&index),
    };
    let mut list = segments;
    list.push(Segment { first: last.first, growing: Some(index), sealed: None });
    let segments = Arc::new(Segments::new(Arc::clone(disk), layout.clone(), list));
    for segment in segments.unindexed() {
        let path = layout.index(segment.first);
        segments.write_index(&segment).map_err(OpenError::at(&path))?;
    }
    let mut mark = Mark::open(&**disk, &layout.mark()).map_err(OpenError::at(&layout.mark()))?;
    // All visible entries are durable since the rewrite above; later damage to them is no torn tail, and followers
    // from outside know the end of the log only from the mark.
    mark.write(end).map_err(OpenError::at(&layout.mark()))?;
    let mut ballast = Ballast::new(Arc::clone(disk), layout.clone(), *ballast_bytes);
    // Without space for it the node starts nevertheless, and becomes read-only when the disk is full.
    let _ = ballast.lay();
    // Last of all, so that it does not use space that other files need more.
    reserve(&*active.file, *segment_bytes, active.end.length);
    let durable = Arc::new(DurableWatch::new(end));
    let writer = Writer {
        meters: WriterMeters::new(),
        segments,
        durable,
        node: node.node,
        active,
        mark,
        ballast,
        segment_bytes: *segment_bytes,
        buffer: Vec::new(),
        tenure: None,
    };
    let log = FileLog::new(writer, end, last_time);
    Ok(OpenNode { node, log, restored, end, report, snapshot_weight, lock })
}

/// Copies the good part of a segment to a new, synced file of its name in `log/`.
fn rewrite(
    disk: &dyn Disk,
    layout: &Layout,
    first: Sequence,
    end: SegmentEnd,
) -> io::Result<Arc<dyn DiskFile>> {
    let old = open_segment(disk, layout, first)?;
    let mut bytes = read_all(&*old)?;
    bytes.truncate(usize::try_from(end.length).unwrap_or(usize::MAX));
    replace(disk, &layout.segment(first), &bytes)
}
