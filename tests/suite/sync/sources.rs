//! The contract of a source: every durable event once, in order, across rotation and restarts, and nothing else.

use crate::node::{World, adjust};
use onhand_app::Meta;
use onhand_app::ports::{Delivery, EventSource, SourceError};
use onhand_disk::Disk;
use onhand_disk::layout::Layout;
use onhand_domain::stock::{Batch, Operation};
use onhand_domain::{Command, Event, Sequence};
use onhand_file::format::mark::read_mark;
use onhand_file::sources::directory_source::DirectorySource;
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::{Crash, SimDisk};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn directory(disk: &SimDisk) -> DirectorySource {
    DirectorySource::new(Arc::new(disk.clone()) as Arc<dyn Disk>, Layout::new(Path::new("/data")))
}

fn small_segments() -> World {
    World::new(SimSettings { segment_bytes: 3_000, ..SimSettings::default() })
}

/// An entry of `events` events.
async fn sell(node: &SimNode, events: usize) {
    let operation = |number: usize| match adjust(["A", "B", "C"][number % 3], 1) {
        Command::Stock(command) => Operation { command, idempotency: None, known: None },
        _ => unreachable!(),
    };
    let operations = (0..events).map(operation).collect();
    let batch = Command::Batch(Batch { atomic: true, operations });
    node.execute(batch, &Meta::default()).await.unwrap();
}

/// Reads on from `after` to the end, `limit` at a time.
pub(crate) async fn read_on(source: &dyn EventSource, mut after: Sequence, limit: usize) -> Vec<u64> {
    let mut sequences = Vec::new();
    loop {
        let delivery = source.read(after, limit).await.unwrap();
        assert!(delivery.events.len() <= limit);
        let Some(last) = delivery.events.last() else { break };
        assert!(last.sequence <= delivery.end);
        after = last.sequence;
        for event in &delivery.events {
            Event::decode(&event.json).unwrap();
            sequences.push(event.sequence.0);
        }
    }
    sequences
}

#[tokio::test]
async fn every_limit_and_every_start_delivers_each_event_once() {
    let world = small_segments();
    let node = world.open();
    for entry in 0..20 {
        sell(&node, 1 + entry % 5).await;
    }
    let files = world.disk.files();
    let segments = files.iter().filter(|path| path.extension().is_some_and(|e| e == "jsonl")).count();
    assert!(segments > 3, "{segments} segments");
    let (local, other) = (node.source(), directory(&world.disk));
    let sources: [&dyn EventSource; 2] = [&local, &other];
    for source in sources {
        for limit in [1, 2, 3, 7, 1_000] {
            for after in [0, 1, 2, 29, 30, 31, 58, 59, 60] {
                let wanted: Vec<u64> = (after + 1..=60).collect();
                assert_eq!(read_on(source, Sequence(after), limit).await, wanted, "{limit} {after}");
            }
        }
        // A read of no events returns the node and the end of its log.
        let asked = source.read(Sequence::START, 0).await.unwrap();
        assert_eq!(
            asked,
            Delivery { node: node.id(), ledger: node.id(), end: Sequence(60), events: Vec::new() }
        );
    }
}

