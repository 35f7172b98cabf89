//! The model while it is saved: one consistent moment of it, whatever is applied or fails meanwhile.

use crate::sync::world::{Central, Script, file};
use onhand_app::central::CentralModel;
use onhand_disk::layout::Layout;
use onhand_file::stores::central::look;
use onhand_sim_machine::disk::{Crash, Fault, Injection};
use std::path::Path;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_made_while_the_worker_merges_is_the_model_at_one_moment() {
    let script = Script::new(1);
    for number in 0..12_000 {
        // A copy of so many levels is made in several pieces.
        script.adjust("S", &format!("K{}", number % 2_000), 1);
    }
    let worker = Arc::new(Central::new(vec![Arc::clone(&script) as _]).start().unwrap());
    let merging = {
        let worker = Arc::clone(&worker);
        tokio::spawn(async move { worker.sync().await })
    };
    while !merging.is_finished() {
        let copy = tokio::task::block_in_place(|| worker.central().copy().whole());
        let versions: u64 =
            copy.stores.values().flat_map(|skus| skus.values()).map(|level| level.version).sum();
        assert_eq!(versions, copy.sequence.0, "every event counted once, and no other");
        assert!(copy.sources.values().all(|source| source.sequence == copy.sequence));
    }
    assert_eq!(merging.await.unwrap().applied, 12_000);
}

#[tokio::test]
async fn a_save_cut_off_anywhere_leaves_a_whole_model_no_older_than_the_one_before() {
    let layout = Layout::new(Path::new("/central"));
    for n in 1.. {
        let script = Script::new(1);
        let central = Central::new(vec![Arc::clone(&script) as _]);
        let worker = central.start().unwrap();
        for _ in 0..3 {
            script.adjust("S", "TEA", 1);
            worker.sync().await;
            worker.save().await.unwrap();
        }
        let before = file(&worker);
        script.adjust("S", "TEA", 1);
        worker.sync().await;
        central.disk.inject(Injection::at(central.disk.operations() + n, Fault::Crash));
        let saved = worker.save().await;
        let crashed = central.disk.is_stopped();
        central.disk.clear_faults();
        for crash in [Crash::DropUnsynced, Crash::ProcessKill, Crash::PowerCut { seed: n }] {
            let disk = central.disk.fork();
            disk.crash(crash);
            let found = look(&disk, &layout).unwrap().expect("there is a whole model");
            let found = CentralModel::new(found).copy().whole();
            assert!(found == before || found == file(&worker), "{crash:?} at {n}: {found:?}");
            assert!(saved.is_err() || found == file(&worker), "{crash:?} at {n}: what was saved is there");
        }
        if !crashed {
            saved.unwrap();
            assert!(n > 5, "a save has few operations: {n}");
            break;
        }
    }
}
