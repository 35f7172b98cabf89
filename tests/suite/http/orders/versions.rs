//! Steps that are conditional on a version: of the order, or of the shipment.

use super::{Answer, Desk, pointer, tea, with};
use serde_json::{Value, json};

async fn at(desk: &Desk, version: &str, path: &str, body: Value) -> Answer {
    desk.node.post(path, &[("if-match", version)], &body.to_string()).await
}

#[tokio::test]
async fn the_steps_of_an_order_are_about_its_version() {
    let desk = Desk::open().await;
    desk.placed(with(tea("o-1", 15), json!({"policy": {"partial": "backorder"}}))).await;
    for (path, body) in [
        ("confirm", json!({})),
        ("allot", json!({})),
        ("cancel", json!({})),
        ("status", json!({"status": "PLACED"})),
        ("status", json!({"status": "CONFIRMED"})),
        ("status", json!({"status": "SHIPPED"})),
        ("status", json!({"status": "CANCELLED"})),
    ] {
        let path = format!("/orders/o-1/{path}");
        desk.node.stock("/stores/ROME/inventory/TEA", 1).await;
        let end = desk.end().await;
        let stale = at(&desk, "\"7\"", &path, body.clone()).await;
        assert_eq!(stale.is(409, "version-conflict").json["currentVersion"], 1, "{path}");
        assert_eq!(stale.header("etag"), Some("\"1\""));
        let stale = desk.step(&path, with(body, json!({"expectedVersion": 2}))).await;
        stale.is(409, "version-conflict");
        assert_eq!(desk.end().await, end, "nothing changed");
    }
    let confirmed = at(&desk, "1", "/orders/o-1/confirm", json!({})).await;
    assert_eq!(confirmed.is(200, "").header("etag"), Some("\"3\""), "what waited was allotted, too");
    let again = at(&desk, "\"3\"", "/orders/o-1/confirm", json!({"expectedVersion": 3})).await;
    again.is(200, "");
    let cancelled = at(&desk, "*", "/orders/o-1/cancel", json!({})).await;
    assert_eq!(cancelled.is(200, "").header("etag"), Some("\"4\""));
    for (version, body) in [("W/\"4\"", json!({})), ("1, 2", json!({})), ("x", json!({}))] {
        at(&desk, version, "/orders/o-1/cancel", body).await.is(400, "invalid-request");
    }
    let both = at(&desk, "4", "/orders/o-1/cancel", json!({"expectedVersion": 5})).await;
    assert_eq!(pointer(both.is(400, "invalid-request")), "/expectedVersion");
    let placing = desk.node.post("/orders", &[("if-match", "*")], &tea("o-2", 1).to_string()).await;
    assert_eq!(placing.is(400, "invalid-request").json["errors"][0]["parameter"], "If-Match");
}

#[tokio::test]
async fn the_steps_of_a_shipment_are_about_the_version_of_the_shipment() {
    let desk = Desk::open().await;
    desk.placed(tea("o-1", 4)).await;
    desk.done("/orders/o-1/confirm", json!({})).await;
    for (path, body) in [
        ("instruct", json!({})),
        ("ship", json!({})),
        ("deliver", json!({})),
        ("refuse", json!({"reason": "busy"})),
        ("cancel", json!({})),
    ] {
        let path = format!("/shipments/o-1.s1/{path}");
        let stale = at(&desk, "2", &path, body.clone()).await;
        assert_eq!(
            stale.is(409, "version-conflict").json["currentVersion"],
            1,
            "{path}: that of the order is 2"
        );
        desk.step(&path, with(body, json!({"expectedVersion": 0}))).await.is(409, "version-conflict");
    }
    let ship = json!({"lines": [{"line": 1, "qty": 1}]});
    let first = at(&desk, "\"1\"", "/shipments/o-1.s1/ship", ship.clone()).await;
    assert_eq!(first.is(200, "").header("etag"), Some("\"2\""));
    at(&desk, "\"1\"", "/shipments/o-1.s1/ship", ship.clone()).await.is(409, "version-conflict");
    let second = at(&desk, "*", "/shipments/o-1.s1/ship", ship).await;
    assert_eq!(second.is(200, "").json["version"], 3);
    let refused =
        at(&desk, "3", "/shipments/o-1.s1/refuse", json!({"reason": "busy", "expectedVersion": 3})).await;
    assert_eq!(refused.is(200, "").header("etag"), Some("\"4\""));
}

/// The answer to a retry is given whatever the version is by now.
#[tokio::test]
async fn a_retry_keeps_its_condition() {
    let desk = Desk::open().await;
    desk.placed(tea("o-1", 4)).await;
    let send = async |path: &str| {
        let headers = [("idempotency-key", path), ("if-match", "1")];
        desk.node.post(path, &headers, "{}").await
    };
    for path in ["/shipments/o-1.s1/instruct", "/orders/o-1/confirm"] {
        send(path).await.is(200, "");
        assert_eq!(send(path).await.is(200, "").header("idempotency-replayed"), Some("true"));
    }
}