#[tokio::test]
async fn a_directory_is_followed_over_restarts_and_power_cuts() {
    let world = small_segments();
    let source = directory(&world.disk);
    assert!(matches!(source.read(Sequence::START, 10).await, Err(SourceError::Unavailable(_))));
    let mut seen = Vec::new();
    for round in 0..12 {
        let node = world.open();
        for entry in 0..4 {
            sell(&node, 1 + entry % 3).await;
            let after = Sequence(seen.last().copied().unwrap_or(0));
            seen.extend(read_on(&source, after, 2).await);
        }
        drop(node);
        world.power_cut(round);
    }
    let wanted: Vec<u64> = (1..=12 * 7).collect();
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn a_mark_lost_in_a_power_cut_is_no_alarm_and_a_rolled_back_log_is_one() {
    let world = small_segments();
    let node = world.open();
    sell(&node, 3).await;
    let shorter = world.disk.fork();
    sell(&node, 4).await;
    let source = directory(&world.disk);
    assert_eq!(read_on(&source, Sequence::START, 100).await.len(), 7);
    drop(node);
    // The mark was never synced: it is lost.
    world.disk.crash(Crash::DropUnsynced);
    assert_eq!(read_mark(&world.disk, Path::new("/data/log/mark")).unwrap(), Sequence::START);
    let delivery = source.read(Sequence(7), 100).await.unwrap();
    assert_eq!((delivery.end, delivery.events.len()), (Sequence(7), 0));
    assert_eq!(source.read(Sequence(5), 100).await.unwrap().end, Sequence(5), "only what was seen is known");
    // An older copy of the directory is an error.
    shorter.crash(Crash::DropUnsynced);
    let delivery = directory(&shorter).read(Sequence(7), 100).await.unwrap();
    assert!(delivery.end < Sequence(7), "{delivery:?}");
    // A start writes the durable end of the log again.
    drop(world.open());
    assert_eq!(read_mark(&world.disk, Path::new("/data/log/mark")).unwrap(), Sequence(7));
    assert_eq!(read_on(&source, Sequence(5), 100).await, [6, 7]);
}

#[tokio::test]
async fn bytes_beyond_the_mark_are_not_delivered() {
    let world = small_segments();
    let node = world.open();
    sell(&node, 3).await;
    let mark = world.disk.fork();
    sell(&node, 4).await;
    mark.crash(Crash::ProcessKill);
    let older =
        onhand_disk::read_all(&*mark.open(Path::new("/data/log/mark"), onhand_disk::OpenMode::Read).unwrap());
    world.disk.put("/data/log/mark", &older.unwrap());
    assert_eq!(read_on(&directory(&world.disk), Sequence::START, 100).await, [1, 2, 3]);
}

#[tokio::test]
async fn damage_is_nonsense_and_is_never_delivered() {
    let world = small_segments();
    let node = world.open();
    for _ in 0..12 {
        sell(&node, 3).await;
    }
    let end = 36;
    for path in world.disk.files() {
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let bytes = world.disk.file(&path).unwrap();
        for offset in (0..bytes.len()).step_by(97) {
            let disk = world.disk.fork();
            disk.corrupt(&path, offset, bytes[offset] ^ 1).unwrap();
            let source = directory(&disk);
            let mut after = Sequence::START;
            let error = loop {
                match source.read(after, 5).await {
                    Ok(delivery) if delivery.events.is_empty() => break None,
                    Ok(delivery) => {
                        for event in &delivery.events {
                            assert_eq!(event.sequence, after.plus(1));
                            after = event.sequence;
                        }
                    }
                    Err(error) => break Some(error),
                }
            };
            assert!(
                matches!(error, Some(SourceError::Nonsense(_))) && after < Sequence(end),
                "{} byte {offset}: {error:?} at {after}",
                path.display()
            );
        }
    }
}

#[tokio::test]
async fn a_directory_of_another_node_is_rejected() {
    let world = small_segments();
    sell(&world.open(), 3).await;
    let bytes = world.disk.file("/data/node.json").unwrap();
    let other = String::from_utf8(bytes).unwrap().replace("\"node\": \"0", "\"node\": \"1");
    world.disk.put("/data/node.json", other.as_bytes());
    assert!(matches!(directory(&world.disk).read(Sequence::START, 9).await, Err(SourceError::Nonsense(_))));
}

#[tokio::test]
async fn a_source_signals_new_events_without_waiting_for_the_interval() {
    let world = small_segments();
    let node = world.open();
    sell(&node, 3).await;
    let (local, other) = (node.source(), directory(&world.disk));
    let sources: [&dyn EventSource; 2] = [&local, &other];
    let hour = Duration::from_secs(3_600);
    for (number, source) in (3..).map(Sequence).zip(sources) {
        let both = async { tokio::join!(source.news(number, hour), sell(&node, 1)) };
        assert!(tokio::time::timeout(Duration::from_secs(20), both).await.is_ok(), "{}", source.name());
    }
    let nothing_new = local.news(Sequence(5), Duration::from_millis(1));
    assert!(tokio::time::timeout(Duration::from_secs(20), nothing_new).await.is_ok());
}
