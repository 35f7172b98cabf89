//! The commands on a data directory that several processes share, as processes.

use super::{NUMBERS, Several, adjust, reserve};
use crate::cli::told;
use onhand_disk::layout::Layout;
use onhand_disk::{Disk, OpenMode, read_all};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// The data directory of three processes that have ended, on the real disk.
fn directory() -> (Several, TempDir) {
    let mut several = Several::new();
    for number in 0..40 {
        let sku = ["A", "B"][number % 2];
        several.act((number / 2) % 3, &adjust(sku, 2)).unwrap();
    }
    several.act(0, &reserve("A", 3, "r", None)).unwrap();
    several.members.clear();
    let directory = TempDir::new().unwrap();
    export(&several, directory.path());
    (several, directory)
}

fn export(several: &Several, directory: &Path) {
    for member in NUMBERS.map(|number| Layout::new(directory).member(number)) {
        fs::create_dir_all(member.snapshots()).unwrap();
        fs::create_dir_all(member.archive()).unwrap();
    }
    for path in several.disk.files() {
        let file = several.disk.open(&path, OpenMode::Read).unwrap();
        let place = directory.join(path.strip_prefix("/data").unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, read_all(&*file).unwrap()).unwrap();
    }
}

fn onhand(directory: &TempDir, arguments: &[&str]) -> String {
    let data = directory.path().display().to_string();
    let told = told(Path::new(env!("CARGO_MANIFEST_DIR")), &[arguments, &["--data-dir", &data]].concat());
    told.replace(&data, "DATA")
}

#[test]
fn the_worker_by_itself_follows_all_of_them() {
    let (_several, directory) = directory();
    let told = onhand(&directory, &["sync-worker", "--once", "--log-level", "error"]);
    assert!(told.starts_with("exit code 0"), "{told}");
    for number in 1..=3 {
        assert!(told.contains(&format!("DATA/nodes/{number}")), "{told}");
    }
    let central = fs::read_dir(directory.path().join("central")).unwrap();
    let newest =
        central.map(|file| file.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "json"));
    let text = fs::read_to_string(newest.unwrap()).unwrap();
    assert!(text.contains("\"A\":{\"qty\":37,\"onHand\":40,\"reserved\":3,\"version\":21,"), "{text}");
    assert!(text.contains("\"B\":{\"qty\":40,\"onHand\":40,\"reserved\":0,\"version\":20,"), "{text}");
    // As a source of another directory too.
    let other = TempDir::new().unwrap();
    fs::create_dir(other.path().join("log")).unwrap();
    let data = directory.path().display().to_string();
    let told = onhand(&other, &["sync-worker", "--once", "--log-level", "error", "--source", &data]);
    assert!(told.contains("/nodes/3"), "{told}");
    let rebuilt = onhand(&directory, &["rebuild", "--central"]);
    assert!(rebuilt.contains("0 levels were wrong in the old central model"), "{rebuilt}");
}

#[test]
fn verify_and_rebuild_check_every_log_and_compare_them() {
    let (several, directory) = directory();
    let told = onhand(&directory, &["verify"]);
    assert!(told.contains("sound:"), "{told}");
    for number in 1..=3 {
        assert!(told.contains(&format!("log        DATA/nodes/{number}")), "{told}");
    }
    let output = directory.path().join("levels.jsonl");
    let told = onhand(&directory, &["rebuild", "--write-snapshot", "--output", output.to_str().unwrap()]);
    assert!(told.contains("DATA/nodes/2/snapshots/node-"), "{told}");
    let states: Vec<String> = several
        .heads
        .iter()
        .map(|(key, head)| serde_json::to_string(&head.state.record(key)).unwrap())
        .collect();
    assert_eq!(fs::read_to_string(output).unwrap().lines().collect::<Vec<_>>(), states);
    assert!(onhand(&directory, &["repair", "--accept-loss"]).contains("nothing to repair"));
    // The second log loses its last segment's bytes from somewhere on.
    let log = directory.path().join("nodes/2/log");
    let mut segments: Vec<_> = fs::read_dir(&log).unwrap().map(|file| file.unwrap().path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    segments.sort();
    let last = segments.last().unwrap();
    let bytes = fs::read(last).unwrap();
    fs::write(last, &bytes[..bytes.len() - 30]).unwrap();
    let told = onhand(&directory, &["verify"]);
    assert!(told.contains("WRONG  DATA/nodes/2/log/"), "{told}");
    assert!(
        !told.contains("no log has come to"),
        "nothing is said between logs of which one is damaged: {told}"
    );
    let told = onhand(&directory, &["repair", "--accept-loss"]);
    assert!(told.contains("log        DATA/nodes/2\nkept "), "{told}");
    let told = onhand(&directory, &["verify"]);
    assert!(told.contains("sound:"), "what others took over of what was given up is no finding: {told}");
}
