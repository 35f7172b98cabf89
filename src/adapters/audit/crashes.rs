//! Tests of the chain on a simulated disk: stopped and disturbed at each operation, torn, changed by hand.

use crate::check::{TrailCheck, check};
use crate::options::TrailOptions;
use crate::read::read;
use crate::writer::ChainWriter;
use onhand_app::ports::{AuditEntry, AuditKind, TrailPlace, TrailQuery};
use onhand_disk::Disk;
use onhand_domain::Timestamp;
use onhand_sim_machine::disk::{Crash, Fault, Injection, SimDisk};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DIRECTORY: &str = "/data/audit";
const DAY_MS: i64 = 86_400_000;

fn options(keep_days: u32) -> TrailOptions {
    TrailOptions { directory: DIRECTORY.into(), chain: 0, keep_days, file_bytes: 1_200 }
}

/// A disk with a data directory.
fn data_directory(seed: u64) -> SimDisk {
    let disk = SimDisk::new(seed);
    disk.put("/data/node.json", b"");
    disk
}

fn writer(disk: &SimDisk) -> ChainWriter {
    ChainWriter::new(Arc::new(disk.clone()), options(400))
}

fn time(day: i64) -> Timestamp {
    Timestamp::from_milliseconds(1_796_000_000_000 + day * DAY_MS)
}

/// An entry that is recognised by its request.
fn entry(number: usize, day: i64) -> AuditEntry {
    AuditEntry {
        request_id: Some(format!("r-{number}").into()),
        ..AuditEntry::new(time(day), AuditKind::Refused)
    }
}

/// Takes six entries in three groups over two days; returns how many are durable for sure.
fn script(writer: &mut ChainWriter) -> usize {
    let mut durable = 0;
    for group in 0..3 {
        let day = i64::try_from(group / 2).unwrap();
        writer.add([entry(2 * group, day), entry(2 * group + 1, day)]);
        let written = writer.write(time(day));
        if written.and_then(|_| writer.sync()).is_ok() {
            durable = 2 * group + 2;
        }
    }
    durable
}

/// The requests of the entries that the trail has, in order; what the trail says about itself is left out.
fn requests(disk: &SimDisk) -> Vec<String> {
    let after = TrailPlace::new();
    let query = TrailQuery { after: &after, limit: 1_000, since: None, fresh: false, passes: &|_| true };
    let pieces = read(disk, Path::new(DIRECTORY), &query).unwrap();
    let entries = pieces.into_iter().flat_map(|piece| piece.entries);
    entries.filter_map(|(_, entry)| entry.request_id.map(String::from)).collect()
}

fn checked(disk: &SimDisk) -> TrailCheck {
    check(disk, Path::new(DIRECTORY)).unwrap()
}

#[track_caller]
fn is_sound(disk: &SimDisk, context: &str) {
    let checked = checked(disk);
    assert_eq!(checked.breaks, [], "{context}");
}

fn names(numbers: impl Iterator<Item = usize>) -> Vec<String> {
    numbers.map(|number| format!("r-{number}")).collect()
}

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

/// The files of a trail of two starts, and their lines.
fn filled() -> (SimDisk, Vec<(PathBuf, Vec<String>)>) {
    let disk = data_directory(1);
    script(&mut writer(&disk));
    let mut second = writer(&disk);
    second.add((6..8).map(|number| entry(number, 1)));
    second.write(time(1)).unwrap();
    second.sync().unwrap();
    second.add([entry(8, 1)]);
    second.write(time(1)).unwrap();
    second.sync().unwrap();
    let files = disk.list(Path::new(DIRECTORY)).unwrap();
    let lines = |path: &PathBuf| {
        let text = String::from_utf8(disk.file(path).unwrap()).unwrap();
        text.split_inclusive('\n').map(str::to_owned).collect()
    };
    let paths = files.iter().map(|name| Path::new(DIRECTORY).join(name));
    (disk.clone(), paths.map(|path| (path.clone(), lines(&path))).collect())
}

/// A line with another entry and a checksum that fits.
fn forged(line: &str) -> String {
    let mut forged = crate::line::Line::decode(line.as_bytes()).unwrap();
    forged.entry.count = 99;
    String::from_utf8(forged.encode()).unwrap()
}

