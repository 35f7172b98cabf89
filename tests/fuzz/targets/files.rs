//! Files of a data directory that are not what was written.

use super::shop;
use onhand_app::central::CentralModel;
use onhand_app::ledger::fold::Fold;
use onhand_app::ports::{CentralStore, DeadLetterStore, EventQuery, Moment, MovementQuery};
use onhand_domain::{Event, Key, Sequence, Sku, StoreId, Timestamp, Topics};
use onhand_file::audit::audit;
use onhand_file::format::identity::read_node;
use onhand_file::format::segment::{Header, Scan};
use onhand_file::reading::archived::list_segments;
use onhand_file::recovery::{OpenError, OpenNode};
use onhand_file::stores::central;
use onhand_file::stores::central::FileCentral;
use onhand_file::stores::dead_letters::{FileDeadLetters, look_at_letters};
use onhand_file::upkeep::snapshot::list_snapshots;
use onhand_sim::log_rules as rules;
use onhand_sim_machine::disk::{Crash, SimDisk};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

/// Bytes that begin with an odd number are taken as they are, others get their checksums first.
fn raw(bytes: &[u8]) -> Option<(bool, &[u8])> {
    bytes.split_first().map(|(first, rest)| (first % 2 == 1, rest))
}

fn hex(checksum: u32) -> Vec<u8> {
    format!("{checksum:08x}").into_bytes()
}

/// `{"crc":"........",` in front of a line, chained to the line before; answers the checksum.
fn seal(out: &mut Vec<u8>, previous: u32, rest: &[u8]) -> u32 {
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&hex(previous)), rest);
    out.extend_from_slice(b"{\"crc\":\"");
    out.extend(hex(checksum));
    out.extend_from_slice(b"\",");
    out.extend_from_slice(rest);
    out.push(b'\n');
    checksum
}

/// The lines of a segment behind their checksums, which are put right.
pub(super) fn lines(bytes: &[u8]) {
    let (mut segment, mut checksum) = Header::new(Uuid::nil(), 1, Sequence(1), None).encode();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(event) = Event::decode(&String::from_utf8_lossy(line)) {
            let json = serde_json::to_string(&event).expect("an event is written");
            assert_eq!(Event::decode(&json).as_ref(), Ok(&event), "what is written is read back");
            let _ = event.fact.before(event.after);
        }
        checksum = seal(&mut segment, checksum, line);
    }
    let (_, mut scan) = Scan::begin(&segment, Timestamp::EPOCH).expect("the header is right");
    let mut fold = Fold::default();
    while let Ok(Some(line)) = scan.next_line() {
        if fold.add(&line.entry).is_err() {
            break;
        }
    }
    let _ = scan.later_batch();
    start_with(&shop::layout().segment(Sequence(1)), &segment, &with_node());
}

/// An empty directory of the nil node.
fn with_node() -> SimDisk {
    let disk = SimDisk::new(1);
    let node =
        r#"{"node":"00000000-0000-0000-0000-000000000000","format":1,"created":"2026-11-20T16:00:00.000Z"}"#;
    disk.put(shop::layout().node(), node.as_bytes());
    read_node(&disk, &shop::layout()).expect("it is one").expect("it is there");
    disk
}

/// A file is put in place and the directory started: refused without a change, or sound from then on.
fn start_with(path: &Path, bytes: &[u8], disk: &SimDisk) -> Option<OpenNode> {
    disk.put(path, bytes);
    let node = match shop::start(disk) {
        Ok(node) => node,
        Err(error) => {
            if matches!(error, OpenError::Corrupt { .. }) {
                assert_eq!(
                    disk.file(path).as_deref(),
                    Some(bytes),
                    "a start that is refused changes nothing"
                );
            }
            return None;
        }
    };
    let end = node.end;
    look_around(&node);
    drop(node);
    disk.crash(Crash::PowerCut { seed: 2 });
    let again = shop::start(disk).expect("what was started once is started again");
    assert_eq!(again.end, end, "and ends where it did");
    Some(again)
}

/// Reads whatever can be read of a node.
fn look_around(node: &OpenNode) {
    let history = node.log.history();
    for (store, sku) in [("LONDON", "TEA"), ("LONDON", "RICE"), ("ROME", "A 1")] {
        let key = Key::Level(StoreId::new(store).expect("an id"), Sku::new(sku).expect("an id"));
        let all = MovementQuery { after: Sequence::START, limit: 100, kind: None, since: None, until: None };
        let _ = history.movements(&key, &all);
        let since = MovementQuery { since: Some(Timestamp::EPOCH), until: Some(Timestamp::EPOCH), ..all };
        let _ = history.movements(&key, &since);
        for moment in [Moment::Sequence(Sequence(3)), Moment::Time(Timestamp::EPOCH)] {
            let _ = history.last_before(&key, moment);
        }
    }
    let _ = history.sequence_at(Timestamp::EPOCH);
    let all = EventQuery { after: Sequence::START, upto: node.end, limit: 100, wanted: Topics::NONE };
    let _ = history.events(&all);
    let _ = history.events(&EventQuery { after: Sequence(5), upto: Sequence(9), limit: 2, ..all });
    let _ = history.events(&EventQuery { wanted: Topics::MOVEMENTS, ..all });
}

