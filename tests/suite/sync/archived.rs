//! Sources over a log whose old segments are in the archive, and over one that is archived meanwhile.

use crate::node::{World, adjust};
use crate::sync::sources::{directory, read_on};
use onhand_app::Meta;
use onhand_app::ports::EventSource;
use onhand_domain::Sequence;
use onhand_sim::node::{SimNode, SimSettings};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const SETTINGS: SimSettings =
    SimSettings { segment_bytes: 3_000, idempotency_ttl_ms: 300_000, snapshot_every: 10, archive: true };
const EVENTS: u64 = 100;

/// Segments in `log/`, and in the archive.
fn places(world: &World) -> (usize, usize) {
    let files = world.disk.files();
    let named = |end: &str| files.iter().filter(|path| path.to_string_lossy().ends_with(end)).count();
    (named(".jsonl"), named(".jsonl.zst"))
}

/// A node with a hundred events in many segments, none of them in the archive yet.
async fn sold(world: &World) -> SimNode {
    let mut node = world.open();
    node.hold_archive_at(Sequence::START);
    for sku in ["A", "B", "C"].into_iter().cycle().take(EVENTS.try_into().unwrap()) {
        node.execute(adjust(sku, 1), &Meta::default()).await.unwrap();
        node.upkeep().unwrap();
    }
    assert!(places(world).0 > 8 && places(world).1 == 0, "{:?}", places(world));
    node
}

fn archive_all(world: &World, node: &mut SimNode) {
    node.hold_archive_at(Sequence(u64::MAX));
    while node.upkeep().unwrap().archived.is_some() {}
    // The last one is being written, and the older snapshot is a little behind.
    assert!(places(world).0 <= 3 && places(world).1 > 5, "{:?}", places(world));
}

#[tokio::test]
async fn a_log_in_the_archive_is_read_from_its_beginning_and_from_anywhere() {
    let world = World::new(SETTINGS);
    let mut node = sold(&world).await;
    archive_all(&world, &mut node);
    let sources: [Arc<dyn EventSource>; 2] = [Arc::new(node.source()), Arc::new(directory(&world.disk))];
    for source in sources {
        for limit in [1, 3, 7, 1_000] {
            for after in [0, 1, 9, 10, 11, 50, 98, 99, 100] {
                let wanted: Vec<u64> = (after + 1..=EVENTS).collect();
                assert_eq!(read_on(&*source, Sequence(after), limit).await, wanted, "{limit} after {after}");
            }
        }
    }
}

#[tokio::test]
async fn segments_that_are_archived_under_a_reader_are_read_on_in_the_archive() {
    // At every position of the reader: in front of a line, behind the last one of a segment, inside the last segment.
    for stands in (0..=EVENTS).step_by(3) {
        let world = World::new(SETTINGS);
        let mut node = sold(&world).await;
        let (local, other) = (node.source(), directory(&world.disk));
        let mut first = [Vec::new(), Vec::new()];
        let sources: [&dyn EventSource; 2] = [&local, &other];
        for (source, read) in sources.into_iter().zip(&mut first) {
            while (read.len() as u64) < stands {
                let after = Sequence(read.last().copied().unwrap_or(0));
                let limit = usize::try_from(stands).unwrap() - read.len();
                let delivery = source.read(after, limit.min(4)).await.unwrap();
                read.extend(delivery.events.iter().map(|event| event.sequence.0));
            }
        }
        archive_all(&world, &mut node);
        for (source, mut read) in sources.into_iter().zip(first) {
            read.extend(read_on(source, Sequence(stands), 4).await);
            assert_eq!(read, (1..=EVENTS).collect::<Vec<_>>(), "{} after {stands}", source.name());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_and_the_archive_at_work_at_once_do_not_disturb_each_other() {
    for _ in 0..10 {
        let world = World::new(SETTINGS);
        let mut node = sold(&world).await;
        let disk = world.disk.clone();
        let done = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&done);
        let reader = tokio::spawn(async move {
            let source = directory(&disk);
            let wanted: Vec<u64> = (1..=EVENTS).collect();
            let mut rounds = 0;
            while !over.load(Ordering::SeqCst) || rounds == 0 {
                assert_eq!(read_on(&source, Sequence::START, 5).await, wanted);
                rounds += 1;
            }
            rounds
        });
        tokio::task::block_in_place(|| archive_all(&world, &mut node));
        done.store(true, Ordering::SeqCst);
        assert!(reader.await.unwrap() > 0);
    }
}
