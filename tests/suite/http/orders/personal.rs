//! Names and addresses: they appear in answers, nowhere on the disk, and not at all once they are erased.

use super::{Desk, tea, with};
use onhand_app::ports::PersonalKeys;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Texts that occur nowhere else.
const SECRETS: [&str; 9] = [
    "Ottilie Quandt",
    "ottilie@example.org",
    "0170-5550199",
    "Warehouse Door",
    "Querpfeifenweg",
    "Hinterhaus-9",
    "PLZ-90210",
    "Zwiebelstadt",
    "Wunderland",
];

fn order(order_id: &str) -> Value {
    let [name, email, phone, door, street, street2, postal_code, city, region] = SECRETS;
    let ship_to = json!({"name": door, "street": street, "street2": street2, "postalCode": postal_code, "city": city, "region": region, "country": "DE"});
    with(
        tea(order_id, 1),
        json!({"customer": {"name": name, "email": email, "phone": phone}, "shipTo": ship_to}),
    )
}

/// Every file below a directory.
fn files(directory: &Path, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push((entry.path().display().to_string(), fs::read(entry.path()).unwrap()));
        }
    }
}

/// Secrets in files of the node, each with its file.
fn found_on_disk(desk: &Desk, secrets: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    files(desk.node.directory.path(), &mut all);
    assert!(all.iter().any(|(_, bytes)| !bytes.is_empty()));
    let holds =
        |bytes: &[u8], secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    let mut found = Vec::new();
    for (path, bytes) in &all {
        found.extend(
            secrets.iter().filter(|secret| holds(bytes, secret)).map(|secret| format!("{secret} in {path}")),
        );
    }
    found
}

fn keys(desk: &Desk) -> Arc<dyn PersonalKeys> {
    Arc::clone(desk.node.node.personal.as_ref().unwrap())
}

#[tokio::test]
async fn they_are_in_answers_and_nowhere_on_the_disk() {
    let desk = Desk::open().await;
    let placed = desk.placed(with(order("o-1"), json!({"customerId": "c-1"}))).await;
    desk.place_with("k-1", &order("o-2")).await.is(201, "");
    desk.place(&with(order("o-3"), json!({"lines": [{"sku": "TEA", "qty": 99}]})))
        .await
        .is(409, "insufficient-stock");
    desk.place(&with(order("o-1"), json!({"customerId": "c-1", "shipTo": {"city": "Elsewhere"}})))
        .await
        .is(409, "order-exists");
    assert_eq!(
        json!([placed["customer"], placed["shipTo"]]),
        json!([order("")["customer"], order("")["shipTo"]])
    );
    let shown = [
        desk.node.get("/orders/o-1").await,
        desk.node.get("/orders").await,
        desk.node.get("/shipments/o-1.s1").await,
        desk.node.get("/shipments?storeId=PARIS").await,
    ];
    for answer in shown {
        assert!(SECRETS.iter().all(|secret| answer.text.contains(secret)), "{}", answer.text);
    }
    // Where they are not needed they are not shown.
    let step = desk.step("/shipments/o-1.s1/instruct", json!({})).await;
    for answer in [step, desk.node.get("/orders/o-1/history").await, desk.node.get("/events").await] {
        assert!(SECRETS.iter().all(|secret| !answer.text.contains(secret)), "{}", answer.text);
    }
    // Snapshots, indexes and archive have what the log has.
    for _ in 0..10 {
        desk.node.upkeep();
    }
    assert_eq!(found_on_disk(&desk, &SECRETS), Vec::<String>::new());
    assert!(!found_on_disk(&desk, &["c-1"]).is_empty(), "ids are not secret, and would be found");
}

