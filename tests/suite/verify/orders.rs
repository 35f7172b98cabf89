//! Orders, shipments and levels that disagree, in logs of which every state is sound by itself.

use super::{ROOT, World, findings, forge, with_ids_of_their_time};
use crate::orders::{line, on, part, pieces_of, place, placed, planned, receive};
use onhand_app::Meta;
use onhand_domain::Command;
use onhand_domain::orders::{Carrier, OrderStep, PartStep, Partial, Refused};
use onhand_sim::node::SimSettings;
use serde_json::{Value, json};
use std::path::Path;

/// Three A, of which one waits, from Berlin; two B from Paris.
fn placing() -> Command {
    let plan = vec![planned("BERLIN", &[(1, "A", 2)]), planned("PARIS", &[(2, "B", 2)])];
    place("o", placed(vec![line(1, "A", 3, 1), line(2, "B", 2, 0)], Partial::Backorder), plan)
}

fn ship(pieces: &[(u16, &str, i64)]) -> PartStep {
    let lines = pieces.iter().map(|(line, sku, pieces)| pieces_of(*line, sku, *pieces)).collect();
    PartStep::Ship { lines, carrier: Carrier::default() }
}

/// A log that ends with the last of these steps.
async fn told(steps: &[Command]) -> World {
    let world = World::new(SimSettings::default());
    let node = world.open();
    for step in [receive("BERLIN", "A", 9), receive("PARIS", "B", 9)].iter().chain(steps) {
        node.execute(step.clone(), &Meta::default()).await.unwrap();
        world.clock.pass(1_000);
    }
    drop(node);
    forge(&world.disk, Path::new(ROOT), with_ids_of_their_time);
    assert_eq!(findings(&world.disk), []);
    world
}

/// Edits the events of the last entry: `verify` says this of it, and nothing else.
#[track_caller]
fn edited(world: &World, story: &str, owed: &[&str], edit: impl FnOnce(&mut Vec<Value>)) {
    let (disk, mut wrong) = (world.disk.fork(), 0);
    forge(&disk, Path::new(ROOT), |lines| {
        let last = lines.last_mut().unwrap();
        edit(last.json["events"].as_array_mut().unwrap());
        wrong = last.sequence() + last.events().len() as u64 - 1;
    });
    let found = findings(&disk);
    let told: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(told, owed, "{story}");
    assert!(
        found.iter().all(|finding| finding.sequence.is_some_and(|at| at.0 == wrong)),
        "{story}: {found:?}"
    );
}

/// As [`edited`]: in place of the first event of that kind with such a payload stands a movement that has nothing to do with it.
#[track_caller]
fn without(world: &World, (kind, text): (&str, &str), owed: &[&str]) {
    edited(world, &format!("without {kind} {text}"), owed, |events| {
        let is = |event: &Value| event["type"] == kind && event["payload"].to_string().contains(text);
        let event = events.iter_mut().find(|event| is(event)).unwrap();
        let payload = json!({"sku": "C", "storeId": "ROME", "delta": 1});
        let after = json!({"level": {"onHand": 1, "reserved": 0, "version": 1}});
        *event = json!({"eventId": event["eventId"], "type": "ADJUST", "payload": payload, "after": after});
    });
}

#[tokio::test]
async fn an_order_is_placed_with_its_shipments_and_their_stock() {
    let world = told(&[placing()]).await;
    without(
        &world,
        ("RESERVE", "BERLIN"),
        &["shipment o.s1: it holds 2 of A, and 0 are reserved for it in BERLIN"],
    );
    without(
        &world,
        ("SHIPMENT", "PARIS"),
        &[
            "order o: its shipment 2 is not there",
            "shipment o.s2: pieces are reserved for it, and there is no such shipment",
        ],
    );
    edited(
        &world,
        "of another store",
        &["order o: its shipment 1 is of another store than ROME"],
        |events| {
            events.last_mut().unwrap()["payload"]["opened"][0]["storeId"] = json!("ROME");
        },
    );
    edited(
        &world,
        "a piece that no store holds",
        &["order o: line 1 has 3 pieces held, its shipments have 2"],
        |events| {
            let order = events.last_mut().unwrap();
            order["payload"]["placed"]["lines"][0]["pieces"] = json!({});
            (order["after"]["order"]["waiting"], order["after"]["order"]["open"]) = (json!(0), json!(5));
        },
    );
    edited(
        &world,
        "a line of another number",
        &[
            "order o: its shipments have a line 3",
            "shipment o.s2: it holds 1 of C, and 0 are reserved for it in PARIS",
        ],
        |events| {
            let shipment = events.iter_mut().find(|event| event["payload"]["shipmentId"] == "o.s2").unwrap();
            shipment["payload"]["lines"]
                .as_array_mut()
                .unwrap()
                .push(json!({"line": 3, "sku": "C", "qty": 1}));
            shipment["after"]["shipment"]["held"] = json!(3);
        },
    );
}

