//! A node over HTTP as a source of the worker, while the node's segments go to its archive.

use super::sockets::{limits, started};
use super::{Scratch, Setup};
use crate::sync::sources::read_on;
use onhand_app::ports::EventSource;
use onhand_domain::Sequence;
use onhand_remote::{NodeAccess, RemoteSource};
use std::fs;

const EVENTS: u64 = 120;

/// Segments in `log/`, and in the archive.
fn places(node: &Scratch) -> (usize, usize) {
    let named = |folder: &str, end: &str| {
        let entries = fs::read_dir(node.directory.path().join(folder)).into_iter().flatten();
        entries.filter(|entry| entry.as_ref().unwrap().path().to_string_lossy().ends_with(end)).count()
    };
    (named("log", ".jsonl"), named("archive", ".jsonl.zst"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_followed_over_http_into_and_across_its_archive() {
    let node = Scratch::open(Setup { segment_bytes: 4 << 10, ..Setup::default() });
    for number in 0..EVENTS {
        node.stock(&format!("/stores/S1/inventory/SKU-{}", number % 5), 1).await;
        if number == 90 || number == EVENTS - 1 {
            // Without two snapshots nothing goes to the archive.
            tokio::task::block_in_place(|| node.upkeep());
        }
    }
    let (address, _) = started(&node, limits()).await;
    let source = RemoteSource::new(&format!("http://{address}"), &NodeAccess::default()).unwrap();
    let (before, wanted) = (places(&node), (1..=EVENTS).collect::<Vec<u64>>());
    let mut read: Vec<u64> = Vec::new();
    loop {
        let after = Sequence(read.last().copied().unwrap_or(0));
        let delivery = source.read(after, 7).await.unwrap();
        assert_eq!(delivery.end, Sequence(EVENTS));
        if delivery.events.is_empty() {
            break;
        }
        read.extend(delivery.events.iter().map(|event| event.sequence.0));
        // One more segment goes to the archive between two pages.
        tokio::task::block_in_place(|| node.upkeep());
    }
    assert_eq!(read, wanted);
    let after = places(&node);
    assert!(before.1 <= 1 && after.1 > 3, "{before:?}, then {after:?}");
    // From the beginning, when all of it is in the archive.
    for limit in [1, 50, 1_000] {
        assert_eq!(read_on(&source, Sequence::START, limit).await, wanted);
    }
    assert_eq!(read_on(&source, Sequence(61), 9).await, wanted[61..]);
}
