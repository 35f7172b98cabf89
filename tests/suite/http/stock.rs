//! Stock over HTTP: the stories of a till.

use super::{Answer, Scratch};
use serde_json::json;

const LEVEL: &str = "/stores/S1/inventory/A-1";

impl Answer {
    #[track_caller]
    fn is_level(&self, on_hand: i64, reserved: i64, version: u64) -> &Self {
        self.is(200, "");
        let numbers =
            json!([self.json["onHand"], self.json["reserved"], self.json["qty"], self.json["version"]]);
        assert_eq!(numbers, json!([on_hand, reserved, on_hand - reserved, version]), "{}", self.text);
        assert_eq!(self.header("etag"), Some(format!("\"{version}\"").as_str()));
        self
    }
}

#[tokio::test]
async fn from_the_first_delivery_to_the_last_count() {
    let node = Scratch::new();
    let verb = |verb: &str| format!("{LEVEL}/{verb}");
    node.get(LEVEL).await.is(404, "not-found");
    let empty = node.post(&verb("adjust"), &[], r#"{"delta":-1}"#).await;
    assert_eq!(empty.is(409, "insufficient-stock").json["available"], 0);
    node.post(&verb("adjust"), &[], r#"{"delta":10,"reason":"delivery","reference":"PO-1"}"#)
        .await
        .is_level(10, 0, 1);
    let held = node.post(&verb("reserve"), &[], r#"{"qty":4,"reservationId":"r-1","ttlSeconds":60}"#).await;
    held.is_level(10, 4, 2);
    assert_eq!(held.json["reservation"]["reservationId"], "r-1");
    assert_eq!(held.json["reservation"]["qty"], 4);
    assert!(held.json["reservation"]["expiresAt"].is_string());
    node.post(&verb("reserve"), &[], r#"{"qty":1,"reservationId":"r-1"}"#).await.is(409, "already-exists");
    let short = node.post(&verb("reserve"), &[], r#"{"qty":7}"#).await;
    assert_eq!(short.is(409, "insufficient-stock").json["available"], 6);
    assert_eq!(short.header("etag"), Some("\"2\""));
    node.post(&verb("release"), &[], r#"{"reservationId":"r-1","qty":1}"#).await.is_level(10, 3, 3);
    node.post(&verb("commit"), &[], r#"{"reservationId":"r-1","qty":2,"closeRemainder":true}"#)
        .await
        .is_level(8, 0, 5);
    node.post(&verb("commit"), &[], r#"{"reservationId":"r-1"}"#).await.is(409, "reservation-closed");
    node.post(&verb("release"), &[], r#"{"reservationId":"r-9"}"#).await.is(404, "reservation-not-found");
    node.post(&verb("count"), &[], r#"{"counted":7,"reason":"inventory"}"#).await.is_level(7, 0, 6);
    // Counted when the books had 10 (after sequence 1), found 9: one piece less than booked, whatever came later.
    node.post(&verb("count"), &[], r#"{"counted":9,"asOf":1}"#).await.is_level(6, 0, 7);
    node.post(&verb("count"), &[], r#"{"counted":9,"asOf":99}"#).await.is(400, "invalid-request");
    node.get(LEVEL).await.is_level(6, 0, 7);
    node.get(&format!("{LEVEL}?asOf=2")).await.is_level(10, 4, 2);
    node.get(&format!("{LEVEL}?asOf=0")).await.is(404, "not-found");
    for alias in ["/api", "/api/inventory"] {
        node.get(&format!("{alias}{LEVEL}")).await.is_level(6, 0, 7);
    }
}

#[tokio::test]
async fn a_server_made_reservation_can_be_settled() {
    let node = Scratch::new();
    node.stock("/stores/S1/inventory/BANK%20CHARGES", 3).await;
    let held = node.post("/stores/S1/inventory/BANK%20CHARGES/reserve", &[], r#"{"qty":2}"#).await;
    let id = held.is_level(3, 2, 2).json["reservation"]["reservationId"].as_str().unwrap().to_owned();
    assert_eq!(held.json["sku"], "BANK CHARGES");
    assert_eq!(held.json["reservation"].get("expiresAt"), None);
    let body = format!(r#"{{"reservationId":"{id}"}}"#);
    node.post("/stores/S1/inventory/BANK%20CHARGES/commit", &[], &body).await.is_level(1, 0, 3);
}

#[tokio::test]
async fn versions_guard_every_verb() {
    let node = Scratch::new();
    node.stock(LEVEL, 5).await;
    node.post(&format!("{LEVEL}/reserve"), &[], r#"{"qty":2,"reservationId":"r"}"#).await.is_level(5, 2, 2);
    for (verb, body) in [
        ("adjust", r#"{"delta":1}"#),
        ("reserve", r#"{"qty":1}"#),
        ("release", r#"{"reservationId":"r"}"#),
        ("commit", r#"{"reservationId":"r"}"#),
        ("count", r#"{"counted":5}"#),
    ] {
        let path = format!("{LEVEL}/{verb}");
        let answer = node.post(&path, &[("if-match", "\"1\"")], body).await;
        assert_eq!(answer.is(409, "version-conflict").json["currentVersion"], 2, "{verb}");
        assert_eq!(answer.header("etag"), Some("\"2\""));
    }
    let path = format!("{LEVEL}/adjust");
    node.post(&path, &[], r#"{"delta":1,"expectedVersion":1}"#).await.is(409, "version-conflict");
    node.post(&path, &[("if-match", "2")], r#"{"delta":1,"expectedVersion":2}"#).await.is_level(6, 2, 3);
    node.post(&path, &[("if-match", "*")], r#"{"delta":1}"#).await.is_level(7, 2, 4);
    let nowhere = "/stores/S1/inventory/NEW/adjust";
    let answer = node.post(nowhere, &[("if-match", "*")], r#"{"delta":1}"#).await;
    assert_eq!(answer.is(409, "version-conflict").json["currentVersion"], 0);
    node.post(nowhere, &[("if-match", "0")], r#"{"delta":1}"#).await.is_level(1, 0, 1);
}

#[tokio::test]
async fn a_reader_with_the_current_version_gets_304() {
    let node = Scratch::new();
    node.stock(LEVEL, 5).await;
    let answer = node.get_with(LEVEL, &[("if-none-match", "\"1\"")]).await;
    assert_eq!((answer.is(304, "").header("etag"), answer.text.as_str()), (Some("\"1\""), ""));
    node.get_with(LEVEL, &[("if-none-match", "\"2\"")]).await.is_level(5, 0, 1);
}

#[tokio::test]
async fn a_retry_gets_the_first_answer_again() {
    let node = Scratch::new();
    node.stock(LEVEL, 5).await;
    let path = format!("{LEVEL}/reserve");
    let key = [("idempotency-key", "order-1"), ("if-match", "\"1\"")];
    let first = node.post(&path, &key, r#"{"qty":2}"#).await;
    first.is_level(5, 2, 2);
    assert_eq!(first.header("idempotency-replayed"), None);
    node.stock(LEVEL, 1).await;
    // Quoted, spaced and by another alias, with a condition that is stale by now: still the same request.
    for (path, key, body) in
        [(path.clone(), "order-1", r#"{"qty":2}"#), (format!("/api{path}"), "\"order-1\"", r#"{ "qty": 2 }"#)]
    {
        let again = node.post(&path, &[("idempotency-key", key), ("if-match", "\"1\"")], body).await;
        assert_eq!(again.json, first.json);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.header("etag"), Some("\"2\""));
    }
    node.post(&path, &key, r#"{"qty":3}"#).await.is(409, "idempotency-key-reused");
    // A rejection changed nothing, so it is decided anew.
    let wish = [("idempotency-key", "order-2")];
    node.post(&path, &wish, r#"{"qty":9}"#).await.is(409, "insufficient-stock");
    node.stock(LEVEL, 9).await;
    node.post(&path, &wish, r#"{"qty":9}"#).await.is_level(15, 11, 5);
}

#[tokio::test]
async fn lists_and_histories_come_in_pages() {
    let node = Scratch::new();
    for sku in ["B", "A", "C"] {
        node.stock(&format!("/stores/S1/inventory/{sku}"), 5).await;
    }
    node.stock("/stores/S2/inventory/Z", 5).await;
    let mut path = "/api/stores/S1/inventory?limit=2".to_owned();
    let mut skus = Vec::new();
    loop {
        let page = node.get(&path).await;
        page.is(200, "");
        skus.extend(page.json["items"].as_array().unwrap().iter().map(|level| level["sku"].clone()));
        let Some(cursor) = page.json["nextCursor"].as_str() else { break };
        let link = page.header("link").unwrap();
        path = link.strip_prefix('<').unwrap().split_once(">; rel=\"next\"").unwrap().0.to_owned();
        assert!(path.starts_with("/api/stores/S1/inventory?limit=2&cursor=") && path.ends_with(cursor));
    }
    assert_eq!(json!(skus), json!(["A", "B", "C"]));
    assert_eq!(node.get("/stores/NONE/inventory").await.json, json!({"items": [], "nextCursor": null}));

    node.post("/stores/S1/inventory/A/reserve", &[], r#"{"qty":2,"reservationId":"r"}"#)
        .await
        .is_level(5, 2, 2);
    let history = node.get("/stores/S1/inventory/A/history").await;
    let [adjust, reserve] = history.json["items"].as_array().unwrap().as_slice() else {
        panic!("two movements")
    };
    assert_eq!((&adjust["type"], &reserve["type"]), (&"ADJUST".into(), &"RESERVE".into()));
    assert_eq!(reserve["before"], json!({"qty": 5, "onHand": 5, "reserved": 0, "version": 1}));
    assert_eq!(reserve["after"], json!({"qty": 3, "onHand": 5, "reserved": 2, "version": 2}));
    assert_eq!((&reserve["payload"]["reservationId"], &reserve["actor"]), (&"r".into(), &"local".into()));
    let only = node.get("/stores/S1/inventory/A/history?type=RESERVE&limit=1").await;
    assert_eq!(only.json["items"], json!([reserve]));
    node.get("/stores/S1/inventory/NONE/history").await.is(404, "not-found");
}

#[tokio::test]
async fn an_atomic_batch_is_all_or_nothing() {
    let node = Scratch::new();
    node.stock(LEVEL, 5).await;
    let operation = |qty: i64| json!({"op": "reserve", "storeId": "S1", "sku": "A-1", "qty": qty});
    let refused = json!({"operations": [operation(3), operation(3)]}).to_string();
    let answer = node.post("/inventory/batch", &[], &refused).await;
    answer.is(409, "insufficient-stock");
    assert_eq!((&answer.json["pointer"], &answer.json["available"]), (&"/operations/1".into(), &2.into()));
    node.get(LEVEL).await.is_level(5, 0, 1);
    let good = json!({"operations": [operation(3), operation(2)]}).to_string();
    let key = [("idempotency-key", "basket")];
    let answer = node.post("/api/inventory/inventory/batch", &key, &good).await;
    answer.is(200, "");
    assert_eq!((&answer.json["applied"], &answer.json["refused"]), (&2.into(), &0.into()));
    assert_eq!(answer.json["results"][1]["qty"], 0);
    assert!(answer.json["results"][1]["reservationId"].is_string());
    let again = node.post("/inventory/batch", &key, &good).await;
    assert_eq!((again.json, again.headers["idempotency-replayed"].to_str().unwrap()), (answer.json, "true"));
    node.get(LEVEL).await.is_level(5, 5, 3);
}

#[tokio::test]
async fn a_batch_by_lines_decides_each_by_itself() {
    let node = Scratch::new();
    node.stock(LEVEL, 5).await;
    let lines = [
        r#"{"op":"reserve","storeId":"S1","sku":"A-1","qty":4,"reservationId":"r","idempotencyKey":"k"}"#,
        r#"{"op":"reserve","storeId":"S1","sku":"A-1","qty":4}"#,
        r#"{"op":"commit","storeId":"S1","sku":"A-1","reservationId":"r","qty":1,"closeRemainder":true}"#,
        r#"{"op":"adjust","storeId":"S1","sku":"A-1","delta":1,"expectedVersion":9}"#,
    ];
    let send = |atomic: &'static str| {
        let headers = [("content-type", "application/x-ndjson")];
        let path = format!("/inventory/batch?atomic={atomic}");
        super::request(http::Method::POST, &path, &headers, lines.join("\n").into())
    };
    node.send(send("true")).await.is(409, "insufficient-stock");
    let answer = node.send(send("false")).await;
    answer.is(200, "");
    let results = answer.json["results"].as_array().unwrap();
    assert_eq!(results[0], json!({"status": 200, "version": 2, "qty": 1, "reservationId": "r"}));
    assert_eq!((&results[1]["code"], &results[1]["available"]), (&"insufficient-stock".into(), &1.into()));
    assert_eq!(results[2], json!({"status": 200, "version": 4, "qty": 4}));
    assert_eq!((&results[3]["code"], &results[3]["currentVersion"]), (&"version-conflict".into(), &4.into()));
    assert_eq!((&answer.json["applied"], &answer.json["refused"]), (&2.into(), &2.into()));

    // The operation's key is valid for its own route too, and the other way round.
    let alone = node
        .post(&format!("{LEVEL}/reserve"), &[("idempotency-key", "k")], r#"{"qty":4,"reservationId":"r"}"#)
        .await;
    alone.is_level(5, 4, 2);
    assert_eq!(alone.header("idempotency-replayed"), Some("true"));
    assert_eq!(alone.json["reservation"]["reservationId"], "r");
    let answer = node.send(send("false")).await;
    let replayed = json!({"status": 200, "version": 2, "qty": 1, "reservationId": "r", "replayed": true});
    assert_eq!(answer.json["results"][0], replayed);
    assert_eq!(answer.json["results"][2]["code"], "reservation-closed");
}

#[tokio::test]
async fn an_import_goes_step_by_step_and_never_twice() {
    let node = Scratch::new();
    let row = |row: u64, sku: &str, kind: &str, quantity: i64| json!({"row": row, "storeId": "S1", "sku": sku, "kind": kind, "quantity": quantity, "openingStock": 10});
    let step = |after: u64, through: u64, last: bool, rows: serde_json::Value| {
        json!({"afterRow": after, "throughRow": through, "last": last, "rows": rows}).to_string()
    };
    node.get("/imports/file-1").await.is(404, "not-found");
    let first = step(0, 3, false, json!([row(1, "A", "sale", 4), row(3, "A", "sale", 7)]));
    let answer = node.post("/imports/file-1/rows", &[], &first).await;
    answer.is(200, "");
    assert_eq!(answer.json["results"][0], json!({"row": 1, "status": 200}));
    assert_eq!(answer.json["results"][1]["code"], "insufficient-stock");
    assert_eq!((&answer.json["rowsDone"], &answer.json["finished"]), (&3.into(), &false.into()));
    let repeated = node.post("/imports/file-1/rows", &[], &first).await;
    assert_eq!(repeated.is(409, "import-out-of-step").json["rowsDone"], 3);
    let second = step(3, 4, true, json!([row(4, "A", "return", 1)]));
    node.post("/imports/file-1/rows", &[], &second).await.is(200, "");
    let import = node.get("/api/imports/file-1").await;
    let told =
        ["rowsDone", "applied", "refused", "finished", "version"].map(|member| import.json[member].clone());
    assert_eq!(json!(told), json!([4, 2, 1, true, 2]));
    let refusals = node.get("/imports/file-1/refusals").await;
    assert_eq!(refusals.json["items"], json!([{"row": 3, "code": "insufficient-stock", "available": 6}]));
    node.get("/imports/file-2/refusals").await.is(404, "not-found");
    node.get("/stores/S1/inventory/A").await.is_level(7, 0, 3);
}