#[test]
fn a_line_that_was_changed_is_named() {
    let (disk, files) = filled();
    let last = files.len() - 1;
    for (at, (path, lines)) in files.iter().enumerate() {
        for number in 0..lines.len() {
            // Nothing behind the last line says what it was.
            let is_last = at == last && number == lines.len() - 1;
            let changes: [fn(&str) -> String; 2] = [|line| line.replace("r-", "x-"), forged];
            for (change, is_torn) in changes.into_iter().zip([is_last, false]) {
                let disk = disk.fork();
                let mut changed = lines.clone();
                changed[number] = change(&changed[number]);
                disk.put(path, changed.concat().as_bytes());
                let checked = checked(&disk);
                if is_last {
                    assert_eq!((checked.breaks.len(), checked.torn_bytes > 0), (0, is_torn));
                    continue;
                }
                let [found] = checked.breaks.as_slice() else { panic!("{checked:?}") };
                assert_eq!((&found.path, found.line), (path, number + 1), "{found:?}");
                // A reader is told, and still gets everything else.
                let read = requests(&disk);
                assert!(read.len() >= 8, "{read:?}");
                // The next start hides nothing of it.
                let mut next = writer(&disk);
                next.add([entry(100, 2)]);
                next.write(time(2)).unwrap();
                next.sync().unwrap();
                let again = self::checked(&disk);
                assert_eq!(again.breaks, checked.breaks);
            }
        }
    }
}

#[test]
fn lines_and_files_that_are_gone_are_missed() {
    let (disk, files) = filled();
    for (at, (path, lines)) in files.iter().enumerate() {
        for number in 0..lines.len() {
            let is_last = at == files.len() - 1 && number == lines.len() - 1;
            let disk = disk.fork();
            let mut left = lines.clone();
            left.remove(number);
            disk.put(path, left.concat().as_bytes());
            assert_eq!(checked(&disk).breaks.is_empty(), is_last, "line {number} of {}", path.display());
        }
        if at > 0 && at < files.len() - 1 {
            let disk = disk.fork();
            disk.remove(path).unwrap();
            assert!(!checked(&disk).breaks.is_empty(), "{}", path.display());
        }
    }
}

#[test]
fn a_torn_end_is_put_right_and_said() {
    let (disk, files) = filled();
    let (path, lines) = files.last().unwrap();
    let whole = lines.concat();
    let kept: usize = lines[..lines.len() - 1].iter().map(String::len).sum();
    for cut in kept + 1..whole.len() {
        let disk = disk.fork();
        disk.put(path, &whole.as_bytes()[..cut]);
        let torn = checked(&disk);
        assert_eq!((torn.breaks.len(), torn.torn_bytes), (0, cut - kept));
        writer(&disk).write(time(3)).unwrap();
        disk.crash(Crash::ProcessKill);
        is_sound(&disk, "");
        let after = TrailPlace::new();
        let query = TrailQuery { after: &after, limit: 99, since: None, fresh: false, passes: &|_| true };
        let pieces = read(&disk, Path::new(DIRECTORY), &query).unwrap();
        let (n, last) = pieces[0].entries.last().unwrap();
        assert_eq!((*n, last.kind), (9, AuditKind::Repaired));
        let detail = last.detail.as_deref().unwrap();
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(
            detail.starts_with(&format!("{name}, line {}: {} bytes", lines.len(), cut - kept)),
            "{detail}"
        );
    }
}

#[test]
fn a_reader_goes_on_from_any_place_and_a_break_is_a_row() {
    let (disk, files) = filled();
    for after in 0..=9 {
        let place = TrailPlace::from([(0, after)]);
        let query = TrailQuery { after: &place, limit: 2, since: None, fresh: false, passes: &|_| true };
        let piece = read(&disk, Path::new(DIRECTORY), &query).unwrap().remove(0);
        let numbers: Vec<u64> = piece.entries.iter().map(|(n, _)| *n).collect();
        assert_eq!(numbers, (after + 1..=9).take(2).collect::<Vec<_>>());
        assert_eq!((piece.through, piece.unfinished_at.is_some()), ((after + 2).min(9), after < 7));
    }
    let since = Some(time(1));
    let query = TrailQuery { after: &TrailPlace::new(), limit: 99, since, fresh: false, passes: &|_| true };
    let piece = read(&disk, Path::new(DIRECTORY), &query).unwrap().remove(0);
    assert_eq!(piece.entries.first().map(|(n, _)| *n), Some(5));
    let (path, lines) = &files[0];
    disk.put(path, lines.concat().replacen("r-1", "x-1", 1).as_bytes());
    let query =
        TrailQuery { after: &TrailPlace::new(), limit: 99, since: None, fresh: false, passes: &|_| true };
    let piece = read(&disk, Path::new(DIRECTORY), &query).unwrap().remove(0);
    let (n, damaged) = &piece.entries[1];
    assert_eq!((*n, damaged.kind), (2, AuditKind::Damaged));
    assert!(damaged.detail.as_deref().unwrap().ends_with("line 2: the checksum does not fit the line"));
    assert_eq!(piece.entries.len(), 9);
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
