//! Several processes over one stock: who may write which state, and what the others have written.

use super::history::{History, HistoryError};
use super::restored::Restored;
use crate::domain::{Entry, Key, Timestamp};
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

/// What came of asking for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lease {
    /// It is this process's from now on, in that epoch: higher than in any log so far.
    Held(u64),
    /// Another process holds it. Unless only a free one was wanted, it has been told; ask again.
    Elsewhere,
}

/// What a renewal of the leases came to.
#[derive(Debug, Default)]
pub struct Kept {
    /// Keys that others have asked for.
    pub wanted: Vec<Key>,
    /// The latest log time that another process has noted.
    pub latest: Option<Timestamp>,
}

/// The log time of the other processes.
#[derive(Debug, Clone, Copy)]
pub struct OthersTime {
    /// The latest that one of them has noted; the least there is when none has.
    pub latest: Timestamp,
    /// Whether any of them is running.
    pub present: bool,
}

/// What came of the logs of others.
#[derive(Debug)]
pub enum PeerNews {
    /// A log that was not known before: what it adds up to, and the time of its last entry.
    Joined(LogNumber, Restored, Timestamp),
    /// An entry of a known one.
    Entry(LogNumber, Box<Entry>),
}

/// The term of this process is over, and others go on with its leases. Stands in an [`io::Error`] where that is what a call comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the term of this process is over: it did not renew its leases in time, or its disk refused a sync while another \
     process asked for a lease"
)]
pub struct TakenOver;

/// True when that is what an error says.
pub fn is_taken_over(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<TakenOver>)
}

/// The other processes. All calls block on the disk, none of them on another process.
///
/// Owed: while this process holds the lease of a key, no other one makes an entry on it durable; and whatever others made
/// durable before it came to hold it is in [`Sharing::news`]. Whether it still holds what it held, a process that was
/// stopped for a while learns from [`Sharing::lasts`], and its log refuses to go on when it does not.
pub trait Sharing: Send + Sync {
    /// Asks for the lease of a key whose state was written last by that log.
    ///
    /// # Errors
    /// What the disk says.
    fn ask(&self, key: &Key, last: LogNumber, only_free: bool) -> io::Result<Lease>;

    /// Gives the lease of a key up, or all leases with the term, where the log has a group that is neither acknowledged nor
    /// removed. False when it has to be tried again.
    ///
    /// # Errors
    /// What the disk says; the lease is held still.
    fn release(&self, key: &Key) -> io::Result<bool>;

    /// Renews the leases, takes over from those who do not, and answers what others have asked for. To be called several
    /// times within the time a lease lasts. `now` is log time at a moment of the monotonic clock, which the others learn.
    ///
    /// # Errors
    /// [`TakenOver`], or what the disk says; then it is to be called again.
    fn keep(&self, now: (Timestamp, Duration)) -> io::Result<Kept>;

    /// Notes log time for the first time; until then nobody else can join, and find an earlier one.
    ///
    /// # Errors
    /// What the disk says.
    fn let_others_join(&self, now: (Timestamp, Duration)) -> io::Result<()>;

    /// The log time of the others, as far as they have noted it.
    ///
    /// # Errors
    /// What the disk says.
    fn time(&self) -> io::Result<OthersTime>;

    /// That nobody has taken over from this process. Cheap.
    ///
    /// # Errors
    /// [`TakenOver`] when somebody has, or what the disk says: nothing that rests on its leases may be answered then.
    fn lasts(&self) -> io::Result<()>;

    /// True when [`Sharing::news`] has something. Cheap.
    ///
    /// # Errors
    /// What the disk says.
    fn has_news(&self) -> io::Result<bool>;

    /// What others have made durable since the last call, each log in its order.
    ///
    /// # Errors
    /// When a log cannot be read, or is damaged.
    fn news(&self) -> Result<Vec<PeerNews>, HistoryError>;

    /// Reads the log of another process back; nothing for an unknown one.
    fn history(&self, log: LogNumber) -> Option<Arc<dyn History>>;

    /// The number by which the others know this process's own log.
    fn own(&self) -> u16;

    /// The logs of all others that are known.
    fn logs(&self) -> Vec<LogNumber>;
}
