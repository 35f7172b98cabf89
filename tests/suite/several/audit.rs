//! `verify` over several logs: sound ones pass, also while processes write, and faults are found.

use super::{NUMBERS, Several, adjust, batch, import, key, layout, reserve};
use onhand_disk::{Disk, OpenMode, read_all};
use onhand_domain::{Key, Sequence, State, Timestamp};
use onhand_file::audit::{DirectoryAudit, audit_directory};
use onhand_file::reading::archived::list_segments;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

fn audit(several: &Several) -> DirectoryAudit {
    audit_directory(&several.disk, &layout()).unwrap()
}

fn findings(several: &Several) -> Vec<String> {
    let findings = audit(several);
    findings.findings().map(|finding| format!("{}: {}", finding.path.display(), finding.what)).collect()
}

/// Levels, holds and an import pass from log to log.
fn traded(acts: u64, seed: u64) -> Several {
    let mut several = Several::new();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut row = 0;
    for number in 0..acts {
        let sku = ["A", "B", "C"][random.usize(..3)];
        let command = match random.u8(..10) {
            0 => reserve(sku, 1, &number.to_string(), Some(random.i64(1..20))),
            1 => batch(&["A", "B", "C"]),
            2 => {
                row += 1;
                import(row - 1, false)
            }
            3 => {
                several.clock.pass(random.i64(0..8_000));
                adjust(sku, -1)
            }
            _ => adjust(sku, random.i64(1..9)),
        };
        several.act(random.usize(..3), &command);
    }
    several
}

fn heads(several: &Several) -> BTreeMap<&Key, &State> {
    several.heads.iter().map(|(key, head)| (key, &head.state)).collect()
}

#[test]
fn sound_logs_pass_and_add_up_to_the_last_states() {
    for seed in 0..20 {
        let mut several = traded(80, seed);
        let living = audit(&several);
        assert!(living.logs.iter().all(|(_, audit)| audit.live.is_some()));
        assert_eq!(findings(&several), [""; 0], "seed {seed}");
        assert_eq!(living.states(), heads(&several), "seed {seed}");
        several.members.clear();
        let left = audit(&several);
        assert!(left.logs.iter().all(|(_, audit)| audit.live.is_none()));
        assert_eq!(findings(&several), [""; 0], "seed {seed}");
        assert_eq!(left.states(), heads(&several), "seed {seed}");
    }
}

/// Segments are added between two reads of the disk by the audit: of the mark, and of the segments.
#[test]
fn a_log_that_has_gone_on_by_segments_since_its_mark_was_read_holds() {
    let mut several = Several::new();
    let files = NUMBERS.map(|number| layout().member(number).mark());
    let mut marks = Vec::new();
    for number in 0..60 {
        several.act(number % 3, &adjust("A", 1)).unwrap();
        let mark = |path| read_all(&*several.disk.open(path, OpenMode::Read).unwrap()).unwrap();
        marks.push(files.each_ref().map(|path| mark(path)));
    }
    let segments = list_segments(&several.disk, &layout().member(1)).unwrap();
    assert!(segments.len() > 2, "{segments:?}");
    for moment in marks {
        for (path, bytes) in files.iter().zip(moment) {
            several.disk.put(path, &bytes);
        }
        assert_eq!(findings(&several), [""; 0]);
    }
}

#[test]
fn the_audit_finds_nothing_while_processes_write() {
    let mut several = Several::new();
    let (disk, over, audits) = (several.disk.clone(), AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        let auditor = scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                let audit = audit_directory(&disk, &layout()).unwrap();
                let findings: Vec<_> = audit.findings().collect();
                assert!(findings.is_empty(), "{findings:?}");
                audits.fetch_add(1, Ordering::SeqCst);
            }
        });
        let mut number = 0;
        while (audits.load(Ordering::SeqCst) < 40 || number <= 40) && !auditor.is_finished() {
            // A log that grows without end would make each audit longer than the one before it.
            if number / 10 <= audits.load(Ordering::SeqCst) as usize {
                several.act(number % 3, &adjust(["A", "B"][number % 2], 1)).unwrap();
                number += 1;
            } else {
                std::thread::yield_now();
            }
        }
        over.store(true, Ordering::SeqCst);
        auditor.join().unwrap();
        assert!(number > 40, "{number} changes beside 40 audits");
    });
}

/// Three logs that are sound, and then one act of a process with a wrong state.
fn astray(lie: impl FnOnce(&mut Several)) -> Vec<String> {
    let mut several = Several::new();
    for (member, delta) in [(0, 10), (1, 1), (2, 1), (0, 1)] {
        several.act(member, &adjust("A", delta)).unwrap();
    }
    assert_eq!(findings(&several), [""; 0]);
    lie(&mut several);
    findings(&several)
}

