//! JSON files: the log, its segments and snapshots, on a [`onhand_disk::Disk`].
//!
//! | folder | content |
//! | --- | --- |
//! | [`format`] | the bytes: lines, segments, their index, the durable mark, the node's identity |
//! | [`log`] | appending: queue, group commit, durable end; disk failures and recovery from them |
//! | [`reading`] | reading back: entries in order, and the events of one key |
//! | [`recovery`] | from a directory to a running log |
//! | [`upkeep`] | side work: snapshots and the archive |
//! | [`sharing`] | several processes on one directory |
//! | [`sources`] | logs as the worker reads them |
//! | [`stores`] | files of the worker and the webhook |
//! | [`audit`] | consistency checks of all files, and repair |

pub mod audit;
pub mod format;
pub mod log;
pub mod reading;
pub mod recovery;
pub mod sharing;
pub mod sources;
pub mod stores;
pub mod upkeep;
