//! The central model over HTTP, and the worker behind it.

use super::fakes::Told;
use super::{Scratch, Setup, request};
use axum::body::Body;
use http::Method;
use onhand_app::central::{Central, CentralModel};
use onhand_domain::Sequence;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use uuid::Uuid;

const LEVEL: &str = "/stores/S1/inventory/A-1";
const WHOLE: &str = "application/vnd.onhand.central+json";

#[tokio::test]
async fn central_shows_the_stock_of_all_nodes() {
    let told = Told::deliveries(7, 3);
    let node = Scratch::with_worker(vec![told]);
    node.stock(LEVEL, 10).await;
    node.post(&format!("{LEVEL}/reserve"), &[], r#"{"qty":4}"#).await;
    node.stock("/stores/S2/inventory/A-1", 1).await;
    node.get("/central/inventory/A-1").await.is(404, "not-found");
    let pass = node.post("/api/sync", &[], "").await;
    pass.is(200, "");
    let told = ["applied", "deadLettered", "centralSequence", "lag"].map(|member| pass.json[member].clone());
    assert_eq!(json!(told), json!([6, 0, 6, 0]));
    assert_eq!(pass.json["sources"][0]["node"], json!(node.id));
    assert_eq!(node.post("/sync", &[], "").await.json["applied"], 0);

    let sku = node.get("/central/inventory/A-1").await;
    sku.is(200, "");
    assert_eq!(sku.json["total"], json!({"qty": 7, "onHand": 11, "reserved": 4}));
    let stores: Vec<&Value> = sku.json["stores"].as_array().unwrap().iter().collect();
    assert_eq!(
        (&stores[0]["storeId"], &stores[0]["qty"], &stores[0]["version"]),
        (&"S1".into(), &6.into(), &2.into())
    );
    assert_eq!((stores.len(), &stores[1]["storeId"]), (2, &"S2".into()));
    assert_eq!(sku.json["asOf"][node.id.to_string()], 3);
    assert_eq!(sku.json["asOf"]["00000000-0000-0000-0000-000000000007"], 3);
    let level = node.get(LEVEL).await;
    assert_eq!(stores[0], &level.json, "central says what the node says");

    let store = node.get("/central/stores/S1/inventory").await;
    assert_eq!(store.is(200, "").json["items"], json!([level.json]));
    assert_eq!(node.get("/central/stores/NONE/inventory").await.json["items"], json!([]));
    let whole = node.get_with("/central/inventory", &[("accept", WHOLE)]).await;
    whole.is(200, "");
    assert_eq!(whole.json["S1"]["A-1"]["qty"], 6);
    assert_eq!(whole.json["TOLD"]["T-1"]["version"], 3);
    assert_eq!(whole.json.as_object().unwrap().len(), 3);
    assert!(whole.header("onhand-as-of").unwrap().contains(&format!("{}:3", node.id)));
}

#[tokio::test]
async fn the_model_comes_in_pages_and_as_a_whole() {
    let node = Scratch::with_worker(vec![]);
    let empty = node.get_with("/central/inventory", &[("accept", WHOLE)]).await;
    assert_eq!(empty.is(200, "").json, json!({}));
    let operations: Vec<Value> = (0..2_500)
        .map(|number| {
            let (store, sku) = (format!("S{}", number % 3), format!("SKU {number:04}"));
            json!({"op": "adjust", "storeId": store, "sku": sku, "delta": number + 1})
        })
        .collect();
    let batch = json!({ "operations": operations }).to_string();
    node.post("/inventory/batch", &[], &batch).await.is(200, "");
    node.post("/sync", &[], "").await.is(200, "");
    let whole = node.get_with("/api/central/inventory", &[("accept", WHOLE)]).await;
    let counts: Vec<usize> =
        ["S0", "S1", "S2"].map(|store| whole.json[store].as_object().unwrap().len()).to_vec();
    assert_eq!(counts, [834, 833, 833]);
    assert_eq!(whole.json["S1"]["SKU 0001"]["qty"], 2);
    for (path, expected) in [("/central/inventory", 2_500), ("/central/stores/S2/inventory", 833)] {
        let (mut path, mut walked) = (format!("{path}?limit=1000"), Vec::new());
        loop {
            let page = node.get(&path).await;
            assert_eq!(page.is(200, "").json["asOf"], json!({node.id.to_string(): 2_500}));
            walked.extend(page.json["items"].as_array().unwrap().iter().map(|level| {
                format!("{}/{}", level["storeId"].as_str().unwrap(), level["sku"].as_str().unwrap())
            }));
            let Some(link) = page.header("link") else { break };
            path = link.strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned();
        }
        assert_eq!(walked.len(), expected);
        assert!(walked.is_sorted(), "by store and SKU");
    }
    for query in ["limit=1", "cursor=x"] {
        let answer = node.get_with(&format!("/central/inventory?{query}"), &[("accept", WHOLE)]).await;
        answer.is(400, "invalid-request");
    }
}

#[tokio::test]
async fn a_reader_can_wait_for_its_own_write() {
    let node = Scratch::with_worker(vec![]);
    let worker = node.worker.clone().unwrap();
    let running = tokio::spawn(async move { worker.run().await });
    node.stock(LEVEL, 5).await;
    for round in 1..=20 {
        let qty = node.post(&format!("{LEVEL}/adjust"), &[], r#"{"delta":1}"#).await.json["qty"].clone();
        let own = format!("atLeast={}:{}", node.id, round + 1);
        let sku = node.get(&format!("/central/inventory/A-1?{own}")).await;
        assert_eq!(sku.is(200, "").json["total"]["qty"], qty);
        let page = node.get(&format!("/central/stores/S1/inventory?{own}")).await;
        assert_eq!(page.json["items"][0]["qty"], qty);
    }
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn a_wait_has_an_end() {
    let node = Scratch::with_worker(vec![]);
    let begun = tokio::time::Instant::now();
    for (of, word) in [(node.id.to_string(), "nothing of that node"), (Uuid::nil().to_string(), "nothing")] {
        let answer = node.get(&format!("/central/inventory/A-1?atLeast={of}:1")).await;
        assert!(answer.is(503, "timeout").json["detail"].as_str().unwrap().contains(word));
    }
    assert_eq!(begun.elapsed(), Duration::from_secs(20));
    for at_least in ["", "1", "x:1", &format!("{}:", node.id), &format!("{}:-1", node.id)] {
        let answer = node.get(&format!("/central/inventory?atLeast={at_least}")).await;
        assert_eq!(answer.is(400, "invalid-request").json["errors"][0]["parameter"], "atLeast");
    }
    node.shutdown.cancel();
    node.get(&format!("/central/inventory/A-1?atLeast={}:1", node.id)).await.is(503, "not-ready");
}

#[tokio::test]
async fn without_a_worker_the_answer_names_the_remedy() {
    let node = Scratch::new();
    for (method, path) in [
        (Method::POST, "/sync"),
        (Method::GET, "/central/inventory/A-1"),
        (Method::GET, "/central/inventory"),
        (Method::GET, "/central/stores/S1/inventory"),
        (Method::GET, "/dead-letters"),
        (Method::GET, "/dead-letters/x"),
        (Method::POST, "/dead-letters/x/redrive"),
        (Method::DELETE, "/dead-letters/x?reason=why"),
    ] {
        let answer = node.send(request(method, path, &[], Body::empty())).await;
        assert!(answer.is(503, "not-ready").json["detail"].as_str().unwrap().contains("worker"), "{path}");
    }
    let ready = node.get("/readyz").await;
    assert_eq!((ready.status.as_u16(), ready.json.get("syncLag")), (200, None));
    node.get("/events").await.is(200, "");
}

#[tokio::test]
async fn how_stale_central_is_can_be_seen() {
    let told = Told::deliveries(7, 3);
    let node = Scratch::with_worker(vec![Arc::clone(&told) as _]);
    node.post("/sync", &[], "").await.is(200, "");
    node.stock(LEVEL, 1).await;
    node.stock(LEVEL, 1).await;
    let ready = node.get("/readyz").await;
    assert_eq!((&ready.is(200, "").json["syncLag"], &ready.json["deadLetters"]), (&2.into(), &0.into()));
    told.down.store(true, Ordering::SeqCst);
    let pass = node.post("/sync", &[], "").await;
    assert_eq!(
        (&pass.json["applied"], &pass.json["lag"]),
        (&2.into(), &0.into()),
        "one that is down holds up no other"
    );
    let ready = node.get("/readyz").await;
    let states: Vec<&Value> =
        ready.json["sources"].as_array().unwrap().iter().map(|source| &source["state"]).collect();
    assert_eq!(
        states,
        [&json!({"status": "well"}), &json!({"status": "failing", "reason": "the line is dead"})]
    );
    onhand_http::install_metrics();
    let text = node.get("/metrics").await.text;
    for name in
        ["onhand_sync_lag_events", "onhand_sync_source_lag_events{source=\"self\"}", "onhand_central_levels"]
    {
        assert!(text.contains(&format!("\n{name} ")), "{name} in {text}");
    }
    assert!(node.get_with("/metrics", &[("accept", "application/json")]).await.json["deadLetters"].is_u64());
}

#[tokio::test]
async fn a_model_that_another_process_fills_is_shown_too() {
    let shown = Arc::new(CentralModel::new(Central::default()));
    let node = Scratch::open(Setup { central: Some(Arc::clone(&shown)), ..Setup::default() });
    node.stock(LEVEL, 1).await;
    let wanted = format!("/central/inventory/T-1?atLeast={}:3", Uuid::from_u128(7));
    let filling = async {
        let other = Scratch::with_worker(vec![Told::deliveries(7, 3)]);
        other.post("/sync", &[], "").await.is(200, "");
        let mut filled = Central::default();
        other.worker.as_ref().unwrap().central().look(|central| {
            for (store, sku, levels) in central.all() {
                filled.put(&(store.clone(), sku.clone()), levels[0]);
            }
        });
        filled.advance(Uuid::from_u128(7), Sequence(3));
        shown.replace(filled);
    };
    let (answer, ()) = tokio::join!(node.get(&wanted), filling);
    assert_eq!(answer.is(200, "").json["total"]["qty"], 3);
    node.post("/sync", &[], "").await.is(503, "not-ready");
    let ready = node.get("/readyz").await;
    assert_eq!(
        (&ready.json["syncLag"], ready.json.get("sources")),
        (&1.into(), None),
        "its own log is not in it"
    );
}
