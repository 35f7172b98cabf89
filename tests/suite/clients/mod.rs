//! The commands that call a node, against a fake one that misbehaves on demand.

mod fake;

use crate::cli::told;
use fake::{Fake, Shared, serve};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

const NODE: &str = "01a1fa0d-1f90-7478-9417-58c82ae9a2ac";

fn event(sequence: u64) -> Value {
    let sku = if sequence.is_multiple_of(3) { "TEA" } else { "MUG" };
    json!({
        "sequence": sequence, "node": NODE, "eventId": "e", "ts": "2026-11-20T17:42:07.216Z", "type": "ADJUST",
        "payload": {"storeId": "BERLIN", "sku": sku, "delta": 1, "reason": "line\nfeed"},
        "before": {"qty": sequence - 1, "onHand": sequence - 1, "reserved": 0, "version": sequence - 1},
        "after": {"qty": sequence, "onHand": sequence, "reserved": 0, "version": sequence},
        "actor": "anonymous", "requestId": "r"
    })
}

fn node(events: impl Iterator<Item = u64>) -> Fake {
    Fake { node: NODE.to_owned(), events: events.map(event).collect(), ..Fake::default() }
}

/// Runs a command against the node; returns the exit code and the output.
fn run(fake: Fake, arguments: &[&str]) -> (Shared, String) {
    let fake = Arc::new(Mutex::new(fake));
    let url = serve(&fake);
    let directory = TempDir::new().unwrap();
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--server", &url]).collect();
    let text = told(directory.path(), &arguments).replace(&url, "URL");
    (fake, text)
}

fn sequences(text: &str) -> Vec<u64> {
    let events = text.lines().filter(|line| line.starts_with('{'));
    events.map(|line| serde_json::from_str::<Value>(line).unwrap()["sequence"].as_u64().unwrap()).collect()
}

#[test]
fn tail_shows_each_change_once_however_often_the_connection_breaks() {
    let mut random = fastrand::Rng::with_seed(11);
    let breaks: Vec<usize> = (0..12).map(|_| random.usize(0..8_000)).collect();
    let losses = breaks.len();
    let fake = Fake { breaks, ..node(1..=300) };
    let (fake, text) = run(fake, &["tail", "--after", "0", "--json", "--count", "300"]);
    assert!(text.starts_with("exit code 0"), "{text}");
    assert_eq!(sequences(&text), (1..=300).collect::<Vec<_>>());
    assert_eq!(fake.lock().unwrap().asked.len(), losses + 1, "{text}");
}

#[test]
fn tail_begins_at_the_given_sequence_and_filters_at_the_node() {
    let table: [(&[&str], Vec<u64>, &str); 4] = [
        (&["--count", "10"], (291..=300).collect(), "290 {}"),
        (&["-n", "2", "--count", "2"], vec![299, 300], "298 {}"),
        (&["--after", "297", "--count", "3"], vec![298, 299, 300], "297 {}"),
        (
            &["--after", "290", "--sku", "TEA", "--store", "BERLIN", "--type", "ADJUST", "--count", "4"],
            vec![291, 294, 297, 300],
            r#"290 {"sku": "TEA", "storeId": "BERLIN", "type": "ADJUST"}"#,
        ),
    ];
    for (more, expected, asked) in table {
        let arguments: Vec<&str> = ["tail", "--json"].iter().chain(more).copied().collect();
        let (fake, text) = run(node(1..=300), &arguments);
        assert_eq!(sequences(&text), expected, "{more:?}: {text}");
        assert_eq!(fake.lock().unwrap().asked, [asked]);
    }
    let (_, text) = run(node(1..=3), &["tail", "--count", "2", "-n", "2"]);
    insta::assert_snapshot!("tail", text);
}

#[test]
fn tail_reports_a_feed_that_does_not_continue() {
    let gap = node((1..=9).filter(|sequence| *sequence != 5));
    let repeat = node([1, 2, 2, 3].into_iter());
    let other = Fake { breaks: vec![900], then: Some("another".to_owned()), ..node(1..=9) };
    for (fake, shown, reason) in [
        (gap, 4, "sequence 6 follows 4"),
        (repeat, 2, "sequence 2 follows 2"),
        // Events still in a buffer when the connection breaks are not seen.
        (other, 0, "node another now"),
    ] {
        let (_, text) = run(fake, &["tail", "--after", "0", "--json"]);
        assert!(text.starts_with("exit code 65") && text.contains(reason), "{text}");
        assert_eq!(sequences(&text), (1..=shown).collect::<Vec<_>>(), "{text}");
    }
}