#[tokio::test]
async fn pieces_leave_level_shipment_and_order_at_once() {
    let world = told(&[placing(), part("o", 1, "BERLIN", ship(&[(1, "A", 1)]))]).await;
    without(
        &world,
        ("COMMIT", "o.s1"),
        &["shipment o.s1: it holds 1 of A, and 2 are reserved for it in BERLIN"],
    );
    without(
        &world,
        ("SHIPMENT", "shipped"),
        &[
            "order o: line 1 has 1 pieces held, its shipments have 2",
            "shipment o.s1: it holds 2 of A, and 1 are reserved for it in BERLIN",
        ],
    );
    without(&world, ("ORDER", "shipped"), &["order o: line 1 has 2 pieces held, its shipments have 1"]);
}

#[tokio::test]
async fn what_arrives_arrives_in_shipment_and_order() {
    let shipped = part("o", 2, "PARIS", ship(&[]));
    let world = told(&[placing(), shipped, part("o", 2, "PARIS", PartStep::Deliver)]).await;
    without(
        &world,
        ("SHIPMENT", "delivered"),
        &["order o: it calls shipments [1] open, and these are: [1, 2]"],
    );
    without(&world, ("ORDER", "delivered"), &["order o: it calls shipments [1, 2] open, and these are: [1]"]);
    edited(
        &world,
        "delivered twice",
        &["order o: line 2 has 2 pieces delivered, its shipments have 1"],
        |events| {
            let shipment = events.iter_mut().find(|event| event["type"] == "SHIPMENT").unwrap();
            shipment["payload"]["lines"][0]["qty"] = json!(1);
            shipment["after"]["shipment"]["delivered"] = json!(1);
            events.last_mut().unwrap()["payload"].as_object_mut().unwrap().remove("closed");
        },
    );
    edited(
        &world,
        "it stays open",
        &["order o: it calls shipments [1, 2] open, and these are: [1]"],
        |events| {
            events.last_mut().unwrap()["payload"].as_object_mut().unwrap().remove("closed");
        },
    );
}

#[tokio::test]
async fn what_is_given_up_is_released() {
    let world = told(&[placing(), on("o", OrderStep::Cancel { reason: None })]).await;
    without(
        &world,
        ("RELEASE", "o.s2"),
        &["shipment o.s2: it holds 0 of B, and 2 are reserved for it in PARIS"],
    );
    without(
        &world,
        ("SHIPMENT", "o.s2"),
        &[
            "order o: it calls shipments [] open, and these are: [2]",
            "shipment o.s2: it holds 2 of B, and 0 are reserved for it in PARIS",
        ],
    );
    let refuse = PartStep::Refuse { refused: Refused::NotInStock, reason: None, planned: Vec::new() };
    let world = told(&[placing(), part("o", 1, "BERLIN", refuse)]).await;
    edited(&world, "nothing waits", &["order o: line 1 has 2 pieces held, its shipments have 0"], |events| {
        let order = events.last_mut().unwrap();
        order["payload"].as_object_mut().unwrap().remove("lines");
        (order["after"]["order"]["waiting"], order["after"]["order"]["open"]) = (json!(1), json!(4));
    });
}

#[tokio::test]
async fn a_shipment_has_an_order() {
    let world = told(&[placing()]).await;
    without(&world, ("ORDER", "placed"), &["order o: it has a shipment, and there is no such order"]);
}
