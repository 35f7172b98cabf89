//! The same order again: by its id, and by an `Idempotency-Key`.

use super::{Desk, Scratch, Setup, pieces, tea, with};
use serde_json::{Value, json};

/// An order with everything that can differ.
fn whole() -> Value {
    json!({
        "orderId": "o-1", "customerId": "c-1", "currency": "EUR",
        "customer": {"name": "Ada Lovelace"}, "shipTo": {"street": "12 St James Square", "city": "London"},
        "lines": [{"sku": "TEA", "qty": 2, "unitPrice": 350}], "policy": {"partial": "backorder"},
    })
}

#[tokio::test]
async fn the_same_order_twice_is_one() {
    let desk = Desk::open().await;
    let order = desk.placed(whole()).await;
    let end = desk.end().await;
    let again = desk.place(&whole()).await;
    assert_eq!((&again.is(200, "").json, again.header("etag")), (&order, Some("\"1\"")));
    assert_eq!((again.header("location"), again.header("idempotency-replayed")), (None, None));
    // By its meaning, in whatever words, and whichever store the caller would choose now.
    let mut reworded = whole();
    reworded["lines"] = json!([{"quantity": 2, "unitPrice": 350, "bookId": "TEA"}]);
    reworded["storeId"] = "BERLIN".into();
    desk.place(&reworded).await.is(200, "");
    assert_eq!(desk.end().await, end, "nothing changed");
    desk.done("/orders/o-1/cancel", json!({})).await;
    let cancelled = desk.place(&whole()).await;
    assert_eq!(cancelled.is(200, "").json["status"], "CANCELLED", "it is the order as it is by now");
}

#[tokio::test]
async fn an_order_of_the_same_id_with_other_content_is_refused() {
    let desk = Desk::open().await;
    let order = desk.placed(whole()).await;
    let end = desk.end().await;
    for (more, differs) in [
        (json!({"lines": [{"sku": "TEA", "qty": 3, "unitPrice": 350}]}), json!(["lines"])),
        (json!({"lines": [{"sku": "CUP", "qty": 2, "unitPrice": 350}]}), json!(["lines"])),
        (json!({"lines": [{"sku": "TEA", "qty": 2, "unitPrice": 350, "tax": 1}]}), json!(["lines"])),
        (json!({"customerId": "c-2"}), json!(["customerId"])),
        (json!({"currency": "USD"}), json!(["currency"])),
        (json!({"policy": {}}), json!(["policy"])),
        (json!({"policy": {}, "currency": "USD"}), json!(["currency", "policy"])),
        (json!({"shipTo": {"street": "12 St James Square", "city": "Paris"}}), json!(["personal"])),
        (json!({"shipTo": {"street": "12 St James Square"}}), json!(["personal"])),
        (json!({"customer": {"name": "Ada"}}), json!(["personal"])),
    ] {
        let answer = desk.place(&with(whole(), more.clone())).await;
        answer.is(409, "order-exists");
        assert_eq!(
            (&answer.json["differs"], &answer.json["currentVersion"]),
            (&differs, &json!(1)),
            "{more}"
        );
    }
    for member in ["customer", "shipTo"] {
        let mut less = whole();
        less.as_object_mut().unwrap().remove(member);
        assert_eq!(desk.place(&less).await.is(409, "order-exists").json["differs"], json!(["personal"]));
    }
    assert_eq!((desk.end().await, desk.order("o-1").await), (end, order), "nothing changed");
}

#[tokio::test]
async fn a_difference_of_the_address_hides_no_other_one() {
    let desk = Desk::open().await;
    desk.placed(whole()).await;
    let other = json!({"shipTo": {"city": "Paris"}, "policy": {}});
    let answer = desk.place(&with(whole(), other)).await;
    assert_eq!(answer.is(409, "order-exists").json["differs"], json!(["personal", "policy"]));
}

