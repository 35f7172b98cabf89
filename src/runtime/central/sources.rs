//! The logs that a worker follows: this node's own, those of a data directory, and those that the settings name.

use crate::directory;
use crate::exit::{Exit, Failure, OrExit};
use onhand_app::ports::{EventSource, Joining};
use onhand_config::{SourceAddress, SourceSettings};
use onhand_disk::RealDisk;
use onhand_disk::layout::Layout;
use onhand_file::sources::directory_source::DirectorySource;
use onhand_file::sources::members::{Arrangement, Members, arrangement};
use onhand_remote::{NodeAccess, RemoteSource};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

/// The permission to read of everybody but the owner.
const READ_BY_OTHERS: u32 = 0o044;

/// The logs that a worker follows.
#[derive(Clone, Default)]
pub struct LogSources {
    /// Logs that are known from the start.
    pub(crate) sources: Vec<Arc<dyn EventSource>>,
    /// Data directories that further processes may join, each with a log of its own.
    pub(crate) joining: Vec<Arc<dyn Joining>>,
}

impl LogSources {
    /// The log of the worker's own process, which has the data directory for itself.
    pub(crate) fn own(source: impl EventSource + 'static) -> Self {
        Self { sources: vec![Arc::new(source)], joining: Vec::new() }
    }

    /// The log of the worker's own process, the `number`th of several on the data directory, and the logs of the others.
    pub(crate) fn own_of_several(layout: &Layout, number: u16, source: impl EventSource + 'static) -> Self {
        let others = Members::new(Arc::new(RealDisk), layout.clone(), Some(number));
        Self { joining: vec![Arc::new(others)], ..Self::own(source) }
    }

    /// The log of another process's data directory, or all logs there when several processes share it.
    ///
    /// # Errors
    /// The error of the disk.
    pub fn of_directory(layout: &Layout) -> Result<Self, Failure> {
        let mut logs = Self::default();
        logs.add_directory(layout.clone())?;
        Ok(logs)
    }

    fn add_directory(&mut self, layout: Layout) -> Result<(), Failure> {
        let found = arrangement(&RealDisk, &layout)
            .or_exit(Exit::Io, || format!("cannot read {}", layout.nodes().display()))?;
        match found {
            Arrangement::Alone => {
                self.sources.push(Arc::new(DirectorySource::new(Arc::new(RealDisk), layout)));
            }
            Arrangement::Shared => {
                self.joining.push(Arc::new(Members::new(Arc::new(RealDisk), layout, None)));
            }
            Arrangement::HalfShared => return Err(directory::half_shared(&layout)),
        }
        Ok(())
    }

    /// Adds the logs of the settings.
    ///
    /// # Errors
    /// The error of the disk; [`Exit::Settings`] for an address that cannot be followed, or a file of the access to it that
    /// cannot be used.
    pub(crate) fn add(&mut self, settings: &SourceSettings) -> Result<(), Failure> {
        let access = NodeAccess::read(settings).map_err(|fault| Failure::new(Exit::Settings, fault))?;
        for address in &settings.addresses {
            match address {
                SourceAddress::Directory(path) => self.add_directory(Layout::new(path))?,
                SourceAddress::Url(url) => {
                    let source = RemoteSource::new(url, &access)
                        .or_exit(Exit::Settings, || format!("cannot follow {url}"))?;
                    if settings.token_file.is_some() && source.is_readable_on_the_way() {
                        tracing::warn!(
                            source = url,
                            "the token for this source is sent without encryption; use https"
                        );
                    }
                    self.sources.push(Arc::new(source));
                }
            }
        }
        if let Some(path) = &settings.token_file {
            warn_of_readers(path);
        }
        Ok(())
    }
}

fn warn_of_readers(token_file: &Path) {
    let mode = std::fs::metadata(token_file).map_or(0, |metadata| metadata.permissions().mode());
    if mode & READ_BY_OTHERS != 0 {
        let (path, mode) = (token_file.display(), format!("{:o}", mode & 0o777));
        tracing::warn!(%path, mode, "others than its owner may read SYNC_TOKEN_FILE; chmod 600");
    }
}
