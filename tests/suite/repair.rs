//! `repair`: damaged data is cut on request only, and its bytes are kept.

use crate::node::{World, adjust, level};
use onhand_app::Meta;
use onhand_disk::layout::Layout;
use onhand_domain::Sequence;
use onhand_file::audit::repair::repair;
use onhand_file::recovery::OpenError;
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::SimDisk;
use std::path::Path;

const SEGMENT: &str = "/data/log/00000000000000000001.jsonl";

async fn world_of(adjustments: usize, settings: SimSettings) -> World {
    let world = World::new(settings);
    let mut node = world.open();
    for _ in 0..adjustments {
        node.execute(adjust("A", 1), &Meta::default()).await.unwrap();
        node.upkeep().unwrap();
    }
    world
}

fn offset_of_line(disk: &SimDisk, line: usize) -> usize {
    let bytes = disk.file(SEGMENT).unwrap();
    bytes.split_inclusive(|byte| *byte == b'\n').take(line).map(<[u8]>::len).sum()
}

#[tokio::test]
async fn a_damaged_log_is_refused_until_the_loss_is_accepted() {
    let world = world_of(9, SimSettings { snapshot_every: 8, ..SimSettings::default() }).await;
    let offset = offset_of_line(&world.disk, 5);
    world.disk.corrupt(SEGMENT, offset + 30, b'#').unwrap();
    match SimNode::open(&world.disk, &world.clock, &world.ids, world.settings).map(|_| ()) {
        Err(OpenError::Corrupt { offset: found, sequence, .. }) => {
            assert_eq!((found, sequence), (offset as u64, Sequence(5)));
        }
        other => panic!("{other:?}"),
    }
    let damaged = world.disk.file(SEGMENT).unwrap();
    let repaired = repair(&world.disk, &Layout::new(Path::new("/data"))).unwrap().unwrap();
    assert_eq!((repaired.kept, repaired.known), (Sequence(4), Sequence(9)));
    let kept: Vec<Vec<u8>> = repaired.set_aside.iter().filter_map(|path| world.disk.file(path)).collect();
    assert_eq!(kept.len(), repaired.set_aside.len());
    assert!(kept.contains(&damaged[offset..].to_vec()), "every byte that was cut is kept");
    let node = world.open();
    assert_eq!(level(&node, "A").await, Some((4, 4, 0, 4)));
    node.execute(adjust("A", 1), &Meta::default()).await.unwrap();
    drop(node);
    world.power_cut(5);
    assert_eq!(level(&world.open(), "A").await, Some((5, 5, 0, 5)));
}

#[tokio::test]
async fn later_segments_go_with_the_damaged_one() {
    let world = world_of(40, SimSettings { segment_bytes: 2_000, ..SimSettings::default() }).await;
    let segments = |disk: &SimDisk| {
        disk.files().iter().filter(|path| path.extension().is_some_and(|name| name == "jsonl")).count()
    };
    assert!(segments(&world.disk) > 2);
    world.disk.corrupt(SEGMENT, offset_of_line(&world.disk, 2) + 40, b'#').unwrap();
    repair(&world.disk, &Layout::new(Path::new("/data"))).unwrap().unwrap();
    assert_eq!(segments(&world.disk), 1);
    assert_eq!(level(&world.open(), "A").await, Some((1, 1, 0, 1)));
}

#[tokio::test]
async fn a_sound_log_is_left_alone() {
    let world = world_of(3, SimSettings::default()).await;
    let before: Vec<_> =
        world.disk.files().iter().map(|path| (path.clone(), world.disk.file(path))).collect();
    assert_eq!(repair(&world.disk, &Layout::new(Path::new("/data"))).unwrap(), None);
    let lock = Path::new("/data/LOCK");
    for (path, bytes) in before.into_iter().filter(|(path, _)| path != lock) {
        assert_eq!(world.disk.file(&path), bytes, "{}", path.display());
    }
}
