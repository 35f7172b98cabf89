//! The file of the local socket: made at the start, removed at the stop.
//!
//! The directory of the log is locked, so a file that is there already is that of a process that was killed.

use onhand_disk::layout::Layout;
use onhand_http::server::LocalListener;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;

/// The file of a socket that is open; removed when dropped.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

/// Opens the socket in the directory of the log. A node without it still serves: its path may be too long for a socket, or
/// the file system may have none.
pub(super) fn open(layout: &Layout) -> Option<(LocalListener, SocketFile)> {
    let path = layout.admin_socket();
    match listen(layout.root(), &path) {
        Ok(open) => Some(open),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "there is no local socket; all else works");
            None
        }
    }
}

fn listen(directory: &Path, path: &Path) -> io::Result<(LocalListener, SocketFile)> {
    let owner = fs::metadata(directory)?.uid();
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixListener::bind(path)?;
    let file = SocketFile(path.to_owned());
    // A client that connects in between is checked as well.
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok((LocalListener::new(socket, owner), file))
}

impl SocketFile {
    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::debug!(path = %self.0.display(), %error, "the local socket was not removed");
        }
    }
}
