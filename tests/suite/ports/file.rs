//! The file adapter as a node: on a simulated disk, its writer driven step by step.

use crate::ports::Node;
use onhand_app::ports::{EventLog, EventSource, History};
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_file::recovery::{OpenNode, OpenOptions, open};
use onhand_file::sources::directory_source::DirectorySource;
use onhand_file::sources::local_source::LocalSource;
use onhand_file::upkeep::maintenance::Maintenance;
use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection, SimDisk};
use onhand_sim_machine::{SimClock, SimIds};
use parking_lot::Mutex;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// The layout of the node's log, the call that fails, and the reader of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    /// One segment; a write fails; the worker is in the node's own process.
    One,
    /// Many small segments, archived; a sync fails; the worker reads the directory from outside.
    Many,
}

impl Setup {
    pub(crate) const ALL: [Self; 2] = [Self::One, Self::Many];
}

pub(crate) struct FileNode {
    setup: Setup,
    disk: SimDisk,
    copy: SimDisk,
    clock: SimClock,
    ids: SimIds,
    opened: Option<(OpenNode, Mutex<Maintenance>)>,
}

impl FileNode {
    pub(crate) fn new(setup: Setup) -> Self {
        let disk = SimDisk::new(1);
        let copy = disk.fork();
        let (clock, ids) = (SimClock::default(), SimIds::default());
        let mut node = Self { setup, disk, copy, clock, ids, opened: None };
        node.open();
        node
    }

    fn open(&mut self) {
        let (segment_bytes, snapshot_every) = match self.setup {
            Setup::One => (1 << 30, 1 << 40),
            Setup::Many => (2_000, 10),
        };
        let options = OpenOptions {
            disk: Arc::new(self.disk.clone()) as Arc<dyn Disk>,
            layout: layout(),
            segment_bytes,
            ballast_bytes: 0,
            idempotency_ttl_ms: 300_000,
        };
        let node = open(&options, &self.clock, &self.ids).unwrap();
        let maintenance = Mutex::new(node.maintenance(snapshot_every));
        self.opened = Some((node, maintenance));
    }

    fn node(&self) -> &OpenNode {
        &self.opened.as_ref().unwrap().0
    }
}

fn layout() -> Layout {
    Layout::new(Path::new("/data"))
}

impl Node for FileNode {
    fn log(&self) -> &dyn EventLog {
        &self.node().log
    }

    fn history(&self) -> Arc<dyn History> {
        self.node().log.history()
    }

    fn source(&self) -> Arc<dyn EventSource> {
        match self.setup {
            Setup::One => Arc::new(LocalSource::new(&self.node().log, self.id())),
            Setup::Many => Arc::new(DirectorySource::new(Arc::new(self.disk.clone()), layout())),
        }
    }

    fn id(&self) -> Uuid {
        self.node().node.node
    }

    fn write(&self) -> bool {
        let written = self.node().log.write_waiting().is_ok();
        if written {
            self.opened.as_ref().unwrap().1.lock().step().unwrap();
        }
        written
    }

    fn fail_writes(&self) {
        let failing = match self.setup {
            Setup::One => DiskOperation::WriteAt,
            Setup::Many => DiskOperation::SyncData,
        };
        self.disk.inject(Injection::at(self.disk.operations(), Fault::Eio).only(failing));
    }

    fn recover(&self) {
        self.disk.clear_faults();
        self.node().log.probe().unwrap();
    }

    fn close(&self) {
        self.node().log.close().unwrap();
    }

    fn restart(&mut self) {
        self.opened = None;
        self.disk.crash(Crash::DropUnsynced);
        self.open();
    }

    fn keep_copy(&mut self) {
        self.copy = self.disk.fork();
        self.copy.crash(Crash::DropUnsynced);
    }

    fn restore_copy(&mut self) {
        self.opened = None;
        self.disk = self.copy.fork();
        self.open();
    }
}
