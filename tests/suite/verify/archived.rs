//! Archives that are damaged: each is reported by its file name, and so are damaged ones behind it.

use super::{ROOT, findings};
use crate::node::{World, adjust};
use onhand_app::Meta;
use onhand_disk::layout::Layout;
use onhand_domain::Sequence;
use onhand_file::audit::audit;
use onhand_file::audit::repair::repair;
use onhand_sim::node::SimSettings;
use onhand_sim_machine::disk::SimDisk;
use std::path::{Path, PathBuf};

/// Several archived segments, and two that are not.
pub(super) async fn archived() -> World {
    let settings =
        SimSettings { segment_bytes: 3_000, snapshot_every: 10, archive: true, ..SimSettings::default() };
    let world = World::new(settings);
    let mut node = world.open();
    for _ in 0..100 {
        node.execute(adjust("A", 1), &Meta::default()).await.unwrap();
        node.upkeep().unwrap();
    }
    world
}

pub(super) fn archives(disk: &SimDisk) -> Vec<PathBuf> {
    let is = |path: &PathBuf| path.extension().is_some_and(|name| name == "zst");
    disk.files().into_iter().filter(is).collect()
}

/// Kinds of damage to a compressed file.
pub(super) fn damages(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let flip = |place: usize| {
        let mut flipped = bytes.to_vec();
        flipped[place] ^= 0x55;
        flipped
    };
    vec![
        ("a byte in the middle", flip(bytes.len() / 3)),
        ("the first byte", flip(0)),
        ("the last byte", flip(bytes.len() - 1)),
        ("the table of its frames", flip(bytes.len() - 12)),
        ("half of it", bytes[..bytes.len() / 2].to_vec()),
        ("nothing of it", Vec::new()),
        ("zeros", vec![0; bytes.len()]),
    ]
}

#[tokio::test]
async fn every_damaged_archive_is_named_by_the_name_it_has() {
    let world = archived().await;
    let all = archives(&world.disk);
    assert!(all.len() >= 4, "{all:?}");
    let (first, second) = (&all[0], &all[2]);
    for (story, bytes) in damages(&world.disk.file(first).unwrap()) {
        for also in [false, true] {
            let disk = world.disk.fork();
            disk.put(first, &bytes);
            let mut wrong = vec![first.clone()];
            if also {
                let (_, bytes) = damages(&disk.file(second).unwrap()).swap_remove(0);
                disk.put(second, &bytes);
                wrong.push(second.clone());
            }
            let found = findings(&disk);
            let named: Vec<_> = found.iter().map(|finding| finding.path.clone()).collect();
            assert_eq!(named, wrong, "{story}: {found:?}");
            assert!(found.iter().all(|finding| disk.file(&finding.path).is_some()));
        }
    }
}

#[tokio::test]
async fn a_start_names_the_archive_too_or_does_not_need_it() {
    let world = archived().await;
    let first = &archives(&world.disk)[1];
    for (story, bytes) in damages(&world.disk.file(first).unwrap()) {
        let world = World { disk: world.disk.fork(), ..World::new(world.settings) };
        world.disk.put(first, &bytes);
        if let Err(error) = world.try_open() {
            assert!(error.to_string().contains(first.to_str().unwrap()), "{story}: {error}");
        }
    }
}

#[tokio::test]
async fn repair_gives_up_what_stands_behind_a_damaged_archive_and_keeps_what_is_in_front_of_it() {
    let world = archived().await;
    let all = archives(&world.disk);
    let damaged = &all[1];
    for (story, bytes) in damages(&world.disk.file(damaged).unwrap()) {
        let disk = world.disk.fork();
        disk.put(damaged, &bytes);
        let layout = Layout::new(Path::new(ROOT));
        let before = audit(&disk, &layout).unwrap();
        let repaired = repair(&disk, &layout).unwrap().unwrap_or_else(|| panic!("{story}: it is sound"));
        assert!(repaired.kept >= Sequence(3) && repaired.kept < Sequence(100), "{story}: {repaired:?}");
        assert_eq!((repaired.kept, repaired.known), (before.end, Sequence(100)), "{story}");
        assert!(repaired.set_aside.iter().any(|path| disk.file(path).as_ref() == Some(&bytes)), "{story}");
        assert_eq!(findings(&disk), [], "{story}");
        let world = World { disk, ..World::new(world.settings) };
        let kept = i64::try_from(repaired.kept.0).unwrap();
        let level = crate::node::level(&world.open(), "A").await;
        assert_eq!(level, Some((kept, kept, 0, repaired.kept.0)), "{story}");
    }
}