#[tokio::test]
async fn a_retry_gets_the_order_of_the_first_request() {
    let directory = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let setup = || Setup { directory: std::sync::Arc::clone(&directory), ..Setup::default() };
    let desk = Desk::of(Scratch::open(setup())).await;
    // The server makes the id: only the key tells that it is the same request.
    let unnamed = json!({"lines": [{"sku": "TEA", "qty": 13}], "shipTo": {"city": "London"}});
    let first = desk.place_with("k-1", &unnamed).await;
    assert_eq!(first.is(201, "").header("idempotency-replayed"), None);
    let end = desk.end().await;
    // All tea is gone by now.
    desk.place(&tea("o-9", 1)).await.is(409, "insufficient-stock");
    let again = desk.place_with("k-1", &unnamed).await;
    assert_eq!(
        (again.is(201, "").text.as_str(), again.header("idempotency-replayed")),
        (&*first.text, Some("true"))
    );
    assert_eq!(again.header("location"), first.header("location"));
    let quoted = desk.place_with("\"k-1\"", &unnamed).await;
    assert_eq!(quoted.is(201, "").json["orderId"], first.json["orderId"]);
    desk.place_with("k-1", &with(unnamed.clone(), json!({"storeId": "PARIS"})))
        .await
        .is(409, "idempotency-key-reused");
    desk.place_with("k-1", &tea("o-9", 1)).await.is(409, "idempotency-key-reused");
    assert_eq!(desk.end().await, end, "nothing changed");
    let node = desk.node.restart(setup());
    let desk = Desk { node };
    assert_eq!(desk.place_with("k-1", &unnamed).await.is(201, "").text, first.text);
    let id = first.json["orderId"].as_str().unwrap();
    desk.done(&format!("/orders/{id}/cancel"), json!({})).await;
    let later = desk.place_with("k-1", &unnamed).await;
    assert_eq!(
        (&later.is(201, "").json["status"], pieces(&later.json)),
        (&json!("CANCELLED"), [13, 0, 0, 0, 0])
    );
}

#[tokio::test]
async fn a_retry_of_an_order_that_names_its_id_is_marked_too() {
    let desk = Desk::open().await;
    desk.place_with("k-1", &tea("o-1", 2)).await.is(201, "");
    let again = desk.place_with("k-1", &tea("o-1", 2)).await;
    assert_eq!((again.status.as_u16(), again.header("idempotency-replayed")), (201, Some("true")));
    let known = desk.place_with("k-2", &tea("o-1", 2)).await;
    assert_eq!((known.status.as_u16(), known.header("idempotency-replayed")), (200, None));
}

/// A refusal is not recorded: it is decided anew.
#[tokio::test]
async fn a_refused_order_may_be_sent_again_with_its_key() {
    let desk = Desk::open().await;
    desk.place_with("k-1", &tea("o-1", 20)).await.is(409, "insufficient-stock");
    desk.node.stock("/stores/ROME/inventory/TEA", 20).await;
    let later = desk.place_with("k-1", &tea("o-1", 20)).await;
    assert_eq!(later.is(201, "").header("idempotency-replayed"), None);
}

#[tokio::test]
async fn every_step_is_made_once_however_often_it_is_sent() {
    let desk = Desk::open().await;
    desk.placed(tea("o-1", 4)).await;
    let send = async |path: &str, body: Value| {
        let headers = [("idempotency-key", path)];
        let first = desk.node.post(path, &headers, &body.to_string()).await;
        assert_eq!(first.is(200, "").header("idempotency-replayed"), None, "{path}");
        let end = desk.end().await;
        let again = desk.node.post(path, &headers, &body.to_string()).await;
        assert_eq!(again.is(200, "").header("idempotency-replayed"), Some("true"), "{path}");
        assert_eq!((again.text, desk.end().await), (first.text, end), "{path}");
    };
    send("/orders/o-1/confirm", json!({})).await;
    send("/shipments/o-1.s1/instruct", json!({})).await;
    send("/shipments/o-1.s1/ship", json!({"lines": [{"line": 1, "qty": 1}]})).await;
    send("/shipments/o-1.s1/refuse", json!({"reason": "busy"})).await;
    send("/shipments/o-1.s2/ship", json!({})).await;
    send("/shipments/o-1.s1/deliver", json!({})).await;
    send("/orders/o-1/status", json!({"status": "DELIVERED"})).await;
    desk.placed(with(tea("o-2", 12), json!({"policy": {"partial": "backorder"}}))).await;
    desk.node.stock("/stores/ROME/inventory/TEA", 20).await;
    send("/orders/o-2/allot", json!({})).await;
    send("/shipments/o-2.s1/cancel", json!({})).await;
    send("/orders/o-2/cancel", json!({"reason": "enough"})).await;
    assert_eq!(pieces(&desk.order("o-2").await), [12, 0, 0, 0, 0]);
}
