//! The refusals of orders and shipments, provoked for real.

use super::api::{Api, Reply};
use serde_json::{Value, json};

/// Codes that take many requests, or a race: met in `http::orders`.
pub(super) const OF_MANY: [&str; 4] =
    ["plan-stale", "too-many-shipments", "too-many-payments", "too-many-returns"];

/// One refusal of each other code.
pub(super) async fn refusals(api: &Api) -> Vec<Reply> {
    let mut told = Vec::new();
    let mut refused = async |status, code: &str, path: &str, body: Value| {
        let reply = api.post(path, &[], &body).await;
        reply.is(status, code);
        told.push(reply);
    };
    let done = async |path: &str, body: Value| {
        let reply = api.post(path, &[], &body).await;
        assert!(matches!(reply.status, 200 | 201), "{path}: {}", reply.text);
    };
    let order = |id: &str, qty: u32, policy: Value| {
        let lines = json!([{"sku": "BOOK", "qty": qty, "unitPrice": 100}]);
        json!({"orderId": id, "currency": "EUR", "lines": lines, "policy": policy})
    };
    done("/stores/CODES/inventory/BOOK/adjust", json!({"delta": 9})).await;
    done("/orders", order("c-1", 3, json!({}))).await;
    refused(404, "order-not-found", "/orders/none/cancel", json!({})).await;
    refused(404, "shipment-not-found", "/shipments/none.s1/ship", json!({})).await;
    refused(409, "order-exists", "/orders", order("c-1", 4, json!({}))).await;
    refused(409, "illegal-transition", "/orders/c-1/status", json!({"status": "DELIVERED"})).await;
    let release = "/stores/CODES/inventory/BOOK/release";
    refused(409, "held-by-shipment", release, json!({"reservationId": "c-1.s1"})).await;
    let too_many = json!({"lines": [{"line": 1, "qty": 4}]});
    refused(409, "shipment-exceeds", "/shipments/c-1.s1/ship", too_many).await;
    done("/orders/c-1/hold", json!({})).await;
    refused(409, "order-held", "/shipments/c-1.s1/ship", json!({})).await;
    done("/orders/c-1/release-hold", json!({})).await;
    done("/shipments/c-1.s1/ship", json!({})).await;
    refused(409, "already-shipped", "/orders/c-1/cancel", json!({})).await;
    let payment = |kind: &str, amount: u32| json!({"paymentId": "p-1", "kind": kind, "amount": amount});
    refused(409, "amount-exceeds", "/orders/c-1/payments", payment("captured", 301)).await;
    done("/orders/c-1/payments", payment("captured", 300)).await;
    refused(409, "payment-exists", "/orders/c-1/payments", payment("captured", 200)).await;
    let back = |qty: u32| json!({"returnId": "r-1", "lines": [{"line": 1, "qty": qty}]});
    refused(409, "return-exceeds", "/orders/c-1/returns", back(4)).await;
    done("/orders/c-1/returns", back(1)).await;
    refused(409, "return-exists", "/orders/c-1/returns", back(2)).await;
    refused(404, "return-not-found", "/orders/c-1/returns/none/approve", json!({})).await;
    done("/orders", order("c-2", 3, json!({}))).await;
    done("/shipments/c-2.s1/cancel", json!({})).await;
    refused(409, "shipment-closed", "/shipments/c-2.s1/ship", json!({})).await;
    done("/orders", order("c-3", 20, json!({"partial": "backorder"}))).await;
    refused(409, "not-allotted", "/orders/c-3/status", json!({"status": "SHIPPED"})).await;
    told
}
