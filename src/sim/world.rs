//! The disk, the clocks and the ids of a simulated node. They outlive the node.

use crate::node::{SimNode, SimSettings};
use onhand_domain::Timestamp;
use onhand_file::recovery::OpenError;
use onhand_sim_machine::disk::{Crash, SimDisk};
use onhand_sim_machine::{SimClock, SimIds};
use std::sync::Arc;

/// The surroundings of one node, which can be started repeatedly.
pub struct World {
    /// The disk, with the data directory `/data`.
    pub disk: SimDisk,
    /// The clocks of the node.
    pub clock: Arc<SimClock>,
    /// The source of event ids.
    pub ids: Arc<SimIds>,
    /// The settings of the node.
    pub settings: SimSettings,
}

impl World {
    /// An empty disk, on 20 November 2026 at 16:00.
    pub fn new(settings: SimSettings) -> Self {
        let clock = Arc::new(SimClock::default());
        clock.set(Timestamp::parse("2026-11-20T16:00:00Z").expect("a time"));
        Self { disk: SimDisk::new(7), clock, ids: Arc::default(), settings }
    }

    /// Starts a node in this world.
    ///
    /// # Panics
    /// When it does not start: a node starts after every crash.
    pub fn open(&self) -> SimNode {
        self.try_open().expect("a node starts after every crash")
    }

    /// Starts the node, on a disk that may fail.
    ///
    /// # Errors
    /// [`OpenError`], as the real node.
    pub fn try_open(&self) -> Result<SimNode, OpenError> {
        SimNode::open(&self.disk, &self.clock, &self.ids, self.settings)
    }

    /// Cuts the power of the machine; `seed` decides which unsynced bytes survive.
    pub fn power_cut(&self, seed: u64) {
        self.disk.crash(Crash::PowerCut { seed });
    }
}
