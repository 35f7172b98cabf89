//! Tests of the chain on a simulated disk that is stopped, or refuses, at each operation.

use crate::options::TrailOptions;
use crate::testing::{
    DIRECTORY, checked, data_directory, entry, is_sound, names, options, requests, script, time, writer,
};
use crate::writer::ChainWriter;
use onhand_disk::Disk;
use onhand_sim_machine::disk::{Crash, Fault, Injection};
use std::path::Path;
use std::sync::Arc;

#[test]
fn a_chain_goes_over_files_and_days_and_starts() {
    let disk = data_directory(1);
    assert_eq!(script(&mut writer(&disk)), 6);
    let mut second = writer(&disk);
    second.add((6..9).map(|number| entry(number, 1)));
    assert_eq!(second.write(time(1)).unwrap(), 3);
    second.sync().unwrap();
    is_sound(&disk, "");
    let checked = checked(&disk);
    assert_eq!((checked.entries, checked.torn_bytes, checked.ends[0].1), (9, 0, 9));
    assert!(checked.files >= 3, "by day, by size, and one for each start");
    assert_eq!(requests(&disk), names(0..9));
}

#[test]
fn a_crash_at_any_operation_breaks_no_chain_and_loses_nothing_durable() {
    for n in 1.. {
        let disk = data_directory(n);
        disk.inject(Injection::at(n, Fault::Crash));
        let durable = script(&mut writer(&disk));
        let struck = disk.is_stopped();
        let cuts = (0..12).map(|seed| Crash::PowerCut { seed });
        for how in cuts.chain([Crash::ProcessKill, Crash::DropUnsynced]) {
            let context = format!("stopped at operation {n}, {how:?}");
            let disk = disk.fork();
            disk.clear_faults();
            disk.crash(how);
            is_sound(&disk, &context);
            let left = requests(&disk);
            assert!(left.len() >= durable && left == names(0..left.len()), "{context}: {left:?}");
            let mut next = writer(&disk);
            next.add([entry(100, 2)]);
            next.write(time(2))
                .and_then(|_| next.sync())
                .unwrap_or_else(|error| panic!("{context}: {error}"));
            disk.crash(Crash::DropUnsynced);
            is_sound(&disk, &context);
            let now = requests(&disk);
            assert_eq!(now.last().map(String::as_str), Some("r-100"), "{context}");
            assert_eq!(now[..now.len() - 1], names(0..now.len() - 1), "{context}");
            assert!(now.len() > durable, "{context}: {now:?}");
        }
        if !struck {
            assert!(n > 15, "{n}");
            break;
        }
    }
}

#[test]
fn an_error_at_any_operation_loses_no_entry_and_breaks_no_chain() {
    for fault in [Fault::Eio, Fault::EioAfterEffect, Fault::NoSpace, Fault::ShortWrite] {
        for sticky in [false, true] {
            for n in 1.. {
                let disk = data_directory(n);
                let injection = Injection::at(n, fault);
                disk.inject(if sticky { injection.sticky() } else { injection });
                let mut chain = writer(&disk);
                script(&mut chain);
                let struck = !disk.hits().is_empty();
                disk.clear_faults();
                let context = format!("{fault:?} at operation {n}");
                chain
                    .write(time(1))
                    .and_then(|_| chain.sync())
                    .unwrap_or_else(|error| panic!("{context}: {error}"));
                disk.crash(Crash::DropUnsynced);
                is_sound(&disk, &context);
                assert_eq!(requests(&disk), names(0..6), "{context}");
                if !struck {
                    break;
                }
            }
        }
    }
}

#[test]
fn a_disk_that_refuses_for_long_costs_entries_and_counts_them() {
    let disk = data_directory(1);
    disk.inject(Injection::at(1, Fault::Eio).sticky());
    let options = TrailOptions { file_bytes: 1 << 20, ..options(400) };
    let mut chain = ChainWriter::new(Arc::new(disk.clone()), options);
    for number in 0..10_100 {
        chain.add([entry(number, 0)]);
        if number % 1_000 == 0 {
            assert!(chain.write(time(0)).is_err());
        }
    }
    assert_eq!((chain.take_lost(), chain.take_lost()), (100, 0));
    disk.clear_faults();
    assert_eq!(chain.write(time(0)).unwrap(), 10_000);
    chain.sync().unwrap();
    is_sound(&disk, "");
    assert_eq!((checked(&disk).entries, chain.is_behind()), (10_000, false));
}
#[test]
fn what_is_too_old_is_removed_but_for_the_last_file_of_another_chain() {
    let disk = data_directory(1);
    let chain = |chain| ChainWriter::new(Arc::new(disk.clone()), TrailOptions { chain, ..options(2) });
    let (mut own, mut other) = (chain(0), chain(1));
    for day in 0..5 {
        own.add([entry(0, day)]);
        own.write(time(day)).unwrap();
        if day < 2 {
            other.add([entry(0, day)]);
            other.write(time(day)).unwrap();
        }
    }
    let kept = disk.list(Path::new(DIRECTORY)).unwrap();
    assert_eq!(
        kept,
        [
            "2026-12-01-1-000000000002.jsonl",
            "2026-12-02-0-000000000003.jsonl",
            "2026-12-03-0-000000000004.jsonl",
            "2026-12-04-0-000000000005.jsonl"
        ]
    );
    is_sound(&disk, "");
}