#[tokio::test]
async fn who_is_erased_is_erased_from_every_order() {
    let desk = Desk::open().await;
    let of_customer = |id: &str| with(order(id), json!({"customerId": "c-1"}));
    for body in [of_customer("o-1"), of_customer("o-2"), order("o-3"), tea("o-4", 1)] {
        desk.placed(body).await;
    }
    let erased = keys(&desk);
    assert!(erased.erase("c-1").unwrap());
    for id in ["o-1", "o-2"] {
        let order = desk.order(id).await;
        assert_eq!(
            (order["personalErased"].clone(), order.get("customer"), order.get("shipTo")),
            (json!(true), None, None)
        );
        assert_eq!(
            (&order["customerId"], &order["lines"][0]["qty"]),
            (&json!("c-1"), &json!(1)),
            "the rest stays"
        );
    }
    let guest = desk.order("o-3").await;
    assert_eq!((guest.get("personalErased"), &guest["customer"]["name"]), (None, &json!(SECRETS[0])));
    assert_eq!(desk.order("o-4").await.get("personalErased"), None, "it never had any");
    let list = desk.node.get("/orders?customerId=c-1").await;
    assert!(SECRETS.iter().all(|secret| !list.text.contains(secret)), "{}", list.text);
    // The order goes its way without it.
    let shipment = desk.node.get("/shipments/o-1.s1").await;
    assert_eq!((shipment.is(200, "").json.get("shipTo"), shipment.json.get("customer")), (None, None));
    desk.done("/orders/o-1/status", json!({"status": "SHIPPED"})).await;
    desk.place(&of_customer("o-2")).await.is(200, "");
    // The key of a guest is that of the order.
    assert!(erased.erase("#o-3").unwrap());
    assert_eq!(desk.order("o-3").await["personalErased"], true);
    // Whoever comes back has a new key, and what was erased stays so.
    let later = desk.placed(of_customer("o-5")).await;
    assert_eq!(later["customer"]["name"], SECRETS[0]);
    assert_eq!(desk.order("o-1").await["personalErased"], true);
}

#[tokio::test]
async fn what_was_erased_stays_so_over_a_restart_and_what_was_not_is_there() {
    let desk = Desk::open().await;
    desk.placed(with(order("o-1"), json!({"customerId": "c-1"}))).await;
    desk.placed(order("o-2")).await;
    keys(&desk).erase("c-1").unwrap();
    let desk = Desk { node: desk.node.restart(super::Setup::default()) };
    assert_eq!(desk.order("o-1").await["personalErased"], true);
    assert_eq!(desk.order("o-2").await["customer"]["name"], SECRETS[0]);
}

#[tokio::test]
async fn who_is_to_be_forgotten_is_erased_by_a_request() {
    let desk = Desk::open().await;
    desk.placed(with(order("o-1"), json!({"customerId": "c-1"}))).await;
    desk.placed(order("o-2")).await;
    let wrong = desk.step("/orders/o-1/erase", json!({})).await;
    assert!(wrong.is(400, "invalid-request").text.contains("/customers/c-1/erase"), "{}", wrong.text);
    assert_eq!(desk.done("/customers/c-1/erase", json!({})).await, json!({"erased": true}));
    assert_eq!(
        desk.done("/customers/c-1/erase", json!({})).await,
        json!({"erased": false}),
        "it is gone already"
    );
    assert_eq!(desk.done("/orders/o-2/erase", json!({})).await, json!({"erased": true}));
    for id in ["o-1", "o-2"] {
        assert_eq!(desk.order(id).await["personalErased"], true);
    }
    desk.step("/orders/o-9/erase", json!({})).await.is(404, "order-not-found");
    desk.step("/customers/a%20b/erase", json!({})).await.is(400, "invalid-request");
    desk.step("/customers/c-1/erase", json!({"really": true})).await.is(400, "invalid-request");
}

/// A guest's order has a key of its own, which nobody could erase if there were no order.
#[tokio::test]
async fn an_order_that_is_refused_leaves_no_key() {
    let desk = Desk::open().await;
    let file = desk.node.directory.path().join("identity/personal/keys");
    let length = || fs::metadata(&file).map_or(0, |file| file.len());
    desk.placed(order("o-1")).await;
    let before = length();
    assert!(before > 0);
    for id in ["o-2", "o-3"] {
        let short = with(order(id), json!({"lines": [{"sku": "TEA", "qty": 99}]}));
        desk.place(&short).await.is(409, "insufficient-stock");
        desk.place(&with(order(id), json!({"lines": []}))).await.is(400, "invalid-request");
    }
    assert_eq!(length(), before);
}
