//! How commands find a data directory, and the failure when it does not open.

use crate::exit::{Exit, Failure, OrExit};
use onhand_disk::RealDisk;
use onhand_disk::layout::Layout;
use onhand_file::recovery::OpenError;
use onhand_file::sources::members::{Arrangement, arrangement, members};
use std::io;
use std::path::Path;

/// The layout of an existing data directory.
///
/// # Errors
/// [`Exit::NoInput`] when there is no such directory.
pub fn existing(data_dir: &Path) -> Result<(RealDisk, Layout), Failure> {
    let layout = Layout::new(data_dir);
    if layout.node().is_file() || layout.log().is_dir() || layout.nodes().is_dir() {
        return Ok((RealDisk, layout));
    }
    let message = format!(
        "{} is not a data directory (it has no node.json); name one with --data-dir or DATA_DIR",
        data_dir.display()
    );
    Err(Failure::new(Exit::NoInput, message))
}

/// The logs of a data directory: its own, or those of the processes that share it.
///
/// # Errors
/// The error of the disk; [`Exit::Settings`] when the log is half-moved from one layout to the other.
pub fn logs(disk: RealDisk, layout: &Layout) -> Result<Vec<Layout>, Failure> {
    let doing = || format!("cannot read {}", layout.nodes().display());
    match arrangement(&disk, layout).or_exit(Exit::Io, doing)? {
        Arrangement::Alone => Ok(vec![layout.clone()]),
        Arrangement::HalfShared => Err(half_shared(layout)),
        Arrangement::Shared => {
            let members = members(&disk, layout).or_exit(Exit::Io, doing)?;
            Ok(members.into_iter().map(|number| layout.member(number)).collect())
        }
    }
}

/// The failure for a directory whose log is half-moved to the layout of several processes.
pub(crate) fn half_shared(layout: &Layout) -> Failure {
    failure(OpenError::HalfShared { path: layout.root().to_path_buf() })
}

/// The failure for an error of opening, with its exit code.
pub fn failure(error: OpenError) -> Failure {
    let exit = match &error {
        OpenError::Locked { .. } => Exit::Locked,
        OpenError::Shared { .. } | OpenError::HalfShared { .. } => Exit::Settings,
        OpenError::Damaged { .. } | OpenError::Corrupt { .. } => Exit::Data,
        OpenError::Io { source, .. } => match source.kind() {
            io::ErrorKind::PermissionDenied => Exit::Permission,
            io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotFound => Exit::CannotCreate,
            io::ErrorKind::InvalidData => Exit::Data,
            _ => Exit::Io,
        },
    };
    let full = matches!(&error, OpenError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull);
    let mut error = anyhow::Error::new(error);
    if full {
        error = error.context(
            "no room: a start copies the newest segment of the log, so make as much room as that has",
        );
    }
    Failure { exit, error }
}
