//! The same checks over the logs of several processes: an event that happens once happens once in all of them.

use super::forged::{Line, entries, forge};
use super::{YEAR_MS, later};
use crate::several::{NUMBERS, Several, adjust, layout};
use onhand_file::audit::audit_directory;
use onhand_sim_machine::disk::SimDisk;
use serde_json::{Value, json};
use std::path::PathBuf;
use uuid::Uuid;

/// Every process moves a level in turn, one second apart.
fn traded() -> SimDisk {
    let mut several = Several::new();
    for number in 0..12 {
        several.clock.pass(1_000);
        several.act(number % 3, &adjust(["A", "B"][number % 2], 1)).unwrap();
    }
    let disk = several.disk.clone();
    several.members.clear();
    disk
}

fn root(member: usize) -> PathBuf {
    layout().member(NUMBERS[member]).root().to_path_buf()
}

fn found(disk: &SimDisk) -> Vec<String> {
    let audit = audit_directory(disk, &layout()).unwrap();
    let place = |finding: &onhand_file::audit::Finding| {
        let sequence = finding.sequence.map_or(0, |sequence| sequence.0);
        format!("{} {sequence}: {}", finding.path.display(), finding.what)
    };
    audit.findings().map(place).collect()
}

fn known_by(fingerprint: &str) -> Value {
    json!({"key": "k", "scope": "adjust LONDON/A", "fingerprint": fingerprint})
}

#[test]
fn a_key_with_effects_in_two_logs_is_named() {
    let disk = traded();
    assert_eq!(found(&disk), [""; 0]);
    let set = |disk: &SimDisk, member: usize, entry: usize, fingerprint: &str| {
        forge(disk, &root(member), |lines| lines[entry].json["idem"] = known_by(fingerprint));
    };
    set(&disk, 0, 0, "0123456789abcdef");
    assert_eq!(found(&disk), [""; 0]);
    // On other states: a process that does not have those states may treat the key as new.
    let other = disk.fork();
    set(&other, 1, 2, "fedcba9876543210");
    assert_eq!(found(&other), [""; 0]);
    set(&other, 0, 3, "0123456789abcdef");
    assert_eq!(found(&other).len(), 1, "in its own log it is known: {:?}", found(&other));
    set(&disk, 1, 2, "0123456789abcdef");
    let findings = found(&disk);
    assert_eq!(findings.len(), 1, "{findings:?}");
    let wrong = entries(&disk, &root(1))[2].sequence();
    let place = format!("/data/nodes/2/log/00000000000000000001.jsonl {wrong}: ");
    assert!(findings[0].starts_with(&place), "{findings:?}");
    assert!(findings[0].contains("\"k\"") && findings[0].contains("/data/nodes/1"), "{findings:?}");
}

#[test]
fn an_event_id_in_two_logs_is_named() {
    let disk = traded();
    let id = entries(&disk, &root(0))[1].json["events"][0]["eventId"].clone();
    forge(&disk, &root(2), |lines| lines[3].json["events"][0]["eventId"] = id);
    let findings = found(&disk);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains("event id") && findings[0].contains("/data/nodes/1"), "{findings:?}");
}

/// Moves the last entries of every log a few years into the future.
fn years_later(disk: &SimDisk) {
    for member in 0..3 {
        forge(disk, &root(member), |lines| {
            let from = lines.len() - 1;
            for line in &mut lines[from..] {
                line.json["ts"] = later(&line.json["ts"], 3 * YEAR_MS);
            }
        });
    }
}

#[test]
fn a_sign_in_one_log_is_one_for_all() {
    let disk = traded();
    years_later(&disk);
    let findings = found(&disk);
    // Times inside TAKEs do not matter here.
    let wrong = |findings: &[String]| findings.iter().filter(|finding| finding.contains("CLOCK")).count();
    assert_eq!(wrong(&findings), 1, "the first one behind the gap: {findings:?}");
    forge(&disk, &root(1), |lines| {
        let (place, last) = (lines.len() - 2, lines.len() - 1);
        let (from, to) = (lines[place].json["ts"].clone(), lines[last].json["ts"].clone());
        let sign = |line: &mut Line| {
            line.json["events"] = json!([{
                "eventId": Uuid::from_u128(0x7777_0000),
                "type": "CLOCK",
                "payload": {"from": from, "to": to},
                "after": {"time": to, "version": 1},
            }]);
        };
        let mut line = Line { path: lines[place].path.clone(), offset: 0, json: lines[place].json.clone() };
        sign(&mut line);
        let sequence = line.sequence() + lines[place].events().len() as u64;
        line.json["seq"] = json!(sequence);
        line.json["batch"] = json!(sequence);
        for number in ["seq", "batch"] {
            lines[last].json[number] = json!(lines[last].json[number].as_u64().unwrap() + 1);
        }
        lines.insert(last, line);
    });
    assert_eq!(wrong(&found(&disk)), 0, "{:?}", found(&disk));
}
