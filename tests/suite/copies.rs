//! A directory that is copied while its node runs, file by file, piece by piece, on the simulated disk: in the order of
//! run.md every copy starts, in any other one it starts after `repair --copied`, with all that is in it.

use crate::counts::counted;
use crate::node::{World, adjust, keyed, level};
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenMode, create_dir_durably, fill_at, parent};
use onhand_file::audit::audit;
use onhand_file::audit::repair::{repair, settle_copy};
use onhand_file::recovery::OpenError;
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::{Crash, SimDisk};
use onhand_sim_machine::random::Random;
use std::path::{Path, PathBuf};

const SETTINGS: SimSettings =
    SimSettings { segment_bytes: 1_500, snapshot_every: 4, idempotency_ttl_ms: 300_000, archive: true };

fn layout() -> Layout {
    Layout::new(Path::new("/data"))
}

fn is_segment(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "jsonl")
}

/// A node that continues to work while its directory is copied.
struct Living {
    world: World,
    node: SimNode,
    random: Random,
    /// Probability, in percent, that something happens between two pieces of a file.
    pace: usize,
    acknowledged: u64,
}

impl Living {
    async fn begin(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let world = World::new(SimSettings { archive: random.percent(60), ..SETTINGS });
        let node = world.open();
        let pace = [3, 10, 30][random.below(3)];
        let mut living = Self { world, node, random, pace, acknowledged: 0 };
        for _ in 0..living.random.below(90) {
            living.go_on().await;
        }
        living
    }

    /// A few changes, snapshots, segments that are sealed and archived.
    async fn go_on(&mut self) {
        self.acknowledged += 1;
        let key = keyed(&self.acknowledged.to_string(), "1");
        self.node.execute(adjust("A", 1), &key).await.unwrap();
        if self.random.percent(60) {
            self.node.upkeep().unwrap();
        }
    }

    /// Works for a step, sometimes.
    async fn pass(&mut self) {
        while self.random.percent(self.pace) {
            self.go_on().await;
        }
    }

    /// Copies one file, piece by piece while it changes; a removed file is left out.
    async fn copy_file(&mut self, to: &SimDisk, path: &Path) {
        self.pass().await;
        let Ok(file) = self.world.disk.open(path, OpenMode::Read) else { return };
        let length = || usize::try_from(file.len().unwrap()).unwrap();
        let (mut bytes, at_first) = (Vec::new(), length());
        loop {
            // A copier reads to the end, which may be in the middle of a write.
            let left = length().saturating_sub(bytes.len());
            if left == 0 || bytes.len() > at_first && self.random.percent(50) {
                break;
            }
            let mut piece = vec![0; left.min(1 + self.random.below(300))];
            fill_at(&*file, bytes.len() as u64, &mut piece).unwrap();
            bytes.extend(piece);
            self.pass().await;
        }
        create_dir_durably(to, &parent(path)).unwrap();
        to.put(path, &bytes);
    }

    async fn copy_directory(&mut self, to: &SimDisk, directory: &Path, wanted: impl Fn(&str) -> bool) {
        let names = self.world.disk.list(directory).unwrap_or_default();
        for name in names.into_iter().filter(|name| wanted(name)) {
            self.copy_file(to, &directory.join(name)).await;
        }
    }

    /// Copies in the order of run.md.
    async fn copy_in_order(&mut self) -> SimDisk {
        let to = SimDisk::new(2);
        self.copy_file(&to, &layout().node()).await;
        self.copy_directory(&to, &layout().snapshots(), |_| true).await;
        self.copy_file(&to, &layout().mark()).await;
        self.copy_directory(&to, &layout().log(), is_segment).await;
        self.copy_directory(&to, &layout().archive(), |_| true).await;
        to
    }

    /// Copies as a generic tool does: the log in any order, then the archive, then the snapshots.
    async fn copy_somehow(&mut self) -> SimDisk {
        let to = SimDisk::new(2);
        self.copy_file(&to, &layout().node()).await;
        if self.random.percent(50) {
            self.copy_file(&to, &layout().mark()).await;
        }
        self.copy_directory(&to, &layout().log(), is_segment).await;
        self.copy_file(&to, &layout().mark()).await;
        self.copy_directory(&to, &layout().archive(), |_| true).await;
        self.copy_directory(&to, &layout().snapshots(), |_| true).await;
        to
    }
}

/// Starts a copy, and returns the number of its changes.
async fn started(world: &World, disk: &SimDisk, told: &str) -> u64 {
    let copy = World {
        disk: disk.fork(),
        clock: world.clock.clone(),
        ids: world.ids.clone(),
        ..World::new(SETTINGS)
    };
    let node = copy.try_open().unwrap_or_else(|error| panic!("{told}: {error}"));
    let (_, on_hand, _, version) = level(&node, "A").await.unwrap_or_default();
    assert_eq!(u64::try_from(on_hand).unwrap(), version, "{told}");
    node.execute(adjust("A", 1), &keyed("next", "1")).await.unwrap();
    drop(node);
    copy.disk.crash(Crash::DropUnsynced);
    let audit = audit(&copy.disk, &layout()).unwrap();
    assert_eq!(audit.findings, [], "{told}");
    version
}

