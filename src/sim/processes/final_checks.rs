//! The end of a run of several processes: logs, levels, central and oracles are compared.

use crate::block_on::block_on;
use crate::central::{WorkerSetup, open_letters};
use crate::log_rules;
use crate::model_check::place;
use crate::processes::run::{PLACES, SharedRun};
use crate::tally::RunTally;
use onhand_app::central::{SourceState, total};
use onhand_app::ports::EventSource;
use onhand_disk::Disk;
use onhand_file::audit::audit_directory;
use onhand_file::sources::directory_source::DirectorySource;
use onhand_sim_machine::disk::Crash;
use std::sync::Arc;

impl SharedRun<'_> {
    pub(super) fn close(mut self) -> RunTally {
        self.trace.note(format_args!("the end: everything is held against everything"));
        self.settle();
        for place in 0..PLACES {
            // One that was frozen may not have noticed the takeover yet.
            if !self.shows(place) {
                assert!(self.shows(place), "the process in its place shows what there is");
            }
        }
        self.alerts();
        self.imported_once();
        for place in 0..PLACES {
            self.group.stop(place, None);
        }
        self.group.disk.crash(Crash::ProcessKill);
        let found = audit_directory(&self.group.disk, &log_rules::layout()).expect("the disk is well");
        assert_eq!(found.findings().collect::<Vec<_>>(), [] as [&_; 0], "verify finds nothing");
        assert_eq!(found.alerts_to_look_at, 0, "everybody has looked");
        self.tally.states(found.states().into_values());
        block_on(self.central());
        self.tally.events = self.histories.likely().end();
        self.tally.struck(self.group.disk.hits());
        self.tally
    }

    /// Checks that all logs together give the levels, in central too.
    async fn central(&self) {
        let source = |place: usize| {
            let member = log_rules::layout().member(u16::try_from(place + 1).expect("a few"));
            Arc::new(DirectorySource::new(Arc::new(self.group.disk.clone()) as Arc<dyn Disk>, member))
        };
        let desk = WorkerSetup::new((0..PLACES).map(|place| source(place) as Arc<dyn EventSource>).collect());
        let worker = desk.start().expect("the disk is well");
        let report = worker.sync().await;
        assert!(report.sources.iter().all(|source| source.state == SourceState::Well), "{report:?}");
        assert_eq!((report.lag, open_letters(&worker).len()), (0, 0), "{report:?}");
        let oracle = self.histories.likely();
        for (sku, level) in &oracle.levels {
            let (store_id, wanted) = place(oracle, sku);
            let seen = worker
                .central()
                .look(|central| central.level(&store_id, &wanted).map(|levels| total(&levels)));
            let seen = seen.map(|(sum, _)| (sum.on_hand.get(), sum.reserved.get(), sum.version));
            let owed = (level.on_hand, level.reserved, level.version);
            assert_eq!(seen, Some(owed).filter(|_| level.version > 0), "{sku} in central");
        }
    }
}
