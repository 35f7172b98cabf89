//! Probes of a failing disk.

use crate::node::adjust;
use crate::rules;
use onhand_app::{CommandError, Ledger, Meta, Parts};
use onhand_file::log::{REST_MIN, StorageNews};
use onhand_file::recovery::{OpenNode, OpenOptions, open};
use onhand_sim_machine::disk::{DiskOperation, Fault, Injection, SimDisk};
use onhand_sim_machine::{SimClock, SimIds};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

#[tokio::test]
async fn a_sick_disk_is_left_alone_between_probes_however_short_the_cool_down() {
    let (disk, clock, ids) = (SimDisk::new(1), Arc::new(SimClock::default()), Arc::new(SimIds::default()));
    let options = OpenOptions {
        disk: Arc::new(disk.clone()),
        layout: rules::layout(),
        segment_bytes: 1 << 20,
        ballast_bytes: 0,
        idempotency_ttl_ms: 1_000,
    };
    let OpenNode { log, restored, end, lock: _lock, .. } = open(&options, &*clock, &*ids).unwrap();
    let (tell, probes) = mpsc::channel();
    let told = move |news: StorageNews<'_>| {
        if matches!(news, StorageNews::Probing) {
            // There is no listener any more once there were enough.
            let _ = tell.send(Instant::now());
        }
    };
    log.start(Duration::from_nanos(1), told).unwrap();
    let log = Arc::new(log);
    let parts = Parts { history: log.history(), log: log.clone(), clock, ids, idempotency_ttl_ms: 1_000 };
    let ledger = Ledger::new(parts, restored, end);
    disk.inject(Injection::at(1, Fault::Eio).only(DiskOperation::WriteAt).sticky());
    let refused = ledger.execute(adjust("A", 1), &Meta::default()).await;
    assert!(matches!(refused, Err(CommandError::ReadOnly)), "{refused:?}");
    let times: Vec<Instant> = probes.iter().take(20).collect();
    let taken = times[19] - times[0];
    assert!(taken >= 19 * REST_MIN, "twenty probes in {taken:?}");
    log.close().unwrap_err();
}
