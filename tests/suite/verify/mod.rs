//! `verify` and impossible histories in which every line, and the sum of them, is right.

mod archived;
mod commands;
mod forged;
mod orders;
mod rules;
mod several;

use crate::node::{World, adjust, keyed, qty, reserve, stock};
use forged::{Line, entries, forge};
use onhand_app::Meta;
use onhand_disk::layout::Layout;
use onhand_domain::low_stock::ThresholdCommand;
use onhand_domain::stock::{Batch, Commit, Operation, Verb};
use onhand_domain::{Command, Expected, ReservationId, Sku, StoreId, Timestamp};
use onhand_file::audit::{Finding, audit_directory_for};
use onhand_sim::node::{SimNode, SimSettings};
use onhand_sim_machine::disk::SimDisk;
use serde_json::{Value, json};
use std::path::Path;
use uuid::{NoContext, Uuid};

const ROOT: &str = "/data";
const TTL_MS: i64 = 300_000;

fn verb(sku: &str, verb: Verb) -> Command {
    Command::Stock(stock(sku, Expected::Any, verb))
}

fn reservation(name: &str) -> ReservationId {
    ReservationId::new(name).unwrap()
}

fn operation(sku: &str, delta: i64, key: &str) -> Operation {
    let verb = Verb::Adjust { delta: qty(delta), reason: None, reference: None };
    let idempotency = keyed(key, &delta.to_string()).idempotency;
    Operation { command: stock(sku, Expected::Any, verb), idempotency, known: None }
}

async fn done(node: &SimNode, command: Command, meta: &Meta) {
    node.execute(command, meta).await.unwrap();
}

/// Keys, holds that are committed, released and expired, an alert that comes and goes, over several segments. Ids are of
/// version 7, as those of a real node.
async fn told() -> World {
    let world = World::new(SimSettings { segment_bytes: 2_000, ..SimSettings::default() });
    let node = world.open();
    let meta = Meta::default();
    done(&node, adjust("A", 20), &keyed("delivery", "20")).await;
    for (name, ttl) in [("gone", 60), ("kept", 60), ("freed", 60), ("forever", 0)] {
        done(&node, reserve("A", 2, name, (ttl > 0).then_some(ttl)), &meta).await;
    }
    world.clock.pass(10_000);
    let commit = Commit { reservation_id: reservation("kept"), qty: Some(qty(2)), close_remainder: true };
    done(&node, verb("A", Verb::Commit(commit)), &keyed("sold", "2")).await;
    let freed = Verb::Release { reservation_id: reservation("freed"), qty: None };
    done(&node, verb("A", freed), &meta).await;
    world.clock.pass(50_000);
    node.drive(node.ledger.expire_due()).await.unwrap();
    let (store_id, sku) = (StoreId::new("LONDON").unwrap(), Sku::new("B").unwrap());
    let low_stock_threshold = Some(qty(5));
    let threshold = ThresholdCommand { store_id, sku, expected: Expected::Any, low_stock_threshold };
    done(&node, Command::Threshold(threshold), &meta).await;
    for (delta, key) in [(10, "b-1"), (-6, "b-2"), (5, "b-3")] {
        done(&node, adjust("B", delta), &keyed(key, &delta.to_string())).await;
    }
    let operations = vec![operation("A", 1, "op-1"), operation("B", 1, "op-2"), operation("A", 1, "op-3")];
    done(&node, Command::Batch(Batch { atomic: false, operations }), &keyed("batch", "3")).await;
    world.clock.pass(TTL_MS);
    // The first key has expired.
    done(&node, adjust("A", 20), &keyed("delivery", "20")).await;
    done(&node, adjust("A", 1), &keyed("last", "1")).await;
    drop(node);
    forge(&world.disk, Path::new(ROOT), with_ids_of_their_time);
    world
}

/// Gives every event an id as a real node does.
fn with_ids_of_their_time(lines: &mut Vec<Line>) {
    for line in lines {
        let at = time(&line.json["ts"]);
        let (seconds, nanos) = (at.milliseconds() / 1000, at.milliseconds() % 1000 * 1_000_000);
        for event in line.json["events"].as_array_mut().unwrap() {
            let at = uuid::Timestamp::from_unix(
                NoContext,
                u64::try_from(seconds).unwrap(),
                u32::try_from(nanos).unwrap(),
            );
            event["eventId"] = json!(Uuid::new_v7(at));
        }
    }
}

fn time(text: &Value) -> Timestamp {
    Timestamp::parse(text.as_str().unwrap()).unwrap()
}

fn later(text: &Value, milliseconds: i64) -> Value {
    json!(time(text).plus_milliseconds(milliseconds).to_string())
}

fn findings(disk: &SimDisk) -> Vec<Finding> {
    let audit = audit_directory_for(disk, &Layout::new(Path::new(ROOT)), Some(TTL_MS)).unwrap();
    audit.findings().cloned().collect()
}

