//! JSON files: the log, its segments and snapshots, on a [`onhand_disk::Disk`].
//!
//! | room | what it does |
//! | --- | --- |
//! | [`format`] | the bytes: lines, segments, their index, the durable mark, the node's identity |
//! | [`log`] | appending: queue, group commit, durable end; when the disk refuses, and the way back |
//! | [`reading`] | reading back: entries in order, and the events of one key |
//! | [`recovery`] | from a directory to a running log |
//! | [`upkeep`] | side work: snapshots and the archive |
//! | [`sharing`] | several processes on one directory |
//! | [`sources`] | logs as the worker reads them |
//! | [`stores`] | what the worker and the webhook keep |
//! | [`audit`] | whether all of it holds, and the way out when it does not |

pub mod audit;
pub mod format;
pub mod log;
pub mod reading;
pub mod recovery;
pub mod sharing;
pub mod sources;
pub mod stores;
pub mod upkeep;
