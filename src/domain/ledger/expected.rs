//! The condition of a command on the version of its state.

use crate::Rejection;

/// The version that a command is conditional on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No condition on the version.
    Any,
    /// The state exists (`If-Match: *`).
    Exists,
    /// The state has this version; 0: it does not exist.
    Version(u64),
}

impl Expected {
    /// The version to record in an event.
    pub(crate) const fn version(self) -> Option<u64> {
        match self {
            Self::Version(version) => Some(version),
            Self::Any | Self::Exists => None,
        }
    }

    /// Checks the present version; 0 when the state does not exist.
    pub(crate) fn check(self, current_version: u64) -> Result<(), Rejection> {
        let met = match self {
            Self::Any => true,
            Self::Exists => current_version > 0,
            Self::Version(version) => version == current_version,
        };
        if met { Ok(()) } else { Err(Rejection::VersionConflict { current_version }) }
    }
}
