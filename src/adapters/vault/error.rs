//! Why a vault, or a file of it, cannot be used.

use std::io;
use std::path::{Path, PathBuf};

/// Why a vault, or a file of it, cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The disk refused.
    #[error("cannot use {}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others than the owner may read or write it.
    #[error(
        "{path} lets in others than its owner (mode {found:04o}), and secrets are in it: run `chmod {wanted:o} {path}`",
        path = path.display()
    )]
    OpenToOthers {
        /// The file or directory.
        path: PathBuf,
        /// Its mode.
        found: u32,
        /// The mode it should have.
        wanted: u32,
    },
    /// A file is not what was written.
    #[error("{} is damaged: {reason}. {}", path.display(), remedy.sentence())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
        /// What can be done.
        remedy: Remedy,
    },
    /// A later version of Onhand has written it.
    #[error(
        "{} has format {format}, and this version of onhand reads format {known}: start the version that has written \
         it, or a later one",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u64,
        /// The newest format that is understood.
        known: u64,
    },
    /// The key of the logins is gone.
    #[error(
        "{} is missing, and without the key in it no login is found that was made with it: restore it from a copy",
        path.display()
    )]
    KeyLost {
        /// The file.
        path: PathBuf,
    },
    /// Another process has held the lock too long.
    #[error("another process has held the lock on {} for too long; is it stopped?", path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// No secret can be made.
    #[error("the machine gives no random bytes: {0}")]
    NoRandomness(String),
}

/// What can be done about a damaged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The key of all logins: nothing takes its place.
    Restore,
    /// A token can be made anew.
    NewToken,
    /// A person can be erased, and made anew.
    NewPerson,
    /// Somebody has to log in again.
    LogInAgain,
    /// Keys can be made anew; what was signed with them is worth nothing then.
    NewKeys,
    /// The file of identity says it again.
    DeclareAgain,
    /// A login is in the file of its person, too.
    SavePersonAgain,
    /// Central tells its public keys again.
    FetchAgain,
    /// Keys of personal data are nowhere else.
    RestorePersonalKeys,
}

impl Remedy {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Restore => "Restore it from a copy",
            Self::NewToken => "Restore it from a copy, or revoke the token and make another one",
            Self::NewPerson => "Restore it from a copy, or erase the person and add them again",
            Self::LogInAgain => "Remove it; the person logs in again",
            Self::NewKeys => "Restore it from a copy; or remove it, and everybody logs in again",
            Self::DeclareAgain => {
                "Restore it from a copy; or remove it, and start with IDENTITY_FILE: what that no longer names must be revoked by hand then"
            }
            Self::FetchAgain => "Remove it; its content is fetched from central again",
            Self::RestorePersonalKeys => {
                "Restore it from a copy: what was sealed with a key that the copy does not have cannot be read any more, \
                 and keys that were erased since the copy was made have to be erased again"
            }
            Self::SavePersonAgain => {
                "Restore it from a copy; or remove it, and change something about its person, which writes it anew"
            }
        }
    }
}

impl VaultError {
    /// What stood in the way of using `path`: the error within, or what the disk says.
    pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |error| error.downcast().unwrap_or_else(|source| Self::Io { path: path.clone(), source })
    }
}

impl From<VaultError> for io::Error {
    fn from(error: VaultError) -> Self {
        let kind = match &error {
            VaultError::Io { source, .. } => source.kind(),
            VaultError::OpenToOthers { .. } => io::ErrorKind::PermissionDenied,
            VaultError::Damaged { .. } | VaultError::Newer { .. } => io::ErrorKind::InvalidData,
            VaultError::KeyLost { .. } => io::ErrorKind::NotFound,
            VaultError::Busy { .. } => io::ErrorKind::TimedOut,
            VaultError::NoRandomness(_) => io::ErrorKind::Unsupported,
        };
        Self::new(kind, error)
    }
}
