//! Joining a data directory that several processes share.

use crate::format::identity::{DirectoryLock, NodeFile, read_node, write_node};
use crate::format::segment::FORMAT;
use crate::log::term::hold_mark;
use crate::recovery::migrate::move_in;
use crate::recovery::{OpenOptions, open};
use crate::sharing::others::{MEMBERS_MAX, is_left};
use crate::sharing::process::{FileSharing, Joined, LeaseOptions};
use crate::sources::members::{Arrangement, arrangement};
use onhand_app::ports::{Clock, EventIds};
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenError, create_dir_durably};
use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How long a joining process waits for others that join at the same time; each of them reads all logs first.
const JOIN_WAIT: Duration = Duration::from_secs(60);
/// How long it waits while there are no members yet: the holder of the lock is then usually a process that owns the
/// directory exclusively.
const FIRST_JOIN_WAIT: Duration = Duration::from_secs(5);
/// Interval between two attempts.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// Joins a data directory that several processes share, and creates it when it is missing. `options` apply to the
/// whole directory.
///
/// No other process joins before [`Sharing::let_others_join`](onhand_app::ports::Sharing::let_others_join). The
/// process takes the first free one of `nodes/1`, `nodes/2`, ... A data directory that belonged to a single process
/// becomes the first of them.
///
/// # Errors
/// [`OpenError`]; [`OpenError::Locked`] when one process owns the whole directory exclusively.
pub fn join(
    options: &OpenOptions,
    lease: LeaseOptions,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn EventIds>,
) -> Result<Joined, OpenError> {
    let (disk, root) = (&options.disk, &options.layout);
    for directory in [root.root().to_path_buf(), root.nodes(), lease.directory.clone()] {
        if directory != root.nodes() {
            create_dir_durably(&**disk, &directory).map_err(OpenError::at(&directory))?;
        }
    }
    let door = enter(&**disk, root)?;
    move_in(&**disk, root)?;
    let ledger = read_node(&**disk, &root.member(1))?.map(|node| node.ledger());
    for number in 1..=MEMBERS_MAX {
        let layout = root.member(number);
        prepare(&**disk, &layout, ledger, &**clock, &**ids)?;
        if !is_left(&**disk, &layout).map_err(OpenError::at(&layout.lock()))? {
            continue;
        }
        let own = OpenOptions { disk: Arc::clone(disk), layout: layout.clone(), ..*options };
        let _mark = match hold_mark(&**disk, &layout) {
            // A process that stopped in the middle of taking over this member.
            Err(error) if error.kind() == io::ErrorKind::TimedOut => continue,
            held => held.map_err(OpenError::at(&layout.mark()))?,
        };
        match open(&own, &**clock, &**ids) {
            Ok(node) => {
                let sharing = FileSharing::begin(own, root, number, lease, clock, ids)?.behind(door);
                node.log.bind_to(sharing.tenure.clone());
                sharing.finish_ended_logs()?;
                return Ok(Joined { node, layout, sharing: Arc::new(sharing) });
            }
            Err(OpenError::Locked { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let reason = format!("it has {MEMBERS_MAX} processes already");
    Err(OpenError::Damaged { path: root.nodes(), reason })
}

/// The lock of the whole directory. A joining process holds it until the others have its log time; a process that
/// owns the directory exclusively holds it until it ends.
fn enter(disk: &dyn Disk, root: &Layout) -> Result<DirectoryLock, OpenError> {
    let begun = Instant::now();
    loop {
        let arranged = arrangement(disk, root).map_err(OpenError::at(&root.nodes()))?;
        let patience = if arranged == Arrangement::Shared { JOIN_WAIT } else { FIRST_JOIN_WAIT };
        match DirectoryLock::take(disk, root) {
            Err(OpenError::Locked { .. }) if begun.elapsed() < patience => thread::sleep(TRY_AGAIN),
            entered => return entered,
        }
    }
}

/// Prepares the directory of a member, which belongs to the ledger of the others from the start.
fn prepare(
    disk: &dyn Disk,
    layout: &Layout,
    ledger: Option<Uuid>,
    clock: &dyn Clock,
    ids: &dyn EventIds,
) -> Result<(), OpenError> {
    create_dir_durably(disk, &layout.log()).map_err(OpenError::at(&layout.log()))?;
    if ledger.is_some() && read_node(disk, layout)?.is_none() {
        let node = NodeFile { node: ids.event_id(), format: FORMAT, created: clock.now(), ledger };
        write_node(disk, layout, &node).map_err(OpenError::at(&layout.node()))?;
    }
    Ok(())
}
