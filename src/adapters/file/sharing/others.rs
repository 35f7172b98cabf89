//! The other processes on the data directory, as this process last saw them.

use crate::format::identity::DirectoryLock;
use crate::log::term::checked;
use crate::sharing::peer::Peer;
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

/// Maximum number of processes on one data directory; their directories are called `1`, `2` and so on.
pub(super) const MEMBERS_MAX: u16 = 64;

/// All known processes. Times are those of the monotonic clock.
#[derive(Default)]
pub(super) struct Others {
    pub(super) members: BTreeMap<u16, Member>,
    pub(super) renewed: Option<Duration>,
    pub(super) looked: Option<Duration>,
    pub(super) renewals: u64,
}

/// The content of `alive`, written at each renewal of the leases: one line with its checksum in front (`log/term.rs`).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Alive {
    pub(super) term: u64,
    pub(super) renewals: u64,
    /// Log time at the renewal, or a little before.
    pub(super) time: Timestamp,
    /// The monotonic clock at the renewal, in milliseconds: one clock per machine, so comparable between processes.
    pub(super) at: u64,
}

/// Why a process does not renew its leases, with the term concerned.
pub(super) enum Gone {
    /// The process has ended.
    Ended(u64),
    /// The process runs but makes no progress.
    Paused(u64),
}

/// The state of another process.
pub(super) struct Member {
    pub(super) layout: Layout,
    pub(super) peer: Option<Peer>,
    /// The content of its `alive`, and the moment since which it has not changed.
    pub(super) seen: (Vec<u8>, Duration),
    /// A command of this process waits for one of its leases.
    pub(super) awaited: bool,
}

impl Others {
    /// The latest log time of any of them at the moment `now`: the noted time plus the time passed since.
    pub(super) fn latest_time(&self, now: Duration, ttl: Duration) -> Option<Timestamp> {
        let by_now = |member: &Member| Some(member.alive()?.time_by(now, ttl));
        self.members.values().filter_map(by_now).max()
    }
}

impl Alive {
    /// Log time at the moment `now` of a process that noted this at most `within` ago. A longer difference means
    /// that the machine was restarted since; then the noted time is the result.
    pub(super) fn time_by(&self, now: Duration, within: Duration) -> Timestamp {
        let passed = milliseconds(now).checked_sub(self.at).filter(|passed| *passed <= milliseconds(within));
        self.time.plus_milliseconds(passed.and_then(|passed| i64::try_from(passed).ok()).unwrap_or(0))
    }
}

impl Member {
    /// Its last renewal; a torn record counts as none until the next renewal.
    pub(super) fn alive(&self) -> Option<Alive> {
        serde_json::from_slice(checked(&self.seen.0)?).ok()
    }
}

/// Whole milliseconds, saturating.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// True when no process has that member's directory.
pub(super) fn is_left(disk: &dyn Disk, layout: &Layout) -> io::Result<bool> {
    DirectoryLock::holder(disk, layout).map(|holder| holder.is_none())
}