/// The only entry of this kind with this reservation or SKU.
#[track_caller]
fn find<'a>(lines: &'a mut [Line], kind: &str, of: &str) -> &'a mut Line {
    let about = |line: &Line| {
        let is = |event: &Value| {
            let payload = &event["payload"];
            event["type"] == kind && (payload["reservationId"] == of || payload["sku"] == of)
        };
        line.events().iter().any(is)
    };
    lines.iter_mut().find(|line| about(line)).unwrap()
}

/// Forges a log; `verify` must report that one place, with its reason.
#[track_caller]
fn caught(world: &World, story: &str, words: &[&str], edit: impl FnOnce(&mut Vec<Line>) -> u64) {
    let disk = world.disk.fork();
    let mut wrong = 0;
    forge(&disk, Path::new(ROOT), |lines| wrong = edit(lines));
    let found = findings(&disk);
    assert_eq!(found.len(), 1, "{story}: {found:#?}");
    let line = entries(&disk, Path::new(ROOT)).into_iter().rfind(|line| line.sequence() <= wrong).unwrap();
    let Finding { path, offset, sequence, what } = &found[0];
    let place = (path, *offset, sequence.map(|sequence| sequence.0));
    assert_eq!(place, (&line.path, Some(line.offset), Some(wrong)), "{story}: {what}");
    for word in words {
        assert!(what.contains(word), "{story}: {word:?} is missing in {what:?}");
    }
}

#[tokio::test]
async fn a_real_history_is_sound_also_when_it_is_rewritten() {
    let world = told().await;
    assert_eq!(findings(&world.disk), []);
    assert!(
        entries(&world.disk, Path::new(ROOT))
            .iter()
            .any(|line| !line.path.ends_with("00000000000000000001.jsonl"))
    );
    let node = world.open();
    assert_eq!(crate::node::level(&node, "A").await, Some((39, 41, 2, 12)));
}

#[tokio::test]
async fn an_event_id_that_stands_twice_is_named() {
    let world = told().await;
    let copy = |lines: &mut Vec<Line>, from: usize, to: usize| {
        let id = lines[from].json["events"][0]["eventId"].clone();
        lines[to].json["events"][0]["eventId"] = id;
        lines[to].sequence()
    };
    let count = entries(&world.disk, Path::new(ROOT)).len();
    caught(&world, "the one before", &["event id", "sequence 3"], |lines| copy(lines, 2, 3));
    caught(&world, "one in another segment", &["event id", "sequence 1"], |lines| copy(lines, 0, count - 1));
    caught(&world, "in one entry", &["event id"], |lines| {
        let batch = lines.iter_mut().find(|line| line.json["idem"]["key"] == "batch").unwrap();
        batch.json["events"][2]["eventId"] = batch.json["events"][0]["eventId"].clone();
        batch.sequence() + 2
    });
    // A wall clock that was set back for a while makes old ids, each of them new.
    let disk = world.disk.fork();
    forge(&disk, Path::new(ROOT), |lines| {
        for (place, line) in lines.iter_mut().enumerate().skip(4).step_by(2) {
            let at = uuid::Timestamp::from_unix(NoContext, 1_000_000 + place as u64, 0);
            line.json["events"][0]["eventId"] = json!(Uuid::new_v7(at));
        }
    });
    assert_eq!(findings(&disk), []);
}

const YEAR_MS: i64 = 366 * 24 * 3_600_000;

fn shift(lines: &mut [Line], from: usize, milliseconds: i64) {
    for line in &mut lines[from..] {
        line.json["ts"] = later(&line.json["ts"], milliseconds);
    }
}

#[tokio::test]
async fn years_without_a_sign_are_named() {
    let world = told().await;
    let count = entries(&world.disk, Path::new(ROOT)).len();
    caught(&world, "three years", &["CLOCK"], |lines| {
        shift(lines, count - 2, 3 * YEAR_MS);
        lines[count - 2].sequence()
    });
    // A node that runs and has nothing to write for most of a year.
    let disk = world.disk.fork();
    forge(&disk, Path::new(ROOT), |lines| shift(lines, count - 2, YEAR_MS - TTL_MS - 1_000));
    assert_eq!(findings(&disk), []);
    // A CLOCK event in front of them.
    let disk = world.disk.fork();
    forge(&disk, Path::new(ROOT), |lines| {
        shift(lines, count - 1, 3 * YEAR_MS);
        let (from, to) = (lines[count - 2].json["ts"].clone(), lines[count - 1].json["ts"].clone());
        let line = &mut lines[count - 2];
        line.json.as_object_mut().unwrap().remove("idem");
        line.json["events"] = json!([{
            "eventId": Uuid::from_u128(77),
            "type": "CLOCK",
            "payload": {"from": from, "to": to},
            "after": {"time": to, "version": 1},
        }]);
        // The next one continues from the numbers of the event that was replaced.
        lines[count - 1].json["events"][0]["after"] = json!({"onHand": 21, "reserved": 2, "version": 11});
    });
    assert_eq!(findings(&disk), []);
}
