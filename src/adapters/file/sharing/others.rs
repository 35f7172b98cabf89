//! The other processes on the data directory, as this one has seen them.

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

/// Processes on one data directory, at most; their directories are called `1`, `2` and so on.
pub(super) const MEMBERS_MAX: u16 = 64;

/// All that are known. Moments are those of the monotonic clock.
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
    /// Log time then, or a little before.
    pub(super) time: Timestamp,
    /// The monotonic clock then, in milliseconds: that of the machine, so the same for all.
    pub(super) at: u64,
}

/// Why a process does not renew its leases, in that term.
pub(super) enum Gone {
    /// It has ended.
    Ended(u64),
    /// It runs, and does nothing.
    Paused(u64),
}

/// Another process, as this one knows it.
pub(super) struct Member {
    pub(super) layout: Layout,
    pub(super) peer: Option<Peer>,
    /// The content of its `alive`, and since when it has not changed.
    pub(super) seen: (Vec<u8>, Duration),
    /// A command of this process waits for one of its leases.
    pub(super) awaited: bool,
}

impl Others {
    /// The latest log time of any of them at the moment `now`: as noted, and what has passed since.
    pub(super) fn latest_time(&self, now: Duration, ttl: Duration) -> Option<Timestamp> {
        let by_now = |member: &Member| Some(member.alive()?.time_by(now, ttl));
        self.members.values().filter_map(by_now).max()
    }
}

impl Alive {
    /// Log time at the moment `now` of a process that noted this, at most `within` before; else it is of no moment that this
    /// machine's clock knows (it was started anew since), and what was noted is all there is.
    pub(super) fn time_by(&self, now: Duration, within: Duration) -> Timestamp {
        let passed = milliseconds(now).checked_sub(self.at).filter(|passed| *passed <= milliseconds(within));
        self.time.plus_milliseconds(passed.and_then(|passed| i64::try_from(passed).ok()).unwrap_or(0))
    }
}

impl Member {
    /// Its last sign of life; a torn one counts as none until the next one comes.
    pub(super) fn alive(&self) -> Option<Alive> {
        serde_json::from_slice(checked(&self.seen.0)?).ok()
    }
}

/// Whole milliseconds.
pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// True when no process has that member's directory.
pub(super) fn is_left(disk: &dyn Disk, layout: &Layout) -> io::Result<bool> {
    DirectoryLock::holder(disk, layout).map(|holder| holder.is_none())
}