const WHERE: &str = "/data/nodes/2/log/00000000000000000001.jsonl: LONDON/A: ";

#[test]
fn a_version_that_happened_twice_is_found() {
    let found = astray(|several| {
        let before = several.heads.clone();
        several.act(0, &adjust("A", 5)).unwrap();
        several.heads = before;
        several.act(1, &adjust("A", 6)).unwrap();
    });
    assert_eq!(found, [format!("{WHERE}versions 5 to 5 happened twice, here and in /data/nodes/1")]);
}

#[test]
fn a_state_that_does_not_continue_the_previous_one_is_found() {
    let found = astray(|several| {
        let head = several.heads.get_mut(&key("A")).unwrap();
        let wrong = head.state.record(&key("A"));
        let wrong = serde_json::to_string(&wrong).unwrap().replace("\"onHand\":13", "\"onHand\":12");
        head.state = serde_json::from_str::<onhand_domain::StateRecord>(&wrong).unwrap().restore().unwrap().1;
        several.act(1, &adjust("A", 6)).unwrap();
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("{WHERE}it takes over")), "{found:?}");
    // The same numbers at another time are not the same state.
    let found = astray(|several| {
        let head = several.heads.get_mut(&key("A")).unwrap();
        head.state.set_updated_at(Timestamp::EPOCH);
        several.act(1, &adjust("A", 6)).unwrap();
    });
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_version_that_no_log_has_come_to_is_found() {
    let found = astray(|several| {
        let mut ahead = Several::new();
        for _ in 0..9 {
            ahead.act(0, &adjust("A", 1)).unwrap();
        }
        several.heads.get_mut(&key("A")).unwrap().state = ahead.heads[&key("A")].state.clone();
        several.act(1, &adjust("A", 6)).unwrap();
    });
    assert_eq!(found, [format!("{WHERE}it takes over version 9, which no log has come to")]);
}

#[test]
fn an_epoch_that_falls_is_found() {
    let found = astray(|several| {
        several.heads.get_mut(&key("A")).unwrap().epoch = 1;
        several.act(1, &adjust("A", 6)).unwrap();
    });
    assert_eq!(found, [format!("{WHERE}it is taken over at version 4 under epoch 2, after epoch 4")]);
}

#[test]
fn a_log_of_another_ledger_is_found() {
    let found = astray(|several| {
        let path = layout().member(3).node();
        let node = String::from_utf8(several.disk.file(&path).unwrap()).unwrap();
        let other = node.replace(&several.ledger.to_string(), "00000000-0000-0000-0000-00000000abcd");
        several.disk.put(&path, other.as_bytes());
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("/data/nodes/3/node.json: it is of ledger 00000000-0000"), "{found:?}");
}

fn end_at(several: &Several, number: u16, end: u64) {
    let json = format!("{{\"term\":2,\"end\":{end}}}");
    let line = format!("{:08x} {json}\n", crc32c::crc32c(json.as_bytes()));
    several.disk.put(layout().member(number).term(), line.as_bytes());
}

#[test]
fn a_log_that_was_ended_ends_there() {
    // The first log has events 1, 2 and 3; the last two in one entry.
    let found = astray(|several| end_at(several, 1, 3));
    assert_eq!(found, [""; 0], "it ends where it ends");
    let found = astray(|several| end_at(several, 1, 1));
    assert!(
        found.contains(
            &"/data/nodes/1/term: sequence 3 was made durable after another process ended the log".into()
        ),
        "{found:?}"
    );
}

#[test]
fn entries_behind_the_end_of_a_log_have_not_happened() {
    let mut several = Several::new();
    several.act(0, &adjust("A", 10)).unwrap();
    let before = several.heads.clone();
    let mark = several.disk.fork();
    several.act(0, &adjust("A", 1)).unwrap();
    // The process was paused before it wrote its mark; another one continued.
    let path = layout().member(1).mark();
    let opened = onhand_disk::Disk::open(&mark, &path, onhand_disk::OpenMode::Read);
    let old = onhand_disk::read_all(&*opened.unwrap()).unwrap();
    several.disk.put(&path, &old);
    end_at(&several, 1, 1);
    several.heads = before;
    several.act(1, &adjust("A", 2)).unwrap();
    several.members.clear();
    let audit = audit(&several);
    assert_eq!(findings(&several), [""; 0]);
    assert!(audit.logs[0].1.torn_bytes > 0, "the next start cuts it");
    assert_eq!(audit.logs[0].1.end, Sequence(1));
    assert_eq!(audit.states(), heads(&several));
    assert_eq!(audit.logs.len(), NUMBERS.len());
}
