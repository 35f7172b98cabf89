//! Logs that are sound line by line but describe impossible events: entries are edited, and the chain is made valid again.

use onhand_disk::Disk;
use onhand_sim_machine::disk::SimDisk;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// An entry, its segment, and its position there.
pub(super) struct Line {
    pub(super) path: PathBuf,
    pub(super) offset: u64,
    pub(super) json: Value,
}

impl Line {
    pub(super) fn sequence(&self) -> u64 {
        self.json["seq"].as_u64().unwrap()
    }

    pub(super) fn events(&self) -> &Vec<Value> {
        self.json["events"].as_array().unwrap()
    }
}

/// The segments under a directory, oldest first.
pub(super) fn segments(disk: &SimDisk, root: &Path) -> Vec<PathBuf> {
    let log = root.join("log");
    let names = disk.list(&log).unwrap().into_iter();
    let paths = names.map(|name| log.join(name));
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")).collect()
}

/// Every line of a segment without its checksum, the header first.
fn read(disk: &SimDisk, path: &Path) -> Vec<Value> {
    let text = String::from_utf8(disk.file(path).unwrap()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The entries of a log.
pub(super) fn entries(disk: &SimDisk, root: &Path) -> Vec<Line> {
    let mut all = Vec::new();
    for path in segments(disk, root) {
        let text = String::from_utf8(disk.file(&path).unwrap()).unwrap();
        let mut offset = 0;
        for line in text.split_inclusive('\n') {
            let json: Value = serde_json::from_str(line).unwrap();
            if json.get("seq").is_some() {
                all.push(Line { path: path.clone(), offset, json });
            }
            offset += line.len() as u64;
        }
    }
    all
}

/// Edits the entries of a log, all at once, and makes it valid again: checksums, the chain, the headers. Files derived
/// from the log are removed.
pub(super) fn forge(disk: &SimDisk, root: &Path, edit: impl FnOnce(&mut Vec<Line>)) {
    let paths = segments(disk, root);
    let mut lines = entries(disk, root);
    edit(&mut lines);
    let mut previous: Option<(usize, u32)> = None;
    for path in paths {
        let mut bytes = Vec::new();
        let mut header = read(disk, &path).remove(0);
        let before = previous.map_or(0, |(_, crc)| crc);
        header["previous"] = previous.map_or(
            Value::Null,
            |(length, crc)| serde_json::json!({"length": length, "crc": format!("{crc:08x}")}),
        );
        let mut crc = put(&mut bytes, header, before);
        for line in lines.iter().filter(|line| line.path == path) {
            crc = put(&mut bytes, line.json.clone(), crc);
        }
        previous = Some((bytes.len(), crc));
        disk.put(&path, &bytes);
        if disk.file(path.with_extension("idx")).is_some() {
            crate::damage::remove(disk, &path.with_extension("idx"));
        }
    }
    for name in disk.list(&root.join("snapshots")).unwrap_or_default() {
        crate::damage::remove(disk, &root.join("snapshots").join(name));
    }
}

/// Writes a line with its checksum, which is chained to the one before.
fn put(bytes: &mut Vec<u8>, mut json: Value, before: u32) -> u32 {
    json.as_object_mut().unwrap().remove("crc");
    let rest = serde_json::to_string(&json).unwrap();
    let chained = format!("{before:08x}{}", &rest[1..]);
    let crc = crc32c::crc32c(chained.as_bytes());
    bytes.extend_from_slice(format!("{{\"crc\":\"{crc:08x}\",{}\n", &rest[1..]).as_bytes());
    crc
}
