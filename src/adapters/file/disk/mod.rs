//! Every system call, and the names and places of files.

mod calls;
pub mod clock;
pub mod layout;
pub(crate) mod lines;

pub use calls::{
    Disk, DiskFile, LockOutcome, OpenMode, RealDisk, create_dir_durably, create_unfinished, durable_rename,
    fill_at, finished_or_gone, parent, read_all, read_all_into, read_exact_at, write_all_at,
};
