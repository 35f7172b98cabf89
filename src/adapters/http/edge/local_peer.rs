//! The mark of a request that came over the local socket.

/// The process at the other end of the local socket, in the extensions of each of its requests. Only the listener puts it there,
/// after it has asked the system for the peer: nothing that is sent leads to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalPeer {
    /// The user it runs as.
    pub uid: u32,
}