#[tokio::test]
async fn a_copy_in_the_right_order_always_starts_with_all_that_was_acknowledged_before() {
    let (mut torn, mut twice) = (0, 0);
    for seed in 0..200 {
        let mut living = Living::begin(seed).await;
        let before = living.acknowledged;
        let copy = living.copy_in_order().await;
        let audit = audit(&copy, &layout()).unwrap();
        assert_eq!(audit.findings, [], "seed {seed}");
        torn += u32::from(audit.torn_bytes > 0);
        let names = copy.list(&layout().log()).unwrap();
        let archived = |name: &String| copy.file(layout().archive().join(format!("{name}.zst"))).is_some();
        twice += names.iter().filter(|name| archived(name)).count();
        let has = started(&living.world, &copy, &format!("seed {seed}")).await;
        assert!(has >= before && has <= living.acknowledged, "seed {seed}: {before} {has}");
    }
    assert!(torn > 5 && twice > 20, "{torn} {twice}");
    let figures = format!("200, {torn} with a torn tail, {twice} segments twice");
    counted("copies of a living directory, in order", figures);
}

#[tokio::test]
async fn a_copy_in_another_order_is_distinguished_from_damage_and_starts_with_all_its_content() {
    let mut refused = 0;
    for seed in 0..200 {
        let mut living = Living::begin(seed).await;
        let before = living.acknowledged;
        let copy = living.copy_somehow().await;
        let world = World { disk: copy.fork(), ..World::new(SETTINGS) };
        let told = format!("seed {seed}");
        let lines = whole_lines(&copy);
        match world.try_open().map(drop) {
            Ok(()) => assert_eq!(settle_copy(&copy, &layout()).unwrap(), None, "{told}"),
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains("onhand repair --copied"), "{told}: {error}");
                let looked = audit(&copy, &layout()).unwrap();
                assert!(looked.cut_short && !looked.findings.is_empty(), "{told}");
                let settled = settle_copy(&copy, &layout()).unwrap().unwrap();
                assert!(settled.kept < settled.known, "{told}: {settled:?}");
                assert_eq!(whole_lines(&copy), lines, "{told}: a line was lost");
                assert_eq!(settled.kept.0, lines.len() as u64, "{told}");
            }
        }
        let has = started(&living.world, &copy, &told).await;
        assert!(has >= before && has == lines.len() as u64, "{told}: {before} {has}");
    }
    assert!((50..195).contains(&refused), "{refused}");
    counted("copies of a living directory, in another order", format!("200, {refused} refused"));
}

/// Every whole line of the log that is an entry, in order; each is one change here.
fn whole_lines(disk: &SimDisk) -> Vec<String> {
    let mut lines = std::collections::BTreeMap::new();
    for directory in [layout().archive(), layout().log()] {
        for name in disk.list(&directory).unwrap_or_default() {
            let path = directory.join(&name);
            let bytes = disk.file(&path).unwrap();
            let bytes = match path.extension().and_then(|extension| extension.to_str()) {
                Some("zst") => zstd::stream::decode_all(&bytes[..]).unwrap(),
                Some("jsonl") => bytes,
                _ => continue,
            };
            for line in
                String::from_utf8(bytes).unwrap().split_inclusive('\n').filter(|line| line.ends_with('\n'))
            {
                let json: serde_json::Value = serde_json::from_str(line).unwrap();
                if let Some(sequence) = json["seq"].as_u64() {
                    lines.insert(sequence, line.to_owned());
                }
            }
        }
    }
    lines.into_values().collect()
}

#[tokio::test]
async fn damage_is_not_accepted_as_a_copy() {
    let mut living = Living::begin(3).await;
    while living.acknowledged < 40 {
        living.go_on().await;
    }
    drop(living.node);
    let names = living.world.disk.list(&layout().log()).unwrap();
    let segments: Vec<PathBuf> =
        names.iter().filter(|name| is_segment(name)).map(|name| layout().log().join(name)).collect();
    let last = segments.last().unwrap();
    let length = living.world.disk.file(last).unwrap().len();
    for (path, offset) in [(&segments[0], 400), (last, length - 40)] {
        let disk = living.world.disk.fork();
        disk.corrupt(path, offset, b'#').unwrap();
        let files = || {
            let files = disk.files().into_iter().filter(|path| !path.ends_with("LOCK"));
            files.map(|path| (disk.file(&path), path)).collect::<Vec<_>>()
        };
        let before = files();
        let refused = settle_copy(&disk, &layout()).unwrap_err();
        assert!(matches!(refused, OpenError::Corrupt { .. }), "{refused}");
        assert!(refused.to_string().contains(path.to_str().unwrap()), "{refused}");
        assert_eq!(files(), before);
        assert!(repair(&disk, &layout()).unwrap().is_some());
    }
}

#[tokio::test]
async fn a_segment_that_the_archive_has_as_a_whole_is_taken_from_there() {
    let mut living = Living::begin(1).await;
    for seed in 2.. {
        if living.world.settings.archive {
            break;
        }
        living = Living::begin(seed).await;
    }
    while living.acknowledged < 12 {
        living.go_on().await;
    }
    let copy = SimDisk::new(2);
    living.copy_file(&copy, &layout().node()).await;
    living.copy_file(&copy, &layout().mark()).await;
    living.copy_directory(&copy, &layout().log(), is_segment).await;
    let names = copy.list(&layout().log()).unwrap();
    let last = layout().log().join(names.iter().rfind(|name| is_segment(name)).unwrap());
    let begun = living.acknowledged;
    // The copier pauses while that segment and more are archived.
    while living.world.disk.file(&last).is_some() || living.acknowledged < begun + 20 {
        living.go_on().await;
    }
    living.copy_directory(&copy, &layout().archive(), |_| true).await;
    let bytes = copy.file(&last).unwrap();
    for length in [bytes.len(), bytes.len() - 20, bytes.len() / 2, 130] {
        let disk = copy.fork();
        disk.put(&last, &bytes[..length]);
        let told = format!("{length} bytes of {}", last.display());
        assert_eq!(audit(&disk, &layout()).unwrap().findings, [], "{told}");
        assert!(started(&living.world, &disk, &told).await >= begun, "{told}");
    }
}
