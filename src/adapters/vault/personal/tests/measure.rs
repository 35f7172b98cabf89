//! How fast it is, by hand.

use super::on;
use super::slow_disk::SlowDisk;
use crate::personal::PersonalKeyFile;
use onhand_app::ports::PersonalKeys;
use onhand_disk::RealDisk;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// Lets threads seal at once, each `each` texts of new subjects, and prints how long that took.
fn measure_new(keys: &PersonalKeyFile, name: &str, threads: usize, each: usize) {
    let begun = Instant::now();
    let seal = |thread: usize| {
        let timed = |n: usize| {
            let begun = Instant::now();
            keys.seal(&format!("{name}-{thread}-{n}"), "order o-1", b"Ada L.").unwrap();
            begun.elapsed()
        };
        (0..each).map(timed).max().unwrap()
    };
    let longest = thread::scope(|scope| {
        let sealing: Vec<_> = (0..threads).map(|thread| scope.spawn(move || seal(thread))).collect();
        sealing.into_iter().map(|thread| thread.join().unwrap()).max().unwrap()
    });
    println!(
        "{name}: {} new subjects by {threads} threads in {:?}, at most {longest:?} for one",
        threads * each,
        begun.elapsed()
    );
}

/// `MEASURE_IN=<directory> cargo test -p onhand-vault --release personal::tests::measure -- --ignored --nocapture`
#[test]
#[ignore = "it measures"]
fn measure() {
    let place = std::env::var_os("MEASURE_IN").map_or_else(std::env::temp_dir, PathBuf::from);
    let data = tempfile::tempdir_in(place).unwrap();
    let vault = data.path().join("identity");
    let disk = SlowDisk::new(RealDisk, Duration::ZERO);
    let (keys, other) = (on(disk.clone(), &vault), on(disk.clone(), &vault));
    for threads in [1, 16, 64] {
        let before = disk.syncs.load(Ordering::SeqCst);
        measure_new(&keys, &format!("alone-{threads}"), threads, 16_000 / threads);
        println!("  {} syncs", disk.syncs.load(Ordering::SeqCst) - before);
    }
    thread::scope(|scope| {
        scope.spawn(|| measure_new(&keys, "one of two", 16, 1_000));
        scope.spawn(|| measure_new(&other, "the other", 16, 1_000));
    });
    let timed = |what: &str, work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        println!("{what}: {:?}", begun.elapsed());
    };
    let mut text = String::new();
    timed("100,000 texts of a known subject", &mut || {
        (0..100_000).for_each(|_| text = keys.seal("c-1", "order o-1", b"Ada L.").unwrap());
    });
    timed("100,000 texts opened", &mut || {
        (0..100_000).for_each(|_| drop(keys.open("c-1", "order o-1", &text).unwrap().unwrap()));
    });
    for count in [100_000, 1_000_000] {
        println!("with {count} keys more:");
        timed("  made as one group", &mut || {
            drop(keys.make((0..count).map(|n| format!("{count}-{n}").into()).collect()).unwrap());
        });
        keys.seal("c-1", "order o-1", b"").unwrap();
        timed("  one erased", &mut || assert!(keys.erase("c-1").unwrap()));
        timed("  read anew", &mut || drop(on(disk.clone(), &vault)));
        timed("  10,000 erased texts opened", &mut || {
            (0..10_000).for_each(|_| assert!(keys.open("c-1", "order o-1", &text).unwrap().is_none()));
        });
    }
}
