//! JSON files: the log, its segments and snapshots, on a [`disk::Disk`].

pub mod disk;
