//! A file of the audit trail that is not what was written.

use onhand_app::ports::{AuditEntry, AuditKind, AuditTrail, TrailPlace, TrailQuery};
use onhand_audit::check::check;
use onhand_audit::line::Line;
use onhand_audit::{FILE_BYTES, FileTrail, TrailOptions};
use onhand_domain::Timestamp;
use onhand_sim_machine::disk::SimDisk;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const DIRECTORY: &str = "/data/audit";

/// Bytes that begin with an odd number are a file as it is; of others each line gets its checksum first.
pub(super) fn trail(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let mut file = rest.to_vec();
    if first % 2 == 0 {
        file.clear();
        for line in rest.split(|byte| *byte == b'\n') {
            file.extend_from_slice(format!("{{\"crc\":\"{:08x}\",", crc32c::crc32c(line)).as_bytes());
            file.extend_from_slice(line);
            file.push(b'\n');
        }
    }
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        if let Ok(line) = Line::decode(line) {
            assert_eq!(Line::decode(&line.encode()), Ok(line), "what is written is read back");
        }
    }
    let disk = SimDisk::new(1);
    disk.put("/data/audit/2026-11-30-0-000000000001.jsonl", &file);
    let before = check(&disk, Path::new(DIRECTORY)).expect("the disk is well");
    let options =
        TrailOptions { directory: DIRECTORY.into(), chain: 0, keep_days: 3_650, file_bytes: FILE_BYTES };
    let now = Timestamp::from_milliseconds(1_796_030_000_000);
    let trail = FileTrail::start(Arc::new(disk.clone()), options, Arc::new(move || now)).expect("a thread");
    let noted = AuditEntry { status: Some(401), ..AuditEntry::new(now, AuditKind::Login) };
    trail.note(noted);
    let passes = |entry: &AuditEntry| (entry.kind, entry.status) == (AuditKind::Login, Some(401));
    let query =
        TrailQuery { after: &TrailPlace::new(), limit: 10, since: None, fresh: true, passes: &passes };
    let pieces = trail.read(&query).expect("the disk is well");
    assert!(pieces.iter().any(|piece| !piece.entries.is_empty()), "what was noted is read");
    assert!(trail.close(Duration::from_secs(60)), "the thread ends");
    let after = check(&disk, Path::new(DIRECTORY)).expect("the disk is well");
    // A file of which no entry counts is put aside, whole.
    let is_aside = disk.files().iter().any(|path| disk.file(path).unwrap_or_default() == file);
    let is_kept = before.breaks.iter().all(|found| after.breaks.contains(found));
    let hides_nothing = is_kept || (before.entries == 0 && is_aside);
    assert!(hides_nothing, "a start hides no damage: {before:?} {after:?}");
}
