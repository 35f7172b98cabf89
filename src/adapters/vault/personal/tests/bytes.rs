//! The bytes of the file: as described, torn, damaged.

use super::slow_disk::SlowDisk;
use super::{Given, PATH, key_id, on, on_disk, open, opened, prepared, require_good, told};
use crate::personal::check;
use crate::personal::lines::{Id, line};
use crate::testing::DIRECTORY;
use onhand_app::ports::PersonalKeys;
use onhand_disk::Disk;
use onhand_sim_machine::disk::{Crash, SimDisk};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[test]
fn the_bytes_are_those_described() {
    let disk = SimDisk::new(1);
    let keys = opened(&disk);
    keys.seal("c-1", "order o-1", b"Ada L.").unwrap();
    disk.crash(Crash::ProcessKill);
    let keys_now = opened(&disk);
    keys_now.seal("c-2", "order o-1", b"Bob").unwrap();
    let shown = on_disk(&disk);
    let lines: Vec<&str> = shown.lines().collect();
    let masked: Vec<String> = lines.iter().map(|line| mask_hex(line)).collect();
    assert_eq!(
        masked,
        [
            r#"{"crc":"8","format":1,"file":"16"}"#,
            r#"{"crc":"8","file":"16","at":56,"keys":[{"subject":"c-1","keyId":"16","key":"64"}]}"#,
            r#"{"crc":"8","file":"16","at":236}"#,
            r#"{"crc":"8","file":"16","at":290,"keys":[{"subject":"c-2","keyId":"16","key":"64"}]}"#,
            r#"{"crc":"8","file":"16","at":471}"#,
        ]
    );
    let rest = &lines[1]["{\"crc\":\"00000000\",".len()..];
    assert!(lines[1].contains(&format!("{:08x}", crc32c::crc32c(rest.as_bytes()))));
}

/// Runs of at least eight hexadecimal digits as their number.
fn mask_hex(line: &str) -> String {
    let parts = line.split('"').map(|part| {
        let is_hex = part.len() >= 8 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        if is_hex { part.len().to_string() } else { part.to_owned() }
    });
    parts.collect::<Vec<_>>().join("\"")
}

/// The operating system may forget what it could not write back, also while a process is at it.
#[test]
fn a_mark_that_is_gone_takes_no_key_with_it() {
    let disk = SimDisk::new(1);
    let (keys, given) = prepared(&disk, false);
    let there = opened(&disk.of(2));
    let mut given = Given(given.0[..1].to_vec());
    given.all(&keys, &["c-3"]);
    let text = on_disk(&disk);
    let last = text.trim_end().rfind('\n').unwrap() + 1;
    disk.put(PATH, &text.as_bytes()[..last]);
    given.require(&there, "", "behind the last mark");
    given.all(&there, &["c-4", "c-3"]);
    assert_eq!(key_id(&given.0[1].1), key_id(&given.0[3].1), "a subject has one key");
    given.require(&opened(&disk), "", "written anew");
}

/// What stands behind the last mark is of somebody who was never told.
#[test]
fn a_torn_tail_is_cut_and_costs_nothing() {
    let disk = SimDisk::new(1);
    let (keys, mut given) = prepared(&disk, false);
    let good = on_disk(&disk).into_bytes();
    given.all(&keys, &["c-3"]);
    let longer = on_disk(&disk).into_bytes();
    for length in good.len()..longer.len() {
        for tail in
            [&longer[good.len()..length], &vec![0; length - good.len()], &vec![b'\n'; length - good.len()]]
        {
            let disk = disk.fork();
            disk.put(PATH, &[&good, tail].concat());
            let given = Given(given.0[..2].to_vec());
            require_good(&disk, &given, false, &format!("{} bytes of a tail", tail.len()));
        }
    }
}

#[test]
fn damage_is_told_with_its_line_and_never_cut() {
    let disk = SimDisk::new(1);
    let (keys, mut given) = prepared(&disk, false);
    given.all(&keys, &["c-3"]);
    // The last mark becomes durable.
    disk.crash(Crash::ProcessKill);
    disk.put(PATH, on_disk(&disk).as_bytes());
    let bytes = disk.file(PATH).unwrap();
    let last_mark = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for at in 0..bytes.len() {
        let disk = disk.fork();
        let byte = if bytes[at] == b'#' { b'+' } else { b'#' };
        disk.corrupt(PATH, at, byte).unwrap();
        let damaged = disk.file(PATH).unwrap();
        if at >= last_mark {
            given.require(&opened(&disk), "", "a damaged mark takes no key with it");
            continue;
        }
        let told = open(&disk).err().map(io::Error::from).unwrap();
        assert_eq!(told.kind(), io::ErrorKind::InvalidData, "byte {at}");
        let told = told.to_string();
        let line = bytes[..at].split(|byte| *byte == b'\n').count();
        assert!(told.contains("/data/identity/personal/keys is damaged: line "), "{told}");
        assert!(
            told.contains(&format!("line {line}: ")) && told.contains("Restore it from a copy"),
            "{told}"
        );
        let checked = check(Arc::new(disk.clone()), DIRECTORY.into());
        assert_eq!(told, self::told(checked));
        assert_eq!(disk.file(PATH).unwrap(), damaged, "it is left alone");
    }
}

