//! Errors of opening a data directory, shared by all modules that open or read one.

use onhand_domain::Sequence;
use std::io;
use std::path::{Path, PathBuf};

/// Why a data directory does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk returned an error.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or directory of the failed call.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another process holds the directory.
    #[error("{} is held by {holder}; stop it first, or choose another data directory", path.display())]
    Locked {
        /// Path of the lock file.
        path: PathBuf,
        /// The holder's own description from the lock file.
        holder: String,
    },
    /// Several processes share it, or one has begun to convert it.
    #[error(
        "{} is shared by several processes, each with a log of its own; start this one with --locks-enabled \
         (LOCKS_ENABLED=true) too",
        path.display()
    )]
    Shared {
        /// Path of the data directory.
        path: PathBuf,
    },
    /// The conversion from a directory of one process to one of several was interrupted.
    #[error(
        "{} is half-way to a directory that several processes share: a process is making it so, or ended before it was \
         done. Nothing is lost; `onhand serve --locks-enabled` does the rest when it starts",
        path.display()
    )]
    HalfShared {
        /// Path of the data directory.
        path: PathBuf,
    },
    /// A file other than a segment is damaged.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// Path of the damaged file.
        path: PathBuf,
        /// Reason of the damage, for a person.
        reason: String,
    },
    /// Acknowledged entries are damaged or missing.
    #[error(
        "{} is damaged at byte {offset}, where sequence {sequence} belongs: {reason}. Nothing was changed. \
         Restore the file from a copy; `onhand verify` shows all that is wrong",
        path.display()
    )]
    Corrupt {
        /// Path of the segment.
        path: PathBuf,
        /// The byte at which its good part ends.
        offset: u64,
        /// The sequence expected there.
        sequence: Sequence,
        /// Reason of the damage, for a person.
        reason: String,
    },
}

impl OpenError {
    /// Adds the path to an I/O error.
    pub fn at(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io { path: path.clone(), source }
    }
}
