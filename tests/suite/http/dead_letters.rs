//! Dead letters over HTTP: list, show, redrive, discard.

use super::fakes::{Stores, Told, worker_on};
use super::{Scratch, request};
use axum::body::Body;
use http::Method;
use onhand_app::central::{LetterError, LetterState};
use onhand_domain::{Sku, StoreId};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

const LETTER: &str = "/dead-letters/00000000-0000-0000-0000-000000000007-2";

/// A node that follows another one whose second event of four is garbled.
async fn spoilt() -> (Scratch, Arc<Told>) {
    let told = Told::deliveries(7, 4);
    told.events.lock()[1]["type"] = "THEFT".into();
    let node = Scratch::with_worker(vec![Arc::clone(&told) as _]);
    let pass = node.post("/sync", &[], "").await;
    let numbers = ["applied", "deadLettered"].map(|member| pass.json[member].clone());
    assert_eq!(json!(numbers), json!([1, 1]));
    (node, told)
}

#[tokio::test]
async fn a_letter_is_listed_shown_and_driven_again_after_a_fix() {
    let (node, told) = spoilt().await;
    let list = node.get("/dead-letters").await;
    let letter = &list.is(200, "").json["items"][0];
    assert_eq!(letter["id"], LETTER.rsplit('/').next().unwrap());
    assert_eq!((&letter["state"], &letter["event"]["type"]), (&"open".into(), &"THEFT".into()));
    assert_eq!((&letter["storeId"], &letter["sku"]), (&"TOLD".into(), &"T-1".into()));
    assert_eq!(node.get(LETTER).await.is(200, "").json, *letter);
    let ready = node.get("/health/readiness").await;
    assert_eq!((&ready.json["deadLetters"], &ready.json["syncLag"]), (&1.into(), &2.into()));
    assert_eq!(ready.json["ready"], true, "a seller is not concerned");

    let still = node.post(&format!("{LETTER}/redrive"), &[], "").await;
    assert_eq!(
        (&still.is(200, "").json["letter"]["state"], &still.json["waiting"]),
        (&"open".into(), &2.into())
    );
    assert_eq!(still.json["letter"]["tries"], 3);
    told.down.store(true, Ordering::SeqCst);
    let down = node.post(&format!("{LETTER}/redrive"), &[], "").await;
    assert!(!down.is(503, "not-ready").text.contains("the line is dead"), "nothing of the inside is told");
    told.down.store(false, Ordering::SeqCst);
    told.events.lock()[1]["type"] = "ADJUST".into();
    let driven = node.post(&format!("{LETTER}/redrive"), &[], "").await;
    assert_eq!((&driven.is(200, "").json["applied"], &driven.json["waiting"]), (&3.into(), &0.into()));
    assert_eq!(driven.json["letter"]["state"], "redriven");
    assert_eq!(node.get("/central/inventory/T-1").await.json["total"]["qty"], 4);
    node.post(&format!("{LETTER}/redrive"), &[], "").await.is(409, "dead-letter-closed");
    node.delete(&format!("{LETTER}?reason=late")).await.is(409, "dead-letter-closed");
    for (state, listed) in [("open", 0), ("redriven", 1), ("discarded", 0)] {
        let list = node.get(&format!("/dead-letters?state={state}")).await;
        assert_eq!(list.json["items"].as_array().unwrap().len(), listed, "{state}");
    }
}

