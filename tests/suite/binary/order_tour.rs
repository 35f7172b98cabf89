//! The tour of the steps of orders: each once at each address, in an order in which all of them succeed.

use super::api::Api;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Calls every route that changes an order or a shipment. For each prefix there is an `order-<place>` afterwards, with a shipment.
pub(super) async fn tour_of_orders(api: &Api, served: &mut BTreeSet<(String, String)>) {
    let stock = api.post("/stores/ORDERS/inventory/BOOK/adjust", &[], &json!({"delta": 100})).await;
    assert_eq!(stock.status, 200, "{}", stock.text);
    for (place, prefix) in ["", "/api"].into_iter().enumerate() {
        for (verb, template, id, body) in steps(place) {
            let path = template
                .replace("{orderId}", &id)
                .replace("{shipmentId}", &id)
                .replace("{customerId}", &id)
                .replace("{returnId}", if template.ends_with("/refuse") { "r-2" } else { "r-1" });
            let path = format!("{prefix}{path}");
            let key =
                format!("{verb} {path} {}{}", body["orderId"], body["returnId"]).replace([' ', '"'], "-");
            let headers = [("idempotency-key", key.as_str())];
            let reply = api.try_say(verb.parse().unwrap(), &path, &headers, &body).await.unwrap();
            let created = template == "/orders";
            assert_eq!(reply.status, 200 + u16::from(created), "{verb} {path}: {}", reply.text);
            served.insert((verb.to_owned(), format!("{prefix}{template}")));
        }
    }
}

/// Verb, address, the id in it, body.
fn steps(place: usize) -> Vec<(&'static str, &'static str, String, Value)> {
    let [order, other, third] = ["order", "other", "third"].map(|name| format!("{name}-{place}"));
    let customer = format!("customer-{place}");
    let placed = |id: &str| {
        let lines = json!([{"bookId": "BOOK", "quantity": 3, "unitPrice": 1200}]);
        json!({"orderId": id, "currency": "EUR", "shipTo": {"city": "London"}, "lines": lines})
    };
    let mut of_customer = placed(&third);
    of_customer["customerId"] = customer.clone().into();
    let back = |id: &str| json!({"returnId": id, "lines": [{"line": 1, "qty": 1}]});
    let first = |id: &str| format!("{id}.s1");
    vec![
        ("POST", "/orders", String::new(), placed(&order)),
        ("POST", "/orders/{orderId}/hold", order.clone(), json!({"reason": "a check"})),
        ("POST", "/orders/{orderId}/release-hold", order.clone(), json!({})),
        ("POST", "/orders/{orderId}/confirm", order.clone(), json!({"storeId": "ORDERS"})),
        ("POST", "/orders/{orderId}/allot", order.clone(), json!({"rules": {}})),
        (
            "POST",
            "/orders/{orderId}/payments",
            order.clone(),
            json!({"paymentId": "p-1", "kind": "captured", "amount": 3600}),
        ),
        ("POST", "/shipments/{shipmentId}/instruct", first(&order), json!({})),
        (
            "POST",
            "/shipments/{shipmentId}/ship",
            first(&order),
            json!({"carrier": "DHL", "tracking": "JD-1"}),
        ),
        ("POST", "/shipments/{shipmentId}/deliver", first(&order), json!({})),
        ("POST", "/orders/{orderId}/status", order.clone(), json!({"status": "DELIVERED"})),
        ("PATCH", "/orders/{orderId}/status", order.clone(), json!({"status": "DELIVERED"})),
        ("POST", "/orders/{orderId}/returns", order.clone(), back("r-1")),
        ("POST", "/orders/{orderId}/returns/{returnId}/approve", order.clone(), json!({})),
        ("POST", "/orders/{orderId}/returns/{returnId}/receive", order.clone(), json!({"storeId": "ORDERS"})),
        ("POST", "/orders/{orderId}/returns/{returnId}/close", order.clone(), json!({})),
        ("POST", "/orders/{orderId}/returns", order.clone(), back("r-2")),
        ("POST", "/orders/{orderId}/returns/{returnId}/refuse", order, json!({"reason": "opened"})),
        ("POST", "/orders", String::new(), placed(&other)),
        ("POST", "/shipments/{shipmentId}/refuse", first(&other), json!({"reason": "busy"})),
        ("POST", "/orders/{orderId}/erase", other, json!({})),
        ("POST", "/orders", String::new(), of_customer),
        ("POST", "/shipments/{shipmentId}/cancel", first(&third), json!({"reason": "no box"})),
        ("POST", "/orders/{orderId}/cancel", third, json!({"reason": "enough"})),
        ("POST", "/customers/{customerId}/erase", customer, json!({})),
    ]
}
