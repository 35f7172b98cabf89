//! Names and prices: taken from the catalogue when an order is placed, and kept.

use super::{Desk, Method, tea, with};
use serde_json::json;

/// Tea at 3.50 in the catalogue, in euros; cups at 5.00, in pounds.
async fn desk() -> Desk {
    let desk = Desk::open().await;
    for (sku, name, amount, currency) in [("TEA", "Green tea", 350, "EUR"), ("CUP", "A cup", 500, "GBP")] {
        let body =
            json!({"name": name, "unitPrice": {"amountMinor": amount, "currency": currency}}).to_string();
        desk.node.say(Method::PUT, &format!("/products/{sku}"), &[], &body).await.is(201, "");
        desk.node.stock(&format!("/stores/ROME/inventory/{sku}"), 9).await;
    }
    desk
}

#[tokio::test]
async fn they_are_those_of_the_placing_whatever_the_catalogue_says_later() {
    let desk = desk().await;
    let order = desk.placed(tea("o-1", 2)).await;
    let line = &order["lines"][0];
    assert_eq!(
        (&line["name"], &line["unitPrice"], &line["amount"]),
        (&json!("Green tea"), &json!(350), &json!(700))
    );
    assert_eq!((&order["currency"], &order["total"]), (&json!("EUR"), &json!(700)));
    let dearer =
        json!({"name": "Better tea", "unitPrice": {"amountMinor": 400, "currency": "EUR"}}).to_string();
    desk.node.say(Method::PUT, "/products/TEA", &[], &dearer).await.is(200, "");
    assert_eq!(desk.order("o-1").await, order);
    let later = desk.placed(tea("o-2", 2)).await;
    assert_eq!((&later["lines"][0]["name"], &later["total"]), (&json!("Better tea"), &json!(800)));
    desk.node.delete("/products/TEA").await.is(204, "");
    assert_eq!(desk.order("o-1").await["lines"][0]["name"], "Green tea");
    let unknown = desk.placed(tea("o-3", 1)).await;
    assert_eq!((unknown["lines"][0].get("name"), unknown.get("currency")), (None, None));
}

#[tokio::test]
async fn what_a_line_says_itself_counts() {
    let desk = desk().await;
    let lines = json!([{"sku": "TEA", "qty": 1, "unitPrice": 300}, {"sku": "TEA", "qty": 1, "name": "Gift"}]);
    let order = desk.placed(json!({"orderId": "o-1", "currency": "EUR", "lines": lines})).await;
    assert_eq!(
        (&order["lines"][0]["name"], &order["lines"][1]["name"]),
        (&json!("Green tea"), &json!("Gift"))
    );
    assert_eq!((&order["lines"][1]["unitPrice"], &order["total"]), (&json!(350), &json!(650)));
}

#[tokio::test]
async fn an_order_has_one_currency() {
    let desk = desk().await;
    let both = json!([{"sku": "TEA", "qty": 1}, {"sku": "CUP", "qty": 1}]);
    for (more, pointer, names) in [
        (json!({"lines": both}), "/lines/1/unitPrice", "GBP"),
        (json!({"currency": "USD"}), "/lines/0/unitPrice", "EUR"),
        (json!({"lines": [{"sku": "NEW", "qty": 1, "unitPrice": 5}]}), "/currency", "line 1"),
    ] {
        let end = desk.end().await;
        let answer = desk.place(&with(tea("o-1", 1), more)).await;
        answer.is(400, "invalid-request");
        assert_eq!(super::pointer(&answer), pointer, "{}", answer.text);
        assert!(answer.json["detail"].as_str().unwrap().contains(names), "{}", answer.text);
        assert_eq!(desk.end().await, end, "nothing changed");
    }
    let told = json!([{"sku": "TEA", "qty": 1}, {"sku": "CUP", "qty": 1, "unitPrice": 600}]);
    let order = desk.placed(json!({"orderId": "o-1", "lines": told, "currency": "EUR"})).await;
    assert_eq!((&order["total"], &order["lines"][1]["name"]), (&json!(950), &json!("A cup")));
}

/// What is left out is that of the order which is there, whatever the catalogue says by now.
#[tokio::test]
async fn the_same_order_again_is_compared_with_what_was_taken_then() {
    let desk = desk().await;
    let order = desk.placed(tea("o-1", 2)).await;
    let again = desk.place(&tea("o-1", 2)).await;
    assert_eq!(again.is(200, "").json, order);
    let dearer =
        json!({"name": "Better tea", "unitPrice": {"amountMinor": 400, "currency": "USD"}}).to_string();
    desk.node.say(Method::PUT, "/products/TEA", &[], &dearer).await.is(200, "");
    assert_eq!(desk.place(&tea("o-1", 2)).await.is(200, "").json, order);
    let told = json!({"currency": "EUR", "lines": [{"sku": "TEA", "qty": 2, "unitPrice": 350, "name": "Green tea"}]});
    assert_eq!(desk.place(&with(tea("o-1", 2), told)).await.is(200, "").json, order);
    let other = json!({"lines": [{"sku": "TEA", "qty": 2, "unitPrice": 351}], "currency": "EUR"});
    let refused = desk.place(&with(tea("o-1", 2), other)).await;
    assert_eq!(refused.is(409, "order-exists").json["differs"], json!(["lines"]));
}

/// The first answer, whatever the catalogue says by now.
#[tokio::test]
async fn a_retry_is_not_compared_with_the_catalogue_of_today() {
    let desk = desk().await;
    let order = json!({"currency": "EUR", "lines": [{"sku": "TEA", "qty": 1}]});
    let first = desk.place_with("k-1", &order).await;
    first.is(201, "");
    let dollars =
        json!({"name": "Green tea", "unitPrice": {"amountMinor": 350, "currency": "USD"}}).to_string();
    desk.node.say(Method::PUT, "/products/TEA", &[], &dollars).await.is(200, "");
    let again = desk.place_with("k-1", &order).await;
    assert_eq!(
        (again.is(201, "").text.as_str(), again.header("idempotency-replayed")),
        (&*first.text, Some("true"))
    );
}
