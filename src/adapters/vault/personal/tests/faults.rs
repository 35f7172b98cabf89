//! Crashes and errors at every operation of the disk.

use super::{Given, key_id, open, opened, prepared, require_good};
use crate::personal::PersonalKeyFile;
use crate::testing::crashes;
use onhand_app::ports::PersonalKeys;
use onhand_sim_machine::disk::{Crash, DiskOperation, Fault, Injection, SimDisk};
use std::collections::BTreeSet;
use std::io;

/// A change of the keys, which notes what it was given. True when it was answered with success.
type Change<'a> = &'a dyn Fn(&PersonalKeyFile, &mut Given) -> bool;

fn seal_new(keys: &PersonalKeyFile, given: &mut Given) -> bool {
    given.seal(keys, "c-3") && given.seal(keys, "c-1")
}

/// More than a sector of keys, and more than one line.
fn seal_many(keys: &PersonalKeyFile, given: &mut Given) -> bool {
    let made = keys.make((0..70).map(|n| format!("d-{n}").into()).collect());
    made.is_ok() && ["d-0", "d-69"].iter().all(|subject| given.seal(keys, subject))
}

fn erase_one(keys: &PersonalKeyFile, _: &mut Given) -> bool {
    keys.erase("c-2").is_ok()
}

const CHANGES: [Change<'static>; 3] = [&seal_new, &seal_many, &erase_one];

#[test]
fn a_crash_at_any_operation_loses_no_key_that_was_used() {
    for (change, empty) in CHANGES.iter().flat_map(|change| [(change, false), (change, true)]) {
        for n in 1.. {
            let disk = SimDisk::new(n);
            let (keys, mut given) = prepared(&disk, empty);
            disk.inject(Injection::at(disk.operations() + n, Fault::Crash));
            let done = change(&keys, &mut given);
            let struck = disk.is_stopped();
            assert!(done || struck);
            let erased = done && !struck && given.0.len() == 2;
            for how in crashes() {
                let disk = disk.fork();
                disk.clear_faults();
                disk.crash(how);
                require_good(&disk, &given, erased, &format!("stopped at operation {n}, {how:?}"));
            }
            if !struck {
                break;
            }
        }
    }
}

#[test]
fn a_crash_while_the_keys_are_opened_loses_none() {
    for n in 1.. {
        let disk = SimDisk::new(n);
        let (keys, mut given) = prepared(&disk, false);
        disk.inject(Injection::at(1, Fault::Eio).only(DiskOperation::SyncData));
        assert!(!given.seal(&keys, "c-3"));
        disk.crash(Crash::ProcessKill);
        disk.inject(Injection::at(disk.operations() + n, Fault::Crash));
        let done = open(&disk).is_ok();
        for how in crashes() {
            let disk = disk.fork();
            disk.clear_faults();
            disk.crash(how);
            require_good(&disk, &given, false, &format!("stopped at operation {n}, {how:?}"));
        }
        if done {
            assert!(n > 10, "opening has few operations: {n}");
            break;
        }
    }
}

/// What comes out when a process meets a fault at its operation `n` of a change: one of two processes goes on, then the other one.
/// False when the change has fewer operations.
fn struck(change: Change<'_>, empty: bool, fault: Fault, n: u64, other_first: bool) -> bool {
    let disk = SimDisk::new(n);
    let there = opened(&disk.of(2));
    let (here, mut given) = prepared(&disk.of(1), empty);
    if n.is_multiple_of(2) {
        given.require(&there, "", "read before the change");
    }
    disk.inject(Injection::at(disk.operations() + n, fault).by(1));
    let done = change(&here, &mut given);
    let struck = !disk.hits().is_empty();
    disk.clear_faults();
    let context = format!("{fault:?} at operation {n}, done: {done}, other first: {other_first}");
    assert!(done || struck, "{context}");
    let erased = done && !empty && given.0.len() == 2;
    let here = if disk.has_killed(1) { opened(&disk.of(3)) } else { here };
    let (first, second) = if other_first { (&there, &here) } else { (&here, &there) };
    given.all(first, &["c-3", "c-1"]);
    given.all(second, &["c-3", "c-5"]);
    for keys in [first, second] {
        given.require(keys, "c-2", &context);
        assert!(!(erased && given.is_open(keys, "c-2")), "{context}");
    }
    let of_c3 = given.0.iter().filter(|(subject, _)| subject == "c-3").map(|(_, text)| key_id(text));
    assert_eq!(of_c3.collect::<BTreeSet<_>>().len(), 1, "{context}");
    for how in [Crash::PowerCut { seed: n }, Crash::DropUnsynced] {
        let disk = disk.fork();
        disk.crash(how);
        require_good(&disk, &given, erased, &format!("{context}, {how:?}"));
    }
    struck
}

#[test]
fn an_error_at_any_operation_loses_no_key_that_was_used() {
    for fault in [Fault::Eio, Fault::EioAfterEffect, Fault::NoSpace, Fault::ShortWrite] {
        for change in CHANGES {
            for (empty, other_first) in [(false, false), (false, true), (true, false), (true, true)] {
                let mut n = 1;
                while struck(change, empty, fault, n, other_first) {
                    n += 1;
                }
                assert!(n > 3 || empty, "{fault:?} strikes few operations: {n}");
            }
        }
    }
}

#[test]
fn a_process_that_is_killed_at_any_operation_harms_no_other() {
    for change in CHANGES {
        for (empty, other_first) in [(false, false), (false, true), (true, false), (true, true)] {
            for n in 1.. {
                if !struck(change, empty, Fault::Kill, n, other_first) {
                    break;
                }
            }
        }
    }
}

/// What an attempt has left on the disk meets the next one, in which the power fails.
#[test]
fn a_crash_after_an_error_loses_no_key_that_was_used() {
    for fault in [Fault::Eio, Fault::EioAfterEffect, Fault::ShortWrite] {
        let crashed = |n: u64, m: u64, next: &str| {
            let disk = SimDisk::new(n * 100 + m);
            let (keys, mut given) = prepared(&disk, false);
            disk.inject(Injection::at(disk.operations() + n, fault));
            given.seal(&keys, "c-3");
            let met = !disk.hits().is_empty();
            disk.clear_faults();
            disk.inject(Injection::at(disk.operations() + m, Fault::Crash));
            given.seal(&keys, next);
            let stopped = disk.is_stopped();
            for seed in 0..3 {
                let (disk, mut given) = (disk.fork(), given.clone());
                disk.clear_faults();
                disk.crash(Crash::PowerCut { seed });
                let context = format!("{fault:?} at operation {n}, stopped at {m}, {seed}");
                let keys = open(&disk).unwrap_or_else(|error| panic!("{error}, {context}"));
                given.all(&keys, &["c-3", "c-6"]);
                given.require(&keys, "", &context);
            }
            (met, stopped)
        };
        for n in 1.. {
            // A line that is as long as that of the first attempt, or not.
            for next in ["c-5", "c", "c-5-with-a-longer-name"] {
                for m in 1.. {
                    if !crashed(n, m, next).1 {
                        break;
                    }
                }
            }
            if !crashed(n, 1, "c-5").0 {
                break;
            }
        }
    }
}

/// A new file would need room for all keys once more.
#[test]
fn a_full_disk_needs_no_new_file() {
    let disk = SimDisk::new(1);
    let (keys, mut given) = prepared(&disk, false);
    let file = keys.known.read().file();
    for fault in [Fault::NoSpace, Fault::ShortWrite] {
        disk.inject(Injection::at(1, fault).only(DiskOperation::WriteAt));
        let error = keys.seal("c-3", "order o-1", b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
    disk.clear_faults();
    given.all(&keys, &["c-3"]);
    assert!(keys.known.read().file() == file);
}
