//! An event of an unknown type, in the middle of an otherwise sound log.

use super::{Levels, central, fold, get, onhand, serve, text, trade, until_central_is};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The position of the checksum in a line.
const CRC: std::ops::Range<usize> = 8..16;
const REST: usize = 18;

pub(super) fn segment(data_dir: &Path) -> PathBuf {
    data_dir.join("log/00000000000000000001.jsonl")
}

/// Gives the event of that sequence an unknown type, and every line behind it a valid checksum.
pub(super) fn poison(data_dir: &Path, sequence: u64) {
    let text = fs::read_to_string(segment(data_dir)).unwrap();
    let mut poisoned = String::new();
    let mut previous = "00000000".to_owned();
    let mut done = false;
    for line in text.split_inclusive('\n') {
        if !line.ends_with('\n') || !line.starts_with("{\"crc\":\"") {
            // The preallocated space behind the last line.
            poisoned.push_str(line);
            break;
        }
        let mut line = line.to_owned();
        let value: Value = serde_json::from_str(&line).unwrap();
        let events = value["events"].as_array().map_or(0, Vec::len) as u64;
        let first = value["seq"].as_u64().unwrap_or(0);
        if events > 0 && (first..first + events).contains(&sequence) {
            let nth = usize::try_from(sequence - first).unwrap();
            let (at, _) = line.match_indices("\"type\":\"").nth(nth).unwrap();
            line.replace_range(at..at + 15, "\"type\":\"MELTED\"");
            done = true;
        }
        let sum = crc32c::crc32c(previous.as_bytes());
        let sum = crc32c::crc32c_append(sum, line[REST..].trim_end_matches('\n').as_bytes());
        previous = format!("{sum:08x}");
        line.replace_range(CRC, &previous);
        poisoned.push_str(&line);
    }
    assert!(done, "there is no such event");
    fs::write(segment(data_dir), poisoned).unwrap();
}

#[tokio::test]
async fn a_poison_event_blocks_only_its_own_level_until_it_is_settled() {
    let scratch = TempDir::new().unwrap();
    let (hub, paris) = (scratch.path().join("HUB"), scratch.path().join("PARIS"));
    let mut random = fastrand::Rng::with_seed(31);
    let store = serve(&paris, None, &["--sync", "off"]);
    for _ in 0..10 {
        assert!(trade(store.url(), "PARIS", 20, &mut random).await);
    }
    store.stop(super::PATIENCE).unwrap();
    let expected = fold(&paris);
    let good = fs::read(segment(&paris)).unwrap();
    poison(&paris, 60);

    let central_node = serve(&hub, None, &["--source", text(&paris), "--retry-base-ms", "1"]);
    let url = central_node.url();
    let said = onhand(&["sync", "--server", url]);
    assert!(said.starts_with("exit code 0"), "{said}");
    let letters = get(&format!("{url}/dead-letters")).await;
    let letter = &letters["items"][0];
    assert_eq!((letters["items"].as_array().unwrap().len(), &letter["sequence"]), (1, &Value::from(60)));
    let stuck = ("PARIS".to_owned(), letter["sku"].as_str().unwrap().to_owned());
    let others =
        |levels: &Levels| levels.clone().into_iter().filter(|(place, _)| *place != stuck).collect::<Levels>();
    let found = central(url).await;
    assert_eq!(others(&found), others(&expected));
    assert!(found[&stuck].1 < expected[&stuck].1, "it waits where it was");

    let id = letter["id"].as_str().unwrap().to_owned();
    let listed = onhand(&["dead-letters", "list", "--server", url]);
    assert!(listed.contains(&id) && listed.contains("1 open"), "{listed}");
    let shown = onhand(&["dead-letters", "show", &id, "--server", url]);
    assert!(shown.starts_with("exit code 0") && shown.contains("MELTED"), "{shown}");
    let tried = onhand(&["dead-letters", "redrive", &id, "--server", url]);
    assert!(tried.starts_with("exit code 1") && tried.contains("still cannot be applied"), "{tried}");

    // Waiting events are kept across a crash.
    let address = super::port(&central_node);
    central_node.kill().unwrap();
    let central_node = serve(&hub, Some(address), &["--source", text(&paris), "--retry-base-ms", "1"]);
    let url = central_node.url();
    assert!(onhand(&["sync", "--server", url]).starts_with("exit code 0"));
    let found = central(url).await;
    assert_eq!(others(&found), others(&expected));
    assert!(found[&stuck].1 < expected[&stuck].1, "it still waits");

    // The segment is restored from a copy: all waiting events are applied, in order.
    fs::write(segment(&paris), good).unwrap();
    let driven = onhand(&["dead-letters", "redrive", "--all", "--server", url]);
    assert!(driven.starts_with("exit code 0") && driven.contains("0 still wait"), "{driven}");
    until_central_is(url, &expected).await;
    let again = onhand(&["dead-letters", "redrive", &id, "--server", url]);
    assert!(again.starts_with("exit code 69"), "{again}");
}

