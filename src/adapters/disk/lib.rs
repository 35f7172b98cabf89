//! Every system call, and the names and paths of files.
//!
//! | file | content |
//! | --- | --- |
//! | `calls` | the disk as two traits, the operating system's disk, and the order of calls that makes a name durable |
//! | `replace` | a file replaced as a whole; room reserved |
//! | `aside` | leftovers of a crash |
//! | [`layout`] | paths under a data directory |
//! | [`lines`] | a file read line by line |
//! | `open_error` | why a data directory cannot be used |
//! | [`clock`] | the machine's clocks, and fresh ids |

mod aside;
mod calls;
pub mod clock;
pub mod layout;
pub mod lines;
mod open_error;
pub mod replace;

pub use aside::{keep_aside, remove_unfinished, set_aside};
pub use calls::{
    Disk, DiskFile, LockOutcome, OpenMode, RealDisk, create_dir_durably, create_unfinished, durable_rename,
    fill_at, finished_or_gone, parent, read_all, read_all_into, read_exact_at, write_all_at,
};
pub use open_error::OpenError;
pub use replace::{replace, reserve};