/// A whole segment, the only one of its directory or the last of three.
pub(super) fn segment(bytes: &[u8]) {
    let Some((alone, bytes)) = raw(bytes) else { return };
    let (disk, first) = if alone {
        (with_node(), Sequence(1))
    } else {
        let disk = shop::disk();
        let firsts = list_segments(&disk, &shop::layout()).expect("there are some");
        (disk, firsts.last().copied().expect("there are some"))
    };
    let path = shop::layout().segment(first);
    if start_with(&path, bytes, &disk).is_some() {
        let audit = audit(&disk, &shop::layout()).expect("the disk is well");
        assert!(audit.findings.is_empty(), "a start has left {:?}", audit.findings);
        rules::check(&rules::entries(&disk));
    } else {
        // It may be damaged as it likes.
        let _ = audit(&disk, &shop::layout());
    }
}

/// The index of a sealed segment.
pub(super) fn index(bytes: &[u8]) {
    let Some((as_it_is, bytes)) = raw(bytes) else { return };
    let (disk, mut file) = (shop::disk(), bytes.to_vec());
    if !as_it_is {
        file.extend_from_slice(&crc32c::crc32c(bytes).to_le_bytes());
    }
    start_with(&shop::layout().index(Sequence(1)), &file, &disk).expect("an index never stops a start");
    let _ = audit(&disk, &shop::layout());
}

/// The newest snapshot.
pub(super) fn snapshot(bytes: &[u8]) {
    let Some((as_it_is, bytes)) = raw(bytes) else { return };
    let disk = shop::disk();
    let newest = list_snapshots(&disk, &shop::layout()).expect("there are some").first().copied();
    let newest = newest.expect("there are some");
    let mut file = bytes.to_vec();
    if !as_it_is {
        // The last line is the footer up to its checksum.
        let content = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
        let checksum = crc32c::crc32c(file.get(..content).unwrap_or_default());
        file.extend_from_slice(b",\"crc\":\"");
        file.extend(hex(checksum));
        file.extend_from_slice(b"\"}\n");
    }
    disk.put(shop::layout().snapshot(newest), &file);
    // With a checksum that fits, what it says counts: the log may not fit it.
    if let Ok(node) = shop::start(&disk) {
        look_around(&node);
    }
    let _ = audit(&disk, &shop::layout());
}

/// A saved central model.
pub(super) fn central(bytes: &[u8]) {
    let Some((as_it_is, bytes)) = raw(bytes) else { return };
    let mut file = bytes.to_vec();
    if !as_it_is {
        file = b"{\"crc\":\"".to_vec();
        file.extend(hex(crc32c::crc32c(bytes)));
        file.extend_from_slice(b"\",\"central\":");
        file.extend_from_slice(bytes);
        file.extend_from_slice(b"}\n");
    }
    let (disk, layout) = (SimDisk::new(1), shop::layout());
    disk.put(layout.central_file(Sequence(7)), &file);
    let seen = central::look(&disk, &layout).expect("the disk is well");
    let store = FileCentral::open(Arc::new(disk.clone()), layout).expect("the disk is well");
    let loaded = store.load().expect("the disk is well");
    assert_eq!(seen, loaded, "both ways to read it agree");
    if let Some(central) = loaded {
        let model = CentralModel::new(central.clone());
        store.save(&model.copy()).expect("what is read can be written");
        assert_eq!(store.load().expect("the disk is well"), Some(central));
    }
}

/// The file of dead letters.
pub(super) fn letters(bytes: &[u8]) {
    let Some((as_it_is, bytes)) = raw(bytes) else { return };
    let mut file = bytes.to_vec();
    if !as_it_is {
        file.clear();
        for line in bytes.split(|byte| *byte == b'\n') {
            seal(&mut file, 0, line);
        }
    }
    let (disk, layout) = (SimDisk::new(1), shop::layout());
    let path = layout.dead_letters().join("dead-letters.jsonl");
    disk.put(&path, &file);
    let seen = look_at_letters(&disk, &layout);
    let store = FileDeadLetters::open(Arc::new(disk.clone()), layout.clone()).expect("the disk is well");
    let Ok(loaded) = store.load() else {
        assert_eq!(disk.file(&path), Some(file), "damage is left as it is");
        return;
    };
    let json = |letters| serde_json::to_string(letters).expect("a letter is written");
    assert_eq!(json(&seen.expect("it could be loaded")), json(&loaded), "both ways to read it agree");
    if let Some(letter) = loaded.first() {
        store.append(letter).expect("the disk is well");
    }
    assert_eq!(look_at_letters(&disk, &layout).expect("it was loaded").len(), loaded.len());
}