#[test]
fn damage_that_comes_while_the_file_is_in_use_is_told() {
    let disk = SimDisk::new(1);
    let (here, there) = (opened(&disk.of(1)), opened(&disk.of(2)));
    let mut given = Given::default();
    given.all(&here, &["c-1"]);
    given.require(&there, "", "read so far");
    let read = on_disk(&disk).len();
    given.all(&here, &["c-2"]);
    disk.corrupt(PATH, read + 30, b'#').unwrap();
    let (_, text) = &given.0[1];
    for told in [
        told(there.open("c-2", "order o-1", text)),
        told(there.seal("c-3", "", b"")),
        told(there.erase("c-1")),
    ] {
        assert!(told.contains("line 4: its checksum does not fit its content"), "{told}");
    }
    disk.put(PATH, &disk.file(PATH).unwrap()[..read - 1]);
    assert!(told(there.seal("c-3", "", b"")).contains("it has become shorter"));
    disk.remove(PATH.as_ref()).unwrap();
    for told in [
        told(there.open("c-1", "order o-1", &given.0[0].1)),
        told(there.seal("c-1", "", b"")),
        told(there.erase("c-1")),
    ] {
        assert!(told.contains("it was removed while it was in use"), "{told}");
    }
}

#[test]
fn a_file_of_a_later_version_is_left_alone() {
    let disk = SimDisk::new(1);
    drop(prepared(&disk, false));
    let newer = br#""format":2,"keys":"elsewhere"}"#;
    let line = [format!("{{\"crc\":\"{:08x}\",", crc32c::crc32c(newer)).as_bytes(), newer, b"\n"].concat();
    disk.put(PATH, &line);
    let told = open(&disk).err().map(|error| error.to_string()).unwrap();
    assert!(told.contains("has format 2") && told.contains("reads format 1"), "{told}");
    assert_eq!(disk.file(PATH).unwrap(), line);
}

#[test]
fn a_line_of_another_file_or_place_is_none() {
    let disk = SimDisk::new(1);
    let (keys, _) = prepared(&disk, false);
    let text = on_disk(&disk);
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    // A line of this file once more, as a sector of another place has it, and a mark behind it.
    let file = keys.known.read().file().unwrap();
    let at = (text.len() + lines[1].len()) as u64;
    let mark = String::from_utf8(line(file, at, Vec::new())).unwrap();
    disk.put(PATH, [text.as_str(), lines[1], &mark].concat().as_bytes());
    let told = open(&disk).err().map(|error| error.to_string()).unwrap();
    assert!(told.contains("line 6: it begins at byte") && told.contains("was written for byte 56"), "{told}");
    let mark = String::from_utf8(line(Id::new([7; 8]), text.len() as u64, Vec::new())).unwrap();
    disk.put(PATH, [text.as_str(), &mark].concat().as_bytes());
    assert!(opened(&disk).known.read().len() == 2, "it is cut");
    assert!(!on_disk(&disk).contains("0707"));
}

/// One that reads without the lock sees what another process is about to cut off and write again.
#[test]
fn what_looks_like_damage_is_read_again_under_the_lock() {
    let sim = SimDisk::new(1);
    let disk = SlowDisk::new(sim.clone(), Duration::ZERO);
    let (here, there) = (opened(&sim), on(disk.clone(), DIRECTORY.as_ref()));
    let mut given = Given::default();
    given.all(&here, &["c-1"]);
    given.require(&there, "", "read so far");
    given.all(&here, &["c-2"]);
    disk.spoils.store(true, Ordering::SeqCst);
    given.require(&there, "", "the second look is right");
    assert!(!disk.spoils.load(Ordering::SeqCst));
}

#[test]
fn many_keys_go_through_a_file_that_is_written_anew() {
    let disk = SimDisk::new(1);
    let keys = opened(&disk);
    let mut given = Given::default();
    keys.make((0..10_000).map(|n| format!("c-{n}").into()).collect()).unwrap();
    (0..10_000).step_by(97).for_each(|n| given.all(&keys, &[&format!("c-{n}")]));
    assert!(keys.erase("c-5").unwrap());
    for keys in [&keys, &opened(&disk)] {
        given.require(keys, "", "written anew");
        assert_eq!(keys.known.read().len(), 9_999);
    }
    assert!(on_disk(&disk).len() > 1 << 20);
}
