//! A data directory of one process becomes that of several: killed at every operation of the disk on the way, and
//! opened again, alone or as one of several.

use crate::counts::counted;
use crate::node::{World, adjust, keyed, reserve};
use onhand_app::Meta;
use onhand_app::ports::{Clock, EventIds};
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, create_dir_durably};
use onhand_domain::{Key, Sku, StoreId};
use onhand_file::audit::audit_directory;
use onhand_file::recovery::{OpenError, OpenNode, OpenOptions, open};
use onhand_file::sharing::{Joined, LeaseOptions, join};
use onhand_sim::node::SimSettings;
use onhand_sim_machine::disk::{Crash, Fault, Injection, SimDisk};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How the machine ends: a crash leaves more to chance than a fault after which the process ends.
fn ends(fault: Fault, n: u64) -> Vec<Crash> {
    let cuts = if fault == Fault::Crash { 4 } else { 1 };
    let cut = |cut| Crash::PowerCut { seed: 4 * n + cut };
    [Crash::ProcessKill, Crash::DropUnsynced].into_iter().chain((0..cuts).map(cut)).collect()
}

fn options(disk: &SimDisk) -> OpenOptions {
    OpenOptions {
        disk: Arc::new(disk.clone()) as Arc<dyn Disk>,
        layout: Layout::new(Path::new("/data")),
        segment_bytes: 1_500,
        ballast_bytes: 0,
        idempotency_ttl_ms: 300_000,
    }
}

/// A node with every kind of file that is moved: several segments, some of them archived, a snapshot, sent alerts.
async fn alone() -> World {
    let settings =
        SimSettings { segment_bytes: 1_500, snapshot_every: 4, archive: true, ..SimSettings::default() };
    let world = World::new(settings);
    let mut node = world.open();
    for round in 0..20 {
        let key = keyed(&format!("k-{round}"), "10");
        node.execute(adjust("A", 10), &key).await.unwrap();
        node.upkeep().unwrap();
    }
    node.execute(reserve("A", 3, "r-1", None), &Meta::default()).await.unwrap();
    world.disk.put("/data/alerts-sent", b"22\n");
    world
}

fn open_alone(world: &World, disk: &SimDisk) -> Result<OpenNode, OpenError> {
    open(&options(disk), &*world.clock, &*world.ids)
}

fn join_others(world: &World, disk: &SimDisk) -> Result<Joined, OpenError> {
    let ttl = Duration::from_millis(120);
    let lease = LeaseOptions { directory: PathBuf::from("/data/locks"), ttl, renew: ttl / 5 };
    let clock: Arc<dyn Clock> = Arc::clone(&world.clock) as _;
    let ids: Arc<dyn EventIds> = Arc::clone(&world.ids) as _;
    join(&options(disk), lease, &clock, &ids)
}

/// The level, its hold and the idempotency records are those of [`alone`].
#[track_caller]
fn is_all_there(node: &OpenNode, told: &str) {
    let key = Key::Level(StoreId::new("LONDON").unwrap(), Sku::new("A").unwrap());
    let state = node.restored.states.get(&key).unwrap_or_else(|| panic!("{told}: an empty stock"));
    assert_eq!(state.version(), 21, "{told}");
    assert_eq!(node.restored.known.len(), 20, "{told}");
}

/// What is below a directory, by path.
fn below(disk: &SimDisk, directory: &str) -> Vec<PathBuf> {
    disk.files().into_iter().filter(|path| path.starts_with(directory)).collect()
}

/// A start alone: it finds everything, or is rejected and creates nothing.
fn started_alone(world: &World, disk: &SimDisk, told: &str) -> bool {
    let before = (below(disk, "/data/log"), disk.file("/data/node.json"));
    match open_alone(world, disk) {
        Ok(node) => {
            is_all_there(&node, told);
            true
        }
        Err(error) => {
            assert!(error.to_string().contains("--locks-enabled"), "{told}: {error}");
            assert_eq!((below(disk, "/data/log"), disk.file("/data/node.json")), before, "{told}");
            match audit_directory(disk, &options(disk).layout) {
                Ok(audit) => assert_eq!(audit.findings().next(), None, "{told}"),
                Err(error) => assert!(matches!(error, OpenError::HalfShared { .. }), "{told}: {error}"),
            }
            false
        }
    }
}

/// A start as one of several completes the migration.
fn started_shared(world: &World, disk: &SimDisk, told: &str) {
    let joined = join_others(world, disk).unwrap_or_else(|error| panic!("{told}: {error}"));
    is_all_there(&joined.node, told);
    assert_eq!(joined.sharing.number(), 1, "{told}");
    assert!(disk.file("/data/nodes/1/alerts-sent").is_some(), "{told}");
    assert_eq!(below(disk, "/data/log"), [] as [PathBuf; 0], "{told}");
    drop(joined);
    let audit = audit_directory(disk, &options(disk).layout).unwrap();
    assert_eq!(audit.findings().next(), None, "{told}");
}

#[tokio::test]
async fn a_migration_that_is_killed_anywhere_is_finished_by_the_next_start_that_shares() {
    let world = alone().await;
    let (mut kills, mut alone, mut refused) = (0, 0, 0);
    for fault in [Fault::Crash, Fault::Eio, Fault::EioAfterEffect, Fault::NoSpace] {
        for n in 1.. {
            let disk = world.disk.fork();
            disk.inject(Injection::at(disk.operations() + n, fault));
            drop(join_others(&world, &disk));
            if disk.hits().is_empty() {
                break;
            }
            for end in ends(fault, n) {
                let told = format!("{fault:?} at operation {n}, then {end:?}");
                let left = disk.fork();
                left.crash(end);
                left.clear_faults();
                started_shared(&world, &left.fork(), &told);
                if started_alone(&world, &left, &told) {
                    alone += 1;
                } else {
                    refused += 1;
                }
                started_shared(&world, &left, &format!("{told}, then a start for itself"));
                kills += 1;
            }
        }
    }
    assert!(alone > 20 && refused > 100, "{alone} {refused}");
    counted("a migration is killed", format!("{kills} times: {alone} not begun, {refused} begun"));
}

#[tokio::test]
async fn a_log_begun_at_the_root_of_a_half_moved_directory_replaces_nothing() {
    let world = alone().await;
    let disk = world.disk.fork();
    let moving = Path::new("/data/nodes/moving");
    create_dir_durably(&disk, moving).unwrap();
    for name in ["log", "snapshots", "archive"] {
        disk.rename(&Path::new("/data").join(name), &moving.join(name)).unwrap();
    }
    disk.sync_dir(Path::new("/data")).unwrap();
    disk.sync_dir(moving).unwrap();
    // Directories without anything in them are no log.
    let empty = disk.fork();
    create_dir_durably(&empty, Path::new("/data/log")).unwrap();
    create_dir_durably(&empty, Path::new("/data/archive")).unwrap();
    started_shared(&world, &empty, "empty directories");
    // A program that ignores `nodes/` began an empty stock here.
    let other = World::new(SimSettings::default());
    drop(other.open());
    for file in ["log/00000000000000000001.jsonl", "log/mark"] {
        let path = Path::new("/data").join(file);
        disk.put(&path, &other.disk.file(&path).unwrap());
    }
    let all = || {
        let files = disk.files().into_iter().filter(|path| !path.ends_with("LOCK"));
        files.map(|path| (disk.file(&path), path)).collect::<Vec<_>>()
    };
    let before = all();
    let refused = join_others(&world, &disk).err().expect("there are two logs");
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
    assert!(refused.to_string().contains("another log was begun at the root"), "{refused}");
    assert_eq!(all(), before);
}
