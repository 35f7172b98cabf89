//! What a caller knows of the version of what he wants to change.

use crate::domain::Rejection;

/// The version that a command is conditional on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing.
    Any,
    /// That it exists (`If-Match: *`).
    Exists,
    /// That it is this one; 0: that it does not exist.
    Version(u64),
}

impl Expected {
    /// The version to record in an event.
    pub(in crate::domain) const fn version(self) -> Option<u64> {
        match self {
            Self::Version(version) => Some(version),
            Self::Any | Self::Exists => None,
        }
    }

    /// Holds it against the version that is there; 0 when nothing is.
    pub(in crate::domain) fn check(self, current_version: u64) -> Result<(), Rejection> {
        let met = match self {
            Self::Any => true,
            Self::Exists => current_version > 0,
            Self::Version(version) => version == current_version,
        };
        if met { Ok(()) } else { Err(Rejection::VersionConflict { current_version }) }
    }
}
