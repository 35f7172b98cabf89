//! Every change of an order and of a shipment in JSON.

use serde_json::{Value, json};

const ID: &str = "00000000-0000-0000-0000-000000000001";

/// An event with the numbers after it.
pub(super) fn event(kind: &str, payload: &Value) -> Value {
    let (tag, numbers) = match kind {
        "ORDER" => ("order", json!({"waiting": 2, "open": 3, "shipped": 4, "version": 5})),
        _ => ("shipment", json!({"held":3,"shipped":2,"delivered":1,"version":4})),
    };
    json!({"eventId": ID, "type": kind, "payload": payload, "after": {tag: numbers}})
}

pub(super) fn placed() -> Value {
    json!({
        "placedAt": "2026-11-20T17:00:00.000Z",
        "details": {
            "channelId": "web",
            "externalId": "4711",
            "customerId": "c-1",
            "personal": "c2VhbGVk",
            "currency": "EUR",
            "policy": {"partial": "cancel-rest", "stock": "none", "autoConfirm": true},
        },
        "lines": [
            {"line": 1, "sku": "BANK CHARGES", "name": "„Größe“ \u{1F4E6}", "qty": 9, "unitPrice": 1_250,
             "discount": 100, "tax": 19, "pieces": {"cancelled": 1, "waiting": 2}},
            {"line": 2, "sku": "B", "qty": 1},
        ],
        "routing": 3,
        "rules": {
            "ranks": ["priority", "complete"],
            "keepsBack": 2,
            "stores": {"ROME": {"excluded": true}, "PARIS": {"priority": 1, "keepsBack": 0}},
        },
        "looked": [{"storeId": "ROME", "versions": [0, 7]}],
    })
}

/// Every change of an order and of a shipment, with all members that it may have, and with as few as possible.
pub(super) fn events() -> Vec<Value> {
    let mut events = Vec::new();
    let order = |change: &str, rest: &Value| {
        let mut payload = json!({"orderId": "web.4711", "change": change});
        payload.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        event("ORDER", &payload)
    };
    let pieces = json!({"cancelled": 1, "waiting": -2, "shipped": 3, "delivered": 4, "returned": 5});
    let moves = json!({
        "lines": [{"line": 1, "pieces": pieces}, {"line": 2, "pieces": {}}],
        "opened": [{"number": 2, "storeId": "ROME"}],
        "closed": [1, 2],
        "avoids": "ROME",
        "reason": "\"late\" \\ \u{1F69A}",
    });
    let least = json!({
        "placedAt": "2026-11-20T17:00:00.000Z",
        "details": {"policy": {"partial": "refuse", "stock": "hold", "autoConfirm": false}},
        "lines": [{"line": 1, "sku": "B", "qty": 1}],
    });
    events.push(order("placed", &json!({"placed": placed(), "opened": [{"number": 1, "storeId": "ROME"}]})));
    events.push(order("placed", &json!({"placed": least})));
    let changes = [
        "confirmed",
        "allotted",
        "shipped",
        "delivered",
        "cancelled",
        "refused",
        "withdrawn",
        "held",
        "hold-released",
    ];
    for change in changes {
        events.push(order(change, &moves));
        events.push(order(change, &json!({})));
    }
    for kind in ["authorised", "voided", "captured", "refunded", "failed", "disputed", "settled"] {
        let payment =
            json!({"paymentId": "p-1", "kind": kind, "amount": 9, "at": "2026-11-20T17:00:00.000Z"});
        let mut referred = payment.clone();
        referred["reference"] = "psp/1".into();
        events.extend([payment, referred].map(|payment| order("payment", &json!({"payment": payment}))));
    }
    for state in ["requested", "approved", "refused", "received", "closed"] {
        let lines = json!([{"line": 1, "qty": 2, "sellable": 1}]);
        let least = json!({"returnId": "r-1", "state": state, "lines": lines});
        let most =
            json!({"returnId": "r-1", "state": state, "lines": lines, "storeId": "ROME", "reason": "small"});
        events.extend([least, most].map(|returned| order("return", &json!({"returned": returned}))));
    }
    events.extend(shipments());
    events
}

fn shipments() -> Vec<Value> {
    let mut events = Vec::new();
    for change in ["held", "instructed", "shipped", "delivered", "refused", "cancelled"] {
        let least = json!({"shipmentId": "web.4711.s12", "storeId": "ROME", "change": change});
        events.push(event("SHIPMENT", &least));
        for refused in ["not-in-stock", "short", "damaged", "busy", "closed"] {
            let mut most = least.clone();
            let rest = json!({
                "lines": [{"line": 1, "sku": "BANK CHARGES", "qty": 2}, {"line": 200, "sku": "B", "qty": 1}],
                "refused": refused, "reason": "r", "carrier": "DHL", "tracking": "00340",
            });
            most.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            events.push(event("SHIPMENT", &most));
        }
    }
    events
}
