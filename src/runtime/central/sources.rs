//! The logs that a worker follows: this node's own, those of a data directory, and those that the settings name.

use crate::directory;
use crate::exit::{Exit, Failure, OrExit};
use onhand_app::ports::{EventSource, Joining};
use onhand_config::SourceAddress;
use onhand_disk::RealDisk;
use onhand_disk::layout::Layout;
use onhand_file::sources::directory_source::DirectorySource;
use onhand_file::sources::members::{Arrangement, Members, arrangement};
use onhand_remote::RemoteSource;
use std::sync::Arc;

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

    /// Adds a log from the settings.
    ///
    /// # Errors
    /// The error of the disk; [`Exit::Settings`] for an address that cannot be followed.
    pub(crate) fn add(&mut self, address: &SourceAddress) -> Result<(), Failure> {
        match address {
            SourceAddress::Directory(path) => self.add_directory(Layout::new(path)),
            SourceAddress::Url(url) => {
                let source =
                    RemoteSource::new(url).or_exit(Exit::Settings, || format!("cannot follow {url}"))?;
                self.sources.push(Arc::new(source));
                Ok(())
            }
        }
    }
}
