//! Orders and shipments over the real edge: placed, read, sent, refused, cancelled; and who may do which.

mod after;
mod again;
mod at_once;
mod bad_input;
mod catalogue;
mod held;
mod history;
mod lists;
mod personal;
mod placing;
mod refusing;
mod routing;
mod shipping;
mod shortages;
mod transitions;
mod versions;
mod who;

use super::{Answer, Scratch, Setup};
use http::Method;
use onhand_domain::Timestamp;
use serde_json::{Value, json};

/// A node with tea in two stores, five in BERLIN and eight in PARIS; without more the most pieces decide, so PARIS sends.
struct Desk {
    node: Scratch,
}

impl Desk {
    async fn open() -> Self {
        Self::of(Scratch::new()).await
    }

    async fn of(node: Scratch) -> Self {
        for (store, pieces) in [("BERLIN", 5), ("PARIS", 8)] {
            node.stock(&format!("/stores/{store}/inventory/TEA"), pieces).await;
        }
        Self { node }
    }

    async fn place(&self, body: &Value) -> Answer {
        self.node.post("/orders", &[], &body.to_string()).await
    }

    async fn place_with(&self, key: &str, body: &Value) -> Answer {
        self.node.post("/orders", &[("idempotency-key", key)], &body.to_string()).await
    }

    /// Places an order that is accepted, and answers it.
    async fn placed(&self, body: Value) -> Value {
        let answer = self.place(&body).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        // The next order is one of a later millisecond: those of one are listed by their ids.
        let at = Timestamp::parse(answer.json["placedAt"].as_str().unwrap()).unwrap();
        while self.node.node.ledger.now() <= at {
            tokio::task::yield_now().await;
        }
        answer.json
    }

    /// A step, without a key.
    async fn step(&self, path: &str, body: Value) -> Answer {
        self.node.post(path, &[], &body.to_string()).await
    }

    /// A step that is accepted.
    async fn done(&self, path: &str, body: Value) -> Value {
        let answer = self.step(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json
    }

    async fn order(&self, id: &str) -> Value {
        let answer = self.node.get(&format!("/orders/{id}")).await;
        answer.is(200, "");
        answer.json
    }

    /// How much tea a store has, and how much of it is held.
    async fn tea(&self, store: &str) -> (i64, i64) {
        let level = self.node.get(&format!("/stores/{store}/inventory/TEA")).await.json;
        (level["onHand"].as_i64().unwrap(), level["reserved"].as_i64().unwrap())
    }

    /// The end of the log: it stays where nothing changes.
    async fn end(&self) -> u64 {
        self.node.get("/events?limit=1").await.json["end"].as_u64().unwrap()
    }
}

/// An order of some tea.
fn tea(order_id: &str, qty: i64) -> Value {
    json!({"orderId": order_id, "lines": [{"sku": "TEA", "qty": qty}]})
}

/// The same with some members more.
fn with(mut body: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("members") };
    body.as_object_mut().unwrap().extend(more);
    body
}

/// What became of the pieces of the first line: cancelled, waiting, open, shipped, delivered.
fn pieces(order: &Value) -> [i64; 5] {
    let line = &order["lines"][0];
    ["cancelled", "waiting", "open", "shipped", "delivered"].map(|member| line[member].as_i64().unwrap())
}

/// The shipments of an order: store, state, and the pieces of their first line that are held and shipped.
fn shipments(order: &Value) -> Vec<(&str, &str, i64, i64)> {
    let shipments = order["shipments"].as_array().unwrap().iter();
    let number = |shipment: &Value, member: &str| shipment["lines"][0][member].as_i64().unwrap();
    shipments
        .map(|one| {
            let (store, state) = (one["storeId"].as_str().unwrap(), one["state"].as_str().unwrap());
            (store, state, number(one, "held"), number(one, "shipped"))
        })
        .collect()
}

/// The place of a body that a refusal is about.
fn pointer(answer: &Answer) -> &str {
    answer.json["errors"][0]["pointer"].as_str().unwrap_or_default()
}

/// The ids of the items of a list, by a member.
fn ids<'a>(answer: &'a Answer, member: &str) -> Vec<&'a str> {
    let items = answer.json["items"].as_array().unwrap().iter();
    items.map(|item| item[member].as_str().unwrap()).collect()
}
