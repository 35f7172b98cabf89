//! Side work: snapshots, and the archive of segments that a snapshot covers.

pub mod archive;
pub mod maintenance;
pub mod snapshot;
pub mod snapshotter;
