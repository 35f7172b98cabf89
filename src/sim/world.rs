//! What a simulated node stands on: a disk, clocks, ids. It outlives the node.

use crate::adapters::file::recovery::OpenError;
use crate::domain::Timestamp;
use crate::sim::disk::{Crash, SimDisk};
use crate::sim::node::{SimClock, SimIds, SimNode, SimSettings};
use std::sync::Arc;

/// One node that can be started again and again.
pub struct World {
    /// Where its data directory is, as `/data`.
    pub disk: SimDisk,
    /// Its clocks.
    pub clock: Arc<SimClock>,
    /// Where its ids come from.
    pub ids: Arc<SimIds>,
    /// How it is set up.
    pub settings: SimSettings,
}

impl World {
    /// An empty disk, on 20 November 2026 at 16:00.
    pub fn new(settings: SimSettings) -> Self {
        let clock = Arc::new(SimClock::default());
        clock.set(Timestamp::parse("2026-11-20T16:00:00Z").expect("a time"));
        Self { disk: SimDisk::new(7), clock, ids: Arc::default(), settings }
    }

    /// Starts the node.
    ///
    /// # Panics
    /// When it does not start: nothing that a crash may leave is a reason for that.
    pub fn open(&self) -> SimNode {
        self.try_open().expect("a node starts after every crash")
    }

    /// Starts the node, on a disk that may refuse.
    ///
    /// # Errors
    /// [`OpenError`], as the real node.
    pub fn try_open(&self) -> Result<SimNode, OpenError> {
        SimNode::open(&self.disk, &self.clock, &self.ids, self.settings)
    }

    /// The machine loses power.
    pub fn power_cut(&self, seed: u64) {
        self.disk.crash(Crash::PowerCut { seed });
    }
}
