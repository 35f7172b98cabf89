//! The simulated disk compared with the operating system's: without faults both answer every call alike.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use onhand_disk::{Disk, DiskFile, OpenMode, RealDisk, read_all};
use onhand_sim_machine::disk::SimDisk;
use onhand_sim_machine::random::Random;

const NAMES: [&str; 8] = ["a", "b", "c", "./a", "d/a", "d/b", "file/x", "missing/x"];
/// Paths of directories; the first four are never files.
const DIRECTORIES: [&str; 6] = [".", "d", "d/e", "missing", "file", "file/x"];
/// New names for files; `dir` is a directory at first, `file` a file in every run.
const TARGETS: [&str; 4] = ["a", "b", "z", "dir"];
/// Names in other directories, and of directories; none of the latter is ever opened as a file.
const ELSEWHERE: [&str; 7] = ["z", "d/z", "dir/x", "d", "d/e", "file/e", "missing/e"];
const MODES: [OpenMode; 4] = [OpenMode::Read, OpenMode::Write, OpenMode::CreateNew, OpenMode::OpenOrCreate];

/// One program run on one disk; the answers are its trace.
struct Run<'a> {
    disk: &'a dyn Disk,
    root: PathBuf,
    handles: Vec<Arc<dyn DiskFile>>,
    /// Open handles of directories.
    locks: Vec<Arc<dyn DiskFile>>,
    trace: Vec<String>,
}

fn pick<'a, T>(from: &'a [T], random: &mut Random) -> &'a T {
    &from[random.below(from.len())]
}

/// The answer as text; of an error only its number, because the log acts on that alone.
fn told<T: Debug>(outcome: io::Result<T>) -> String {
    match outcome {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("error {:?}", error.raw_os_error()),
    }
}

impl Run<'_> {
    /// One call. Syncs are rare: on the real disk they are slow and answer little.
    fn step(&mut self, random: &mut Random) {
        let call = random.below(44);
        let path = self.root.join(pick(&NAMES, random));
        let other = path.with_file_name(pick(&TARGETS, random));
        let elsewhere = self.root.join(pick(&ELSEWHERE, random));
        let directory = self.root.join(pick(&DIRECTORIES, random));
        let mode = *pick(&MODES, random);
        let (length, offset) = (random.below(1_500), random.below(2_000) as u64);
        let bytes = vec![u8::try_from(random.below(256)).unwrap(); length];
        let answer = match call {
            0..=2 => told(self.disk.create_dir_all(&directory)),
            3..=5 => told(self.disk.list(&directory)),
            6 => told(self.disk.sync_dir(&self.root.join(pick(&DIRECTORIES[..4], random)))),
            7..=8 => told(self.disk.rename(&path, &other)),
            9 => told(self.disk.rename(&path, &elsewhere)),
            40..=41 => told(self.disk.rename(&self.root.join(pick(&DIRECTORIES[1..4], random)), &elsewhere)),
            42 => told(self.disk.open_dir(&directory).and_then(|handle| {
                let locked = handle.try_lock();
                self.locks.push(handle);
                locked
            })),
            43 => {
                self.locks.truncate(random.below(3));
                return;
            }
            10..=12 => told(self.disk.remove(&path)),
            13..=18 => told(self.disk.open(&path, mode).map(|file| self.handles.push(file))),
            _ if self.handles.is_empty() => return,
            19..=20 => {
                self.handles.remove(random.below(self.handles.len()));
                return;
            }
            _ => on_file(&**pick(&self.handles, random), call, &bytes, offset),
        };
        let paths = [&path, &other, &elsewhere, &directory].map(|path| path.display().to_string());
        self.trace.push(format!("{call} {paths:?} {mode:?} {length} {offset}: {answer}"));
    }
}

fn on_file(file: &dyn DiskFile, call: usize, bytes: &[u8], offset: u64) -> String {
    match call {
        21..=24 => told(file.write_at(bytes, offset)),
        25..=27 => told(file.truncate(offset)),
        28..=30 => told(file.preallocate(offset)) + &told(file.len()),
        31..=33 => told(file.try_lock()),
        34 => told(file.sync_data()),
        _ => {
            let mut buffer = bytes.to_vec();
            let read = told(file.read_at(&mut buffer, offset));
            format!("{read} {buffer:?} {} {:?}", told(file.len()), read_all(file).ok())
        }
    }
}

fn run(disk: &dyn Disk, root: &Path, seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    let mut run =
        Run { disk, root: root.to_path_buf(), handles: Vec::new(), locks: Vec::new(), trace: Vec::new() };
    run.disk.create_dir_all(&root.join("dir")).unwrap();
    run.disk.open(&root.join("file"), OpenMode::CreateNew).unwrap();
    for _ in 0..120 {
        run.step(&mut random);
    }
    run.trace
}

#[test]
fn the_simulated_disk_answers_as_the_real_one() {
    let directory = tempfile::tempdir().unwrap();
    let mut answers = std::collections::BTreeSet::new();
    for seed in 0..150 {
        let root = directory.path().join(seed.to_string());
        let (real, simulated) = (run(&RealDisk, &root, seed), run(&SimDisk::new(seed), &root, seed));
        for (real, simulated) in real.iter().zip(&simulated) {
            assert_eq!(real, simulated, "seed {seed}");
            answers.insert(real.rsplit_once("error ").map(|(_, number)| number.to_owned()));
        }
        assert_eq!(real.len(), simulated.len());
    }
    assert!(answers.len() >= 7, "the runs met too few kinds of answers: {answers:?}");
}
