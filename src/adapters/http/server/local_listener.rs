//! The listener of the local socket: it takes connections of processes of the owner and of root.
//!
//! A user with write access to the data directory owns the node, so over this socket nothing else has to be proved. The mode of the file
//! keeps others out; the system's word about the peer holds also where that mode was changed.

use crate::edge::local_peer::LocalPeer;
use std::io;
use tokio::net::{UnixListener, UnixStream};

/// The user who may do everything.
const ROOT: u32 = 0;

/// A Unix socket for the owner of the data directory.
#[derive(Debug)]
pub struct LocalListener {
    socket: UnixListener,
    owner: u32,
}

impl LocalListener {
    /// Takes connections on `socket` of processes that run as `owner` or root.
    pub fn new(socket: UnixListener, owner: u32) -> Self {
        Self { socket, owner }
    }

    /// The next connection of a process that may come this way; others are closed.
    pub(crate) async fn accept(&self) -> io::Result<(UnixStream, LocalPeer)> {
        loop {
            let (stream, _) = self.socket.accept().await?;
            match stream.peer_cred().map(|peer| peer.uid()) {
                Ok(uid) if uid == self.owner || uid == ROOT => return Ok((stream, LocalPeer { uid })),
                Ok(uid) => {
                    let owner = self.owner;
                    tracing::warn!(uid, owner, "another user came over the local socket: closed");
                }
                // It has gone already.
                Err(error) => tracing::debug!(%error, "a connection over the local socket was closed"),
            }
        }
    }
}