#[test]
fn sync_reports_a_pass_and_its_exit_code() {
    let source = |name: &str, state: Value| {
        json!({"name": name, "node": NODE, "sequence": 1041, "end": 1050, "state": state, "duplicates": 0, "taken": 0, "superseded": 0,
               "parkedLevels": 1, "parkedEvents": 9})
    };
    let well = source("http://paris:3000", json!({"status": "well"}));
    let failing = source("/srv/berlin", json!({"status": "failing", "reason": "connection refused"}));
    let stopped = source("/srv/rome", json!({"status": "stopped", "reason": "sequence 9 follows 7"}));
    for (name, sources) in [
        ("sync_well", vec![well.clone()]),
        ("sync_failing", vec![well.clone(), failing.clone()]),
        ("sync_stopped", vec![stopped, well, failing]),
    ] {
        let report = json!({"applied": 1041, "deadLettered": 1, "centralSequence": 39529, "lag": 18,
                            "durationMs": 12, "sources": sources});
        let (_, text) = run(Fake { report: report.clone(), ..Fake::default() }, &["sync"]);
        insta::assert_snapshot!(name, text);
        let (_, text) = run(Fake { report: report.clone(), ..Fake::default() }, &["sync", "--json"]);
        let line = text.lines().find(|line| line.starts_with('{')).unwrap();
        assert_eq!(serde_json::from_str::<Value>(line).unwrap(), report);
    }
}

fn desk() -> Fake {
    let letter = |sequence: u64, state: &str, reason: &str| {
        json!({"id": format!("{NODE}-{sequence}"), "node": NODE, "source": "/srv/paris", "sequence": sequence,
               "storeId": "PARIS", "sku": "TEA", "reason": reason, "tries": 4,
               "firstAt": "2026-11-20T17:42:07.216Z", "lastAt": "2026-11-20T17:42:08.216Z", "state": state,
               "at": "2026-11-20T17:42:07.000Z", "event": {"type": "MELT"}})
    };
    let letters = vec![
        letter(7, "open", "it cannot be read: unknown type MELT"),
        letter(9, "discarded", "its version is 9, after version 7"),
        letter(12, "open", "broken for ever"),
    ];
    Fake { letters, ..Fake::default() }
}

#[test]
fn dead_letters_are_listed_and_settled() {
    let (seven, twelve) = (&*format!("{NODE}-7"), &*format!("{NODE}-12"));
    let table: [(&str, &[&str], &[&str]); 8] = [
        ("list", &["list"], &[]),
        ("list_all", &["list", "--all"], &[]),
        ("show", &["show", seven], &[]),
        ("show_unknown", &["show", "nothing/else"], &[]),
        ("redrive", &["redrive", seven], &["redriven 01a1fa0d-1f90-7478-9417-58c82ae9a2ac-7 None"]),
        (
            "redrive_all",
            &["redrive", "--all"],
            &[
                "redriven 01a1fa0d-1f90-7478-9417-58c82ae9a2ac-7 None",
                "redriven 01a1fa0d-1f90-7478-9417-58c82ae9a2ac-12 None",
            ],
        ),
        ("redrive_nothing", &["redrive"], &[]),
        (
            "discard",
            &["discard", twelve, "--reason", "a & b = ä"],
            &["discarded 01a1fa0d-1f90-7478-9417-58c82ae9a2ac-12 Some(\"a & b = ä\")"],
        ),
    ];
    for (name, more, asked) in table {
        let arguments: Vec<&str> = ["dead-letters"].iter().chain(more).copied().collect();
        let (fake, text) = run(desk(), &arguments);
        insta::assert_snapshot!(format!("dead_letters_{name}"), text);
        assert_eq!(fake.lock().unwrap().asked, asked);
    }
}
