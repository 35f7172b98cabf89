//! Tests of a chain whose files somebody, or a crash, has changed.

use crate::line::Line;
use crate::read::read;
use crate::testing::{DIRECTORY, checked, data_directory, entry, is_sound, requests, script, time, writer};
use onhand_app::ports::{AuditEntry, AuditKind, TrailPlace, TrailQuery};
use onhand_disk::Disk;
use onhand_sim_machine::disk::{Crash, SimDisk};
use std::path::{Path, PathBuf};

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
    let mut forged = Line::decode(line.as_bytes()).unwrap();
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
            let ways: [fn(&str) -> String; 2] = [|line| line.replace("r-", "x-"), forged];
            for (change, is_torn) in ways.into_iter().zip([is_last, false]) {
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
                // A reader gets the break as a row, and still everything else.
                let read = requests(&disk);
                assert!(read.len() >= 8, "{read:?}");
                // The next start hides nothing of it.
                let mut next = writer(&disk);
                next.add([entry(100, 2)]);
                next.write(time(2)).unwrap();
                next.sync().unwrap();
                let again = crate::testing::checked(&disk);
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

/// Every row that a reader gets, without those of damage and repair.
fn rows(disk: &SimDisk) -> Vec<u64> {
    let after = TrailPlace::new();
    let passes = |entry: &AuditEntry| !matches!(entry.kind, AuditKind::Damaged | AuditKind::Repaired);
    let query = TrailQuery { after: &after, limit: 99, since: None, fresh: false, passes: &passes };
    read(disk, Path::new(DIRECTORY), &query).unwrap().remove(0).entries.into_iter().map(|(n, _)| n).collect()
}

#[test]
fn a_line_that_was_put_in_is_named_and_hides_no_other() {
    let (disk, files) = filled();
    let every: Vec<u64> = (1..=9).collect();
    assert_eq!(rows(&disk), every);
    let decoded = |line: &String| Line::decode(line.as_bytes()).unwrap();
    let copies: Vec<(&String, Line)> =
        files.iter().flat_map(|(_, lines)| lines).map(|line| (line, decoded(line))).collect();
    for (at, (path, lines)) in files.iter().enumerate() {
        let follows = files.get(at + 1).map(|(_, lines)| decoded(&lines[0]));
        for number in 0..=lines.len() {
            for (text, copy) in &copies {
                let disk = disk.fork();
                let mut more = lines.clone();
                more.insert(number, (*text).clone());
                disk.put(path, more.concat().as_bytes());
                let context = format!("{text} as line {} of {}", number + 1, path.display());
                let (breaks, read) = (checked(&disk).breaks, rows(&disk));
                // Behind the end of a file that another one follows it looks as if it had been given up: it does not count.
                let is_over = number == lines.len()
                    && follows.as_ref().is_some_and(|next| next.n <= copy.n && copy.synced < next.n);
                assert_eq!(breaks.is_empty(), is_over, "{context}");
                assert!(every.iter().all(|n| read.contains(n)), "{read:?} {context}");
                writer(&disk).write(time(3)).unwrap();
                assert_eq!(checked(&disk).breaks, breaks, "{context}");
                assert_eq!(rows(&disk), read, "{context}");
            }
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
