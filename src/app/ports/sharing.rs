//! Several processes over one stock: leases of states, and the entries of the other processes.

use super::history::{History, HistoryError};
use super::restored::Restored;
use onhand_domain::{Entry, Key, Timestamp};
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// One of the logs that make up a ledger: the number of its directory, or 0 for that of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogNumber(pub u16);

impl LogNumber {
    /// The log of this process.
    pub const OWN: Self = Self(0);
}

/// The result of a request for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// This process holds it, in that epoch, which is higher than any in a log so far.
    Held(u64),
    /// Another process holds it, and was notified to release it unless only a free lease was wanted.
    Elsewhere,
}

/// The result of a renewal.
#[derive(Debug, Default)]
pub struct Kept {
    /// Keys whose leases others have requested.
    pub wanted: Vec<Key>,
    /// The latest log time that another process has published.
    pub latest: Option<Timestamp>,
}

/// The log time of the other processes.
#[derive(Debug, Clone, Copy)]
pub struct OthersTime {
    /// The latest that one of them has published; the least time when none has.
    pub latest: Timestamp,
    /// True when one of them is running.
    pub present: bool,
}

/// News from the log of another process.
#[derive(Debug)]
pub enum PeerNews {
    /// A log that was not known before: its states and records, and the time of its last entry.
    Joined(LogNumber, Restored, Timestamp),
    /// An entry of a known log.
    Entry(LogNumber, Box<Entry>),
}

/// The term of this process is over, and others hold its leases. Calls return it inside an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the term of this process is over: it did not renew its leases in time, or its disk refused a sync while another \
     process asked for a lease"
)]
pub struct TakenOver;

/// True when an error carries [`TakenOver`].
pub fn is_taken_over(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<TakenOver>)
}

/// The other processes. All calls block on the disk, none of them on another process.
///
/// Contract of an adapter: while this process holds the lease of a key, no other process makes an entry on it
/// durable; and [`Sharing::news`] has every entry on it that others made durable before. A process that was stopped
/// for a while checks with [`Sharing::lasts`] whether it still holds its leases; its log rejects entries when it
/// does not.
pub trait Sharing: Send + Sync {
    /// Requests the lease of a key whose state the log `last` wrote last.
    ///
    /// # Errors
    /// When the disk fails.
    fn ask(&self, key: &Key, last: LogNumber, only_free: bool) -> io::Result<Lease>;

    /// Releases the lease of a key, or all leases with the term when the log has a group that is neither acknowledged nor removed. False
    /// when it has to be tried again.
    ///
    /// # Errors
    /// When the disk fails; the lease is still held.
    fn release(&self, key: &Key) -> io::Result<bool>;

    /// Renews the leases, takes over from processes that do not, and returns the keys that others have requested. Called several times
    /// within the life of a lease. `now` is log time at a moment of the monotonic clock, and is published.
    ///
    /// # Errors
    /// [`TakenOver`], or a failure of the disk, after which it is called again.
    fn keep(&self, now: (Timestamp, Duration)) -> io::Result<Kept>;

    /// Publishes log time for the first time; no other process can join before that, and start from an earlier time.
    ///
    /// # Errors
    /// When the disk fails.
    fn let_others_join(&self, now: (Timestamp, Duration)) -> io::Result<()>;

    /// The log time of the other processes, as far as they have published it.
    ///
    /// # Errors
    /// When the disk fails.
    fn time(&self) -> io::Result<OthersTime>;

    /// Checks that no process has taken over from this one. Cheap.
    ///
    /// # Errors
    /// [`TakenOver`] when one has, or a failure of the disk: no answer may rest on the leases then.
    fn lasts(&self) -> io::Result<()>;

    /// True when [`Sharing::news`] has entries. Cheap.
    ///
    /// # Errors
    /// When the disk fails.
    fn has_news(&self) -> io::Result<bool>;

    /// The entries that others have made durable since the last call, each log in its order.
    ///
    /// # Errors
    /// When a log cannot be read, or is damaged.
    fn news(&self) -> Result<Vec<PeerNews>, HistoryError>;

    /// The history of another process's log; none for an unknown one.
    fn history(&self, log: LogNumber) -> Option<Arc<dyn History>>;

    /// The directory number of this process's own log.
    fn own(&self) -> u16;

    /// The known logs of other processes.
    fn logs(&self) -> Vec<LogNumber>;
}