#[tokio::test]
async fn a_letter_of_a_separate_worker_is_settled_in_its_directory() {
    let scratch = TempDir::new().unwrap();
    let mut random = fastrand::Rng::with_seed(41);
    let store = serve(scratch.path(), None, &["--sync", "off"]);
    for _ in 0..10 {
        assert!(trade(store.url(), "PARIS", 20, &mut random).await);
    }
    store.stop(super::PATIENCE).unwrap();
    let expected = fold(scratch.path());
    let good = fs::read(segment(scratch.path())).unwrap();
    poison(scratch.path(), 60);
    let data = text(scratch.path());
    assert!(
        onhand(&["sync-worker", "--data-dir", data, "--once", "--retry-base-ms", "1"])
            .starts_with("exit code 0")
    );

    let at_desk = |arguments: &[&str]| {
        let all: Vec<&str> = ["dead-letters", "--data-dir", data].iter().chain(arguments).copied().collect();
        onhand(&all)
    };
    let listed = at_desk(&["list"]);
    assert!(listed.starts_with("exit code 0") && listed.contains("1 open"), "{listed}");
    assert!(at_desk(&["show", "nothing"]).starts_with("exit code 69"));
    let tried = at_desk(&["redrive", "--all"]);
    assert!(tried.starts_with("exit code 1") && tried.contains("still cannot be applied"), "{tried}");
    fs::write(segment(scratch.path()), good).unwrap();
    let driven = at_desk(&["redrive", "--all"]);
    assert!(driven.starts_with("exit code 0") && driven.contains("0 still wait"), "{driven}");
    assert_eq!(super::central_file(scratch.path()), expected);
    assert!(at_desk(&["list"]).contains("0 open, 1 redriven"));
}

#[tokio::test]
async fn a_discarded_event_lets_its_level_flow_again() {
    let scratch = TempDir::new().unwrap();
    let (hub, paris) = (scratch.path().join("HUB"), scratch.path().join("PARIS"));
    let mut random = fastrand::Rng::with_seed(37);
    let store = serve(&paris, None, &["--sync", "off"]);
    for _ in 0..10 {
        assert!(trade(store.url(), "PARIS", 20, &mut random).await);
    }
    store.stop(super::PATIENCE).unwrap();
    let expected = fold(&paris);
    poison(&paris, 60);
    let said = onhand(&["sync-worker", "--data-dir", text(&paris), "--once", "--retry-base-ms", "1"]);
    assert!(said.starts_with("exit code 0") && said.contains("dead letters  1"), "{said}");
    let waits =
        super::central_file(&paris).iter().filter(|(place, level)| expected[*place] != **level).count();
    assert_eq!(waits, 1);

    let central_node = serve(&hub, None, &["--source", text(&paris), "--retry-base-ms", "1"]);
    let url = central_node.url();
    assert!(onhand(&["sync", "--server", url]).starts_with("exit code 0"));
    let letters = get(&format!("{url}/dead-letters")).await;
    let id = letters["items"][0]["id"].as_str().unwrap().to_owned();
    let reason = "written by a tool that is no more";
    let said = onhand(&["dead-letters", "discard", &id, "--reason", reason, "--server", url]);
    assert!(said.starts_with("exit code 0") && said.contains("discarded"), "{said}");
    until_central_is(url, &expected).await;
    let kept = onhand(&["dead-letters", "list", "--all", "--server", url]);
    assert!(kept.contains("discarded") && kept.contains("0 open"), "{kept}");
}

#[tokio::test]
async fn a_letter_behind_an_earlier_one_of_its_level_waits_for_that_one() {
    let scratch = TempDir::new().unwrap();
    let (hub, paris) = (scratch.path().join("HUB"), scratch.path().join("PARIS"));
    let mut random = fastrand::Rng::with_seed(43);
    let store = serve(&paris, None, &["--sync", "off"]);
    for _ in 0..10 {
        assert!(trade(store.url(), "PARIS", 20, &mut random).await);
    }
    let feed = get(&format!("{}/events?after=59&limit=100", store.url())).await;
    let events = feed["items"].as_array().unwrap();
    let same = |event: &&Value| event["payload"]["sku"] == events[0]["payload"]["sku"];
    let second = events.iter().skip(1).find(same).unwrap()["sequence"].as_u64().unwrap();
    let id = |sequence: u64| format!("{}-{sequence}", feed["node"].as_str().unwrap());
    store.stop(super::PATIENCE).unwrap();
    poison(&paris, 60);
    poison(&paris, second);

    let options = ["--source", text(&paris), "--retry-base-ms", "1"];
    let node = serve(&hub, None, &options);
    assert!(onhand(&["sync", "--server", node.url()]).starts_with("exit code 0"));
    node.stop(super::PATIENCE).unwrap();
    let before = super::newest(&hub);
    let model = fs::read(&before).unwrap();
    let node = serve(&hub, None, &options);
    assert!(onhand(&["sync", "--server", node.url()]).starts_with("exit code 0"));
    let said = onhand(&["dead-letters", "discard", &id(60), "--reason", "melted", "--server", node.url()]);
    assert!(said.starts_with("exit code 0"), "{said}");
    node.kill().unwrap();

    // The model from before the discard, as after the loss of the newest file: the level waits for the first letter again.
    fs::remove_file(super::newest(&hub)).unwrap();
    fs::write(&before, model).unwrap();
    let node = serve(&hub, None, &options);
    assert!(onhand(&["sync", "--server", node.url()]).starts_with("exit code 0"));
    let said = onhand(&["dead-letters", "redrive", &id(second), "--server", node.url()]);
    assert!(said.starts_with("exit code 69") && said.contains("dead-letter-waits"), "{said}");
    assert!(said.contains(&id(60)), "{said}");
}
