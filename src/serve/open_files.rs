//! The limit of open files, and the number of connections that fit in it.

use onhand_http::FOLLOWERS_MAX;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are no connections: log, indexes, snapshots, files that are read back, the reserve for probes, the
/// runtime's own.
const OTHERS: u64 = 256;

/// The numbers of connections that are served at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// Connections other than those of feed followers.
    pub(super) connections: usize,
    /// Connections of feed followers.
    pub(super) followers: usize,
}

impl Room {
    /// Raises the limit as far as the system allows, and returns how many of `connections_max` fit, and how many followers.
    ///
    /// Otherwise the last connections would use up the files that the log needs. At least a quarter of the limit is
    /// left to connections, so that a node with a very low limit still serves.
    pub(super) fn that_fits(connections_max: usize) -> Self {
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        // Not allowed: the limit stays as it is.
        let limit = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
        let room = Self::among(limit.current.unwrap_or(u64::MAX), connections_max);
        if room.connections < connections_max {
            let fit = room.connections;
            tracing::warn!(
                connections_max,
                fit,
                "the limit of open files allows fewer connections (ulimit -n)"
            );
        }
        room
    }

    /// Divides `files`: when they are few, one connection in four is for a follower.
    fn among(files: u64, connections_max: usize) -> Self {
        let sockets = files.saturating_sub(OTHERS).max(files / 4);
        let sockets = usize::try_from(sockets).unwrap_or(usize::MAX);
        let followers = (sockets / 4).clamp(1, FOLLOWERS_MAX);
        let connections = sockets.saturating_sub(followers).clamp(1, connections_max);
        Self { connections, followers }
    }
}

#[cfg(test)]
mod tests {
    use super::Room;

    #[test]
    fn connections_leave_files_for_the_log() {
        for (files, connections, followers) in [
            (1, 1, 1),
            (60, 12, 3),
            (256, 48, 16),
            (300, 57, 18),
            (1_024, 576, 192),
            (2_048, 1_024, 448),
            (65_536, 1_024, 512),
            (u64::MAX, 1_024, 512),
        ] {
            assert_eq!(Room::among(files, 1_024), Room { connections, followers }, "{files}");
        }
    }
}
