//! Events of orders and shipments in JSON: read as they are written, and nothing else is read.

mod examples;

use examples::{event, events, placed};
use onhand_domain::{Event, EventKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Members that may be left out, and that `null` leaves out, too.
const MAY_BE_NULL: [&str; 22] = [
    "/payload/avoids",
    "/payload/carrier",
    "/payload/payment/reference",
    "/payload/placed/details/channelId",
    "/payload/placed/details/currency",
    "/payload/placed/details/customerId",
    "/payload/placed/details/externalId",
    "/payload/placed/details/personal",
    "/payload/placed/lines/0/discount",
    "/payload/placed/lines/0/name",
    "/payload/placed/lines/0/tax",
    "/payload/placed/lines/0/unitPrice",
    "/payload/placed/routing",
    "/payload/placed/rules",
    "/payload/payment",
    "/payload/placed",
    "/payload/reason",
    "/payload/refused",
    "/payload/returned",
    "/payload/returned/reason",
    "/payload/returned/storeId",
    "/payload/tracking",
];

fn decode(event: &Value) -> Result<Event, String> {
    Event::decode(&event.to_string())
}

/// The places of all members of an object, inside arrays too.
fn members(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(array) => {
            (0..).zip(array).map(|(place, value): (usize, _)| (place.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in inner {
        let at = format!("{at}/{name}");
        members(value, &at, into);
        into.insert(at);
    }
}

/// As [`members`], of payload and numbers: other members of an event may come later, and are skipped.
fn own_members(event: &Value) -> BTreeSet<String> {
    let mut places = BTreeSet::new();
    for member in ["payload", "after"] {
        members(&event[member], &format!("/{member}"), &mut places);
    }
    places
}

fn without(event: &Value, place: &str) -> Option<Value> {
    let (object, name) = place.rsplit_once('/').unwrap();
    let mut event = event.clone();
    event.pointer_mut(object)?.as_object_mut()?.remove(name)?;
    Some(event)
}

#[test]
fn every_event_is_read_as_it_is_written() {
    let mut kinds = BTreeSet::new();
    for json in events() {
        let event = decode(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
        let written = serde_json::to_value(&event).unwrap();
        assert_eq!(written, json, "nothing is left out and nothing is added");
        let line = serde_json::to_string(&event).unwrap();
        assert_eq!(Event::decode(&line).as_ref(), Ok(&event), "{line}");
        assert_eq!(event.fact.kind(), event.kind);
        kinds.insert((event.kind.as_str(), json["payload"]["change"].to_string()));
        // In the feed the numbers have no tag, and the type may stand last.
        let mut feed = json.clone();
        let numbers = json["after"].as_object().unwrap().values().next().unwrap().clone();
        feed["after"] = numbers;
        let kind = feed.as_object_mut().unwrap().remove("type").unwrap();
        let text = feed.to_string();
        let text = format!("{},\"type\":{kind}}}", text.strip_suffix('}').unwrap());
        assert_eq!(Event::decode(&text), Ok(event), "{text}");
    }
    assert_eq!(kinds.len(), 12 + 6, "every change: {kinds:?}");
    assert!(
        kinds
            .iter()
            .all(|(kind, _)| [EventKind::Order, EventKind::Shipment].map(EventKind::as_str).contains(kind))
    );
}

#[test]
fn a_member_that_nobody_knows_is_refused() {
    for json in events() {
        let objects = own_members(&json).into_iter().chain(["/payload".to_owned(), "/after".to_owned()]);
        for place in objects {
            let mut more = json.clone();
            let Some(object) = more.pointer_mut(&place).and_then(Value::as_object_mut) else { continue };
            object.insert("more".to_owned(), json!(1));
            assert!(decode(&more).is_err(), "{place} in {json}");
        }
    }
}

#[test]
fn null_stands_for_nothing_and_only_where_nothing_may_stand() {
    let optional: BTreeSet<&str> = MAY_BE_NULL.into_iter().collect();
    let mut seen = BTreeSet::new();
    for json in events() {
        for place in own_members(&json) {
            let mut null = json.clone();
            *null.pointer_mut(&place).unwrap() = Value::Null;
            match decode(&null) {
                Err(_) => assert!(!optional.contains(place.as_str()), "{place} in {json}"),
                Ok(event) => {
                    assert!(optional.contains(place.as_str()), "{place} in {json}");
                    assert_eq!(Ok(event), decode(&without(&json, &place).unwrap()), "{place}");
                    seen.insert(place);
                }
            }
        }
    }
    assert_eq!(seen.len(), optional.len(), "{seen:?}");
}

#[test]
fn what_every_event_has_cannot_be_left_out() {
    let needed = [
        "/payload/orderId",
        "/payload/shipmentId",
        "/payload/storeId",
        "/payload/change",
        "/payload/placed/placedAt",
        "/payload/placed/details",
        "/payload/placed/lines",
        "/payload/placed/lines/0/line",
        "/payload/placed/lines/0/sku",
        "/payload/placed/lines/0/qty",
        "/payload/placed/looked/0/storeId",
        "/payload/placed/looked/0/versions",
        "/payload/lines/0/line",
        "/payload/opened/0/number",
        "/payload/opened/0/storeId",
        "/payload/payment/paymentId",
        "/payload/payment/kind",
        "/payload/payment/amount",
        "/payload/payment/at",
        "/payload/returned/returnId",
        "/payload/returned/state",
        "/payload/returned/lines",
        "/payload/returned/lines/0/line",
        "/payload/returned/lines/0/qty",
        "/after/order",
        "/after/order/version",
        "/after/order/open",
        "/after/order/shipped",
        "/after/shipment/held",
        "/after/shipment/version",
    ];
    let mut seen = BTreeSet::new();
    for json in events() {
        for place in needed {
            let Some(without) = without(&json, place) else { continue };
            assert!(decode(&without).is_err(), "{place} in {json}");
            seen.insert(place);
        }
    }
    assert_eq!(seen, needed.into_iter().collect());
}

#[test]
fn values_that_cannot_be_are_refused() {
    let placed = event("ORDER", &json!({"orderId": "o", "change": "placed", "placed": placed()}));
    let held = event(
        "SHIPMENT",
        &json!({"shipmentId": "o.s1", "storeId": "ROME", "change": "held", "lines": [{"line": 1, "sku": "A", "qty": 1}]}),
    );
    for (json, place, value) in [
        (&placed, "/payload/orderId", json!("o.s1")),
        (&placed, "/payload/orderId", json!("")),
        (&placed, "/payload/change", json!("instructed")),
        (&placed, "/payload/change", json!("Placed")),
        (&placed, "/payload/placed/lines/0/qty", json!(9_007_199_254_740_992_i64)),
        (&placed, "/payload/placed/lines/0/qty", json!(1.5)),
        (&placed, "/payload/placed/lines/0/qty", json!("1")),
        (&placed, "/payload/placed/lines/0/line", json!(65_536)),
        (&placed, "/payload/placed/lines/0/line", json!(-1)),
        (&placed, "/payload/placed/details/policy/partial", json!("none")),
        (&placed, "/payload/placed/placedAt", json!("yesterday")),
        (
            &placed,
            "/after",
            json!({"shipment": {"held": 1, "shipped": 0, "delivered": 0, "version": 1}, "more": 1}),
        ),
        (&held, "/payload/shipmentId", json!("o")),
        (&held, "/payload/shipmentId", json!("o.s0")),
        (&held, "/payload/shipmentId", json!("o.s1000")),
        (&held, "/payload/shipmentId", json!("o.s01")),
        (&held, "/payload/change", json!("placed")),
        (&held, "/payload/refused", json!("tired")),
        (&held, "/payload/lines/0/sku", json!(" A")),
        (&held, "/payload/storeId", json!("RO ME")),
        (&held, "/type", json!("ORDER")),
        (&placed, "/type", json!("SHIPMENT")),
    ] {
        let mut spoilt = json.clone();
        *spoilt.pointer_mut(place).unwrap_or(&mut Value::Null) = value.clone();
        if spoilt == *json {
            spoilt["payload"][place.rsplit_once('/').unwrap().1] = value;
        }
        assert!(decode(&spoilt).is_err(), "{spoilt}");
    }
}