#[tokio::test]
async fn an_event_is_given_up_for_a_reason_only() {
    let (node, _told) = spoilt().await;
    for query in ["", "?reason=", "?reason=%00", "?why=x"] {
        node.delete(&format!("{LETTER}{query}")).await.is(400, "invalid-request");
    }
    let with_body = |path: &str, kind: &'static str, body: &'static str| {
        node.send(request(Method::DELETE, path, &[("content-type", kind)], Body::from(body)))
    };
    let json_type = "application/json";
    with_body(LETTER, "text/plain", "why").await.is(415, "unsupported-media-type");
    for body in ["{}", r#"{"reason":""}"#, r#"{"reason":"x","more":1}"#, "[]"] {
        with_body(LETTER, json_type, body).await.is(400, "invalid-request");
    }
    let twice = with_body(&format!("{LETTER}?reason=x"), json_type, r#"{"reason":"x"}"#).await;
    twice.is(400, "invalid-request");
    let given_up = with_body(LETTER, json_type, r#"{"reason":"entered twice"}"#).await;
    given_up.is(200, "");
    let letter = &given_up.json["letter"];
    assert_eq!((&letter["state"], &letter["note"]), (&"discarded".into(), &"entered twice".into()));
    assert_eq!((&given_up.json["applied"], &given_up.json["waiting"]), (&2.into(), &0.into()));
    assert_eq!(node.get("/central/inventory/T-1").await.json["total"]["qty"], 4);
    assert_eq!(node.get("/dead-letters?state=discarded").await.json["items"][0], *letter, "it stays on file");
    node.delete("/dead-letters/none?reason=x").await.is(404, "not-found");
    node.get("/dead-letters/none").await.is(404, "not-found");
    node.get("/dead-letters?state=lost").await.is(400, "invalid-request");
    node.get("/dead-letters?cursor=x").await.is(400, "invalid-cursor");
}

#[tokio::test]
async fn a_caller_that_goes_away_stops_nothing_half_way() {
    let (node, told) = spoilt().await;
    told.events.lock()[1]["type"] = "ADJUST".into();
    let driving = node.edge.handle(request(Method::POST, &format!("{LETTER}/redrive"), &[], Body::empty()));
    let gone = tokio::time::timeout(Duration::from_millis(5), driving).await;
    assert!(gone.is_err(), "the caller went away before the answer");
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if node.get(LETTER).await.json["state"] == "redriven" {
            break;
        }
    }
    assert_eq!(node.get(LETTER).await.json["state"], "redriven");
    assert_eq!(node.get("/central/inventory/T-1").await.json["total"]["qty"], 4);
}

#[tokio::test]
async fn two_concurrent_redrives_apply_a_letter_once() {
    let (node, told) = spoilt().await;
    told.events.lock()[1]["type"] = "ADJUST".into();
    let path = format!("{LETTER}/redrive");
    let (one, other) = tokio::join!(node.post(&path, &[], ""), node.post(&path, &[], ""));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn a_pass_asked_for_while_a_letter_is_driven_is_run_afterwards() {
    let (node, told) = spoilt().await;
    told.events.lock()[1]["type"] = "ADJUST".into();
    node.stock("/stores/S1/inventory/A", 1).await;
    let path = format!("{LETTER}/redrive");
    let (driven, pass) = tokio::join!(node.post(&path, &[], ""), async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        node.post("/sync", &[], "").await
    });
    assert_eq!(driven.json["letter"]["state"], "redriven");
    assert_eq!(pass.json["applied"], 1, "it is not taken for the pass before: {}", pass.text);
}

#[tokio::test]
async fn many_letters_come_in_pages() {
    let told = Told::deliveries(7, 5);
    for (number, event) in told.events.lock().iter_mut().enumerate() {
        event["type"] = "THEFT".into();
        event["payload"]["sku"] = format!("T-{number}").into();
    }
    let node = Scratch::with_worker(vec![told]);
    assert_eq!(node.post("/sync", &[], "").await.json["deadLettered"], 5);
    let (mut path, mut walked) = ("/dead-letters?limit=2&state=open".to_owned(), Vec::new());
    loop {
        let page = node.get(&path).await;
        let items = page.is(200, "").json["items"].as_array().unwrap().clone();
        walked.extend(items.iter().map(|letter| letter["sequence"].as_u64().unwrap()));
        let Some(link) = page.header("link") else { break };
        path = link.strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned();
    }
    assert_eq!(walked, [1, 2, 3, 4, 5]);
}

/// Garbles the second and the fourth of five events, and makes the disk fail at one write of a redrive. Whatever was
/// written by then, a restart can complete the redrive.
#[tokio::test]
async fn a_disk_that_fails_at_any_write_of_a_drive_loses_nothing() {
    for (discard, lies) in [(false, false), (false, true), (true, false), (true, true)] {
        for fails_at in 1..=4 {
            let told = Told::deliveries(7, 5);
            let spoil = |place: usize, kind: &str| told.events.lock()[place]["type"] = kind.into();
            spoil(1, "THEFT");
            spoil(3, "THEFT");
            let stores = Arc::new(Stores::default());
            let start = || worker_on(&stores, vec![Arc::clone(&told) as _]);
            let worker = start();
            assert_eq!(worker.sync().await.dead_lettered, 1);
            worker.save().await.unwrap();
            let first = worker.letters()[0].id.clone();
            if !discard {
                spoil(1, "ADJUST");
            }
            stores.fails_at.store(fails_at, Ordering::SeqCst);
            stores.lies.store(lies, Ordering::SeqCst);
            let driven =
                if discard { worker.discard(&first, "why").await } else { worker.redrive(&first).await };
            // Another letter, the model, the letter itself: three writes.
            assert_eq!(driven.is_ok(), fails_at > 3, "{fails_at}");
            stores.fails_at.store(0, Ordering::SeqCst);
            spoil(1, "ADJUST");
            spoil(3, "ADJUST");
            for _restart in 0..2 {
                let worker = start();
                worker.sync().await;
                let open = worker.letters().into_iter().filter(|letter| letter.state == LetterState::Open);
                if let [_, later] = open.collect::<Vec<_>>().as_slice() {
                    let behind = worker.redrive(&later.id).await;
                    assert!(matches!(behind, Err(LetterError::Behind(_))), "the earlier one comes first");
                }
                for _ in 0..3 {
                    for letter in worker.letters().iter().filter(|letter| letter.state == LetterState::Open) {
                        let told = worker.redrive(&letter.id).await;
                        assert!(told.is_ok(), "{discard} {lies} {fails_at}: {told:?}");
                    }
                }
                let status = worker.status();
                assert_eq!((status.open_letters, status.lag), (0, 0), "{discard} {lies} {fails_at}");
                let (store, sku) = (StoreId::new("TOLD").unwrap(), Sku::new("T-1").unwrap());
                let level = worker.central().look(|central| central.level(&store, &sku).unwrap()[0]);
                assert_eq!((level.numbers.version, level.numbers.qty().get()), (5, 5));
                worker.save().await.unwrap();
            }
        }
    }
}

/// The newest central file can be damaged; the one before may be from before the letter was closed.
#[tokio::test]
async fn an_older_model_opens_the_letter_again() {
    let told = Told::deliveries(7, 4);
    told.events.lock()[1]["type"] = "THEFT".into();
    let stores = Arc::new(Stores::default());
    let worker = worker_on(&stores, vec![Arc::clone(&told) as _]);
    worker.sync().await;
    worker.save().await.unwrap();
    let old = stores.file();
    let id = worker.letters()[0].id.clone();
    worker.discard(&id, "why").await.unwrap();
    stores.put_file(old);
    let worker = worker_on(&stores, vec![Arc::clone(&told) as _]);
    worker.sync().await;
    assert_eq!((worker.letters()[0].state, worker.status().lag), (LetterState::Open, 2));
    assert_eq!(worker.discard(&id, "why").await.unwrap().applied, 2);
}
