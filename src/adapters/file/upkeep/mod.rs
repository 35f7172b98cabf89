//! Side work: snapshots, and the archive of segments that a snapshot covers.
//!
//! | file | content |
//! | --- | --- |
//! | [`maintenance`] | the due work, on one thread |
//! | [`snapshotter`] | when a snapshot is taken, and from what; [`snapshot`] is its bytes |
//! | [`archive`] | which segments are compressed, and in which steps |

pub mod archive;
pub mod maintenance;
pub mod snapshot;
pub mod snapshotter;
