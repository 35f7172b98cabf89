//! The golden files, damaged: the program's answer, row by row.

use super::{FORMAT, SETTINGS, golden};
use crate::node::World;
use onhand_file::recovery::OpenError;
use onhand_sim_machine::disk::SimDisk;
use std::path::{Path, PathBuf};

const FIRST: &str = "log/00000000000000000001.jsonl";
const LAST: &str = "log/00000000000000000018.jsonl";
const MARK: &str = "log/mark";
const SNAPSHOT: &str = "snapshots/node-17.json";
const END: u64 = 20;

enum Then {
    /// It opens with the log up to this sequence.
    Opens(u64),
    /// It is rejected with this message.
    Refuses(&'static str),
}

use Then::{Opens, Refuses};

/// Description, damage, result.
type Row = (&'static str, Box<dyn Fn(&SimDisk)>, Then);

fn at(file: &str) -> PathBuf {
    Path::new("/data").join(file)
}

fn remove(file: &'static str) -> Box<dyn Fn(&SimDisk)> {
    Box::new(move |disk| crate::damage::remove(disk, &at(file)))
}

fn edit(file: &'static str, change: impl Fn(String) -> String + 'static) -> Box<dyn Fn(&SimDisk)> {
    Box::new(move |disk| {
        let text = String::from_utf8(disk.file(at(file)).unwrap()).unwrap();
        let changed = change(text.clone());
        assert_ne!(changed, text);
        disk.put(at(file), changed.as_bytes());
    })
}

fn replace(file: &'static str, from: &'static str, to: &'static str) -> Box<dyn Fn(&SimDisk)> {
    edit(file, move |text| text.replacen(from, to, 1))
}

/// Changes the lines of a file.
fn lines(file: &'static str, change: impl Fn(&mut Vec<String>) + 'static) -> Box<dyn Fn(&SimDisk)> {
    edit(file, move |text| {
        let mut lines = text.lines().map(|line| format!("{line}\n")).collect();
        change(&mut lines);
        lines.concat()
    })
}

fn both(one: Box<dyn Fn(&SimDisk)>, other: Box<dyn Fn(&SimDisk)>) -> Box<dyn Fn(&SimDisk)> {
    Box::new(move |disk| {
        one(disk);
        other(disk);
    })
}

/// The damage without the mark and the snapshot, which prove that everything was durable.
fn unproven(damage: Box<dyn Fn(&SimDisk)>) -> Box<dyn Fn(&SimDisk)> {
    both(both(remove(MARK), remove(SNAPSHOT)), damage)
}

fn check(rows: Vec<Row>) {
    for (story, damage, then) in rows {
        let world = World { disk: golden(FORMAT), ..World::new(SETTINGS) };
        damage(&world.disk);
        let before = world.disk.file(at(LAST));
        match (world.try_open(), then) {
            (Ok(node), Opens(end)) => assert_eq!(node.ledger.log().durable().sequence().0, end, "{story}"),
            (Err(error @ (OpenError::Corrupt { .. } | OpenError::Damaged { .. })), Refuses(why)) => {
                assert!(error.to_string().contains(why), "{story}: {error}");
                assert_eq!(world.disk.file(at(LAST)), before, "{story}: nothing was changed");
            }
            (Ok(node), Refuses(_)) => panic!("{story}: opened, {:?}", node.report),
            (Err(error), _) => panic!("{story}: {error}"),
        }
    }
}

#[test]
fn tails() {
    let half = |text: String| text[..text.len() - 30].to_owned();
    let garbage = |text: String| text + "\0\0\0\0\n{\"crc\":\"00000000\",";
    check(vec![
        ("half a last line that the mark knows", edit(LAST, half), Refuses("mark or snapshot")),
        ("half a last line", unproven(edit(LAST, half)), Opens(END - 1)),
        (
            "a last line without its line feed",
            unproven(edit(LAST, |text| text.trim_end().to_owned())),
            Opens(END - 1),
        ),
        ("bytes of a write that was cut off", edit(LAST, garbage), Opens(END)),
        ("room that was given but never written", edit(LAST, |text| text + &"\0".repeat(900)), Opens(END)),
        (
            "a last line missing that the mark knows",
            lines(LAST, |lines| drop(lines.pop())),
            Refuses("was durable"),
        ),
        ("a last line missing", unproven(lines(LAST, |lines| drop(lines.pop()))), Opens(END - 1)),
        ("the last line again", unproven(lines(LAST, |lines| lines.push(lines[2].clone()))), Opens(END)),
    ]);
}

#[test]
fn segments() {
    let rename = |from: &'static str, to: &'static str| -> Box<dyn Fn(&SimDisk)> {
        Box::new(move |disk| {
            disk.put(at(to), &disk.file(at(from)).unwrap());
            crate::damage::remove(disk, &at(from));
        })
    };
    check(vec![
        (
            "a digit in the middle",
            unproven(replace(FIRST, "\"delta\":20", "\"delta\":21")),
            Refuses("checksum"),
        ),
        ("a line too few", unproven(lines(FIRST, |lines| drop(lines.remove(3)))), Refuses("bytes long")),
        ("two lines swapped", unproven(lines(FIRST, |lines| lines.swap(3, 4))), Refuses("checksum")),
        (
            "a line of the last segment too few",
            unproven(lines(LAST, |lines| drop(lines.remove(1)))),
            Refuses("batch 20"),
        ),
        (
            "line ends of another system",
            unproven(edit(LAST, |text| text.replace('\n', "\r\n"))),
            Refuses("header"),
        ),
        ("a byte order mark", unproven(edit(LAST, |text| format!("\u{feff}{text}"))), Refuses("header")),
        ("an empty segment", unproven(edit(LAST, |_| String::new())), Refuses("header is cut off")),
        ("the first segment missing", unproven(remove(FIRST)), Refuses("segment 2 where segment 1 belongs")),
        ("the last segment missing", remove(LAST), Refuses("was durable")),
        (
            "a segment under another name",
            unproven(rename(LAST, "log/00000000000000000019.jsonl")),
            Refuses("its name says 19"),
        ),
        (
            "a copy of a segment",
            unproven(Box::new(|disk| {
                disk.put(at("log/00000000000000000021.jsonl"), &disk.file(at(LAST)).unwrap());
            })),
            Refuses("its name says 21"),
        ),
        (
            "a later format",
            unproven(replace(LAST, "\"format\":2", "\"format\":3")),
            Refuses("format 3 is not known"),
        ),
    ]);
}

#[test]
fn other_files() {
    let other =
        |file| replace(file, "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-00000000000f");
    check(vec![
        (
            "a mark behind",
            edit(MARK, |text| text.replace(&format!("{END:020}"), &format!("{:020}", 3))),
            Opens(END),
        ),
        ("no mark", remove(MARK), Opens(END)),
        ("an empty mark", edit(MARK, |_| String::new()), Opens(END)),
        ("no snapshot", remove(SNAPSHOT), Opens(END)),
        ("a snapshot of another node", other(SNAPSHOT), Opens(END)),
        ("a snapshot with another number", replace(SNAPSHOT, "\"onHand\":17", "\"onHand\":18"), Opens(END)),
        ("half a snapshot", edit(SNAPSHOT, |text| text[..text.len() / 2].to_owned()), Opens(END)),
        ("a snapshot of a later format", replace(SNAPSHOT, "\"format\":2", "\"format\":3"), Opens(END)),
        ("another node", other("node.json"), Refuses("belongs to node")),
        ("no node.json", remove("node.json"), Refuses("there is a log")),
        ("an empty node.json", edit("node.json", |_| String::new()), Refuses("node.json")),
        (
            "a node.json of a later format",
            replace("node.json", "\"format\": 2", "\"format\": 3"),
            Refuses("reads 1"),
        ),
        ("a file nobody wrote", Box::new(|disk| disk.put(at("log/notes.txt"), b"hello")), Opens(END)),
        (
            "an unfinished file of a killed process",
            Box::new(|disk| disk.put(at("log/00000000000000000021.jsonl.tmp"), b"{\"crc\"")),
            Opens(END),
        ),
    ]);
}
