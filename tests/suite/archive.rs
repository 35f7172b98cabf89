//! Stories of the archive: old segments are compressed, and every read still works.

use crate::node::{World, adjust, level};
use onhand_app::Meta;
use onhand_app::ports::{Moment, MovementQuery};
use onhand_app::stock::MovementPlace;
use onhand_disk::layout::Layout;
use onhand_domain::{Sequence, Sku, StoreId};
use onhand_file::audit::audit;
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::{Crash, Fault, Injection};
use std::path::Path;

const SETTINGS: SimSettings =
    SimSettings { segment_bytes: 3_000, idempotency_ttl_ms: 300_000, snapshot_every: 10, archive: true };

fn archived(world: &World) -> usize {
    world.disk.files().iter().filter(|path| path.extension().is_some_and(|name| name == "zst")).count()
}

async fn sell(node: &mut SimNode, rounds: usize) {
    for _ in 0..rounds {
        node.execute(adjust("A", 1), &Meta::default()).await.unwrap();
        node.upkeep().unwrap();
    }
}

async fn history_is_whole(node: &SimNode, events: u64) {
    let (store, sku) = (StoreId::new("LONDON").unwrap(), Sku::new("A").unwrap());
    let query =
        MovementQuery { after: Sequence::START, limit: usize::MAX, kind: None, since: None, until: None };
    let movements =
        node.drive(node.ledger.movements(&store, &sku, &MovementPlace::default(), query)).await.unwrap();
    let sequences: Vec<u64> = movements.iter().map(|view| view.movement.sequence.0).collect();
    assert_eq!(sequences, (1..=events).collect::<Vec<_>>());
    for sequence in 1..=events {
        let moment = Moment::Sequence(Sequence(sequence));
        let view = node.drive(node.ledger.level_as_of(&store, &sku, moment)).await.unwrap().unwrap();
        assert_eq!(view.numbers.version, sequence);
    }
}

#[tokio::test]
async fn history_as_of_verify_and_a_start_work_across_the_archive() {
    let world = World::new(SETTINGS);
    let mut node = world.open();
    sell(&mut node, 100).await;
    assert!(archived(&world) > 3, "{} archived segments", archived(&world));
    history_is_whole(&node, 100).await;
    drop(node);
    world.power_cut(1);
    let node = world.open();
    assert_eq!(level(&node, "A").await, Some((100, 100, 0, 100)));
    history_is_whole(&node, 100).await;
    drop(node);
    let audit = audit(&world.disk, &Layout::new(Path::new("/data"))).unwrap();
    assert_eq!((audit.end, audit.findings), (Sequence(100), Vec::new()));
}

#[tokio::test]
async fn archiving_may_be_cut_off_at_every_operation() {
    let world = World::new(SETTINGS);
    let mut node = world.open();
    sell(&mut node, 60).await;
    drop(node);
    for nth in 1.. {
        let disk = world.disk.fork();
        let open = || SimNode::open(&disk, &world.clock, &world.ids, world.settings);
        let mut node = open().unwrap();
        for _ in 0..12 {
            node.execute(adjust("A", 1), &Meta::default()).await.unwrap();
        }
        disk.inject(Injection::at(disk.operations() + nth, Fault::Crash));
        let done = (0..4).try_for_each(|_| node.upkeep().map(|_| ()));
        let crashed = disk.is_stopped();
        assert_eq!(done.is_err(), crashed, "only the crash may stop it: {done:?}");
        drop(node);
        disk.clear_faults();
        for seed in 0..4 {
            let disk = disk.fork();
            disk.crash(Crash::PowerCut { seed });
            let node = SimNode::open(&disk, &world.clock, &world.ids, world.settings).unwrap();
            assert_eq!(level(&node, "A").await, Some((72, 72, 0, 72)), "operation {nth}, seed {seed}");
            history_is_whole(&node, 72).await;
        }
        if !crashed {
            assert!(nth > 20, "a step of upkeep makes more than {nth} calls");
            return;
        }
    }
}

#[tokio::test]
async fn a_segment_that_a_follower_has_not_read_is_not_archived() {
    let world = World::new(SETTINGS);
    let mut node = world.open();
    node.hold_archive_at(Sequence(0));
    sell(&mut node, 100).await;
    assert_eq!(archived(&world), 0);
    node.hold_archive_at(Sequence(50));
    for _ in 0..20 {
        node.upkeep().unwrap();
    }
    let some = archived(&world);
    assert!(some > 0);
    node.hold_archive_at(Sequence(u64::MAX));
    for _ in 0..20 {
        node.upkeep().unwrap();
    }
    assert!(archived(&world) > some);
}
