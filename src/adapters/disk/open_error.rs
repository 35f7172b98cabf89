//! Why a data directory cannot be used: what every room that opens or reads one answers.

use onhand_domain::Sequence;
use std::io;
use std::path::{Path, PathBuf};

/// Why a directory does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk refused.
    #[error("cannot use {}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Another process has it.
    #[error("{} is held by {holder}; stop it first, or choose another data directory", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// What the holder wrote.
        holder: String,
    },
    /// Several processes share it, or one has begun to make it so.
    #[error(
        "{} is shared by several processes, each with a log of its own; start this one with --locks-enabled \
         (LOCKS_ENABLED=true) too",
        path.display()
    )]
    Shared {
        /// The data directory.
        path: PathBuf,
    },
    /// The log is half-way from a directory of one process to one of several.
    #[error(
        "{} is half-way to a directory that several processes share: a process is making it so, or ended before it was \
         done. Nothing is lost; `onhand serve --locks-enabled` does the rest when it starts",
        path.display()
    )]
    HalfShared {
        /// The data directory.
        path: PathBuf,
    },
    /// A file other than a segment is not what was written.
    #[error("{}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Acknowledged entries are damaged or missing.
    #[error(
        "{} is damaged at byte {offset}, where sequence {sequence} belongs: {reason}. Nothing was changed. \
         Restore the file from a copy; `onhand verify` shows all that is wrong",
        path.display()
    )]
    Corrupt {
        /// The segment.
        path: PathBuf,
        /// Where its good part ends.
        offset: u64,
        /// What should stand there.
        sequence: Sequence,
        /// What is wrong.
        reason: String,
    },
}

impl OpenError {
    /// Adds the path to what the disk says.
    pub fn at(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io { path: path.clone(), source }
    }
}
