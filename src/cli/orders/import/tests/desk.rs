//! Orders sent to a small node in memory: lost answers, busy times, and what is there already.

use super::args;
use crate::orders::import::options::ImportOrdersArgs;
use crate::orders::import::outcome::Reported;
use crate::orders::import::send::send;
use crate::orders::import::stop;
use crate::orders::import::survey::OrderSurvey;
use crate::orders::import::tally::Tally;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

#[derive(Default)]
struct FakeNode {
    /// What was sent, and the order.
    orders: BTreeMap<String, (Value, Value)>,
    answers: BTreeMap<String, (StatusCode, Value)>,
    /// In the order of their placing.
    placed: Vec<String>,
    posts: u64,
    keys: BTreeSet<String>,
    under_way: usize,
    under_way_max: usize,
    /// Every n-th post is refused with this code, and of every n-th the answer is lost.
    busy: Option<(u64, StatusCode, &'static str)>,
    lost: Option<u64>,
    stale: Option<u64>,
}

type Shared = Arc<Mutex<FakeNode>>;

impl FakeNode {
    fn place(&mut self, body: &Value) -> (StatusCode, Value) {
        let id = body["orderId"].as_str().unwrap().to_owned();
        if let Some((known, order)) = self.orders.get(&id) {
            return if known == body {
                (StatusCode::OK, order.clone())
            } else {
                (StatusCode::CONFLICT, json!({"code": "order-exists", "differs": ["lines"]}))
            };
        }
        if body["lines"][0]["sku"] == "NONE" {
            let shortages = json!([{"sku": "NONE", "asked": 1, "available": 0, "short": 1}]);
            return (StatusCode::CONFLICT, json!({"code": "insufficient-stock", "shortages": shortages}));
        }
        let lines: Vec<Value> = (1..)
            .zip(body["lines"].as_array().unwrap())
            .map(|(number, line)| {
                json!({"line": number, "sku": line["sku"], "qty": line["qty"], "cancelled": 0, "waiting": 0,
                       "open": line["qty"], "shipped": 0})
            })
            .collect();
        let order = json!({"orderId": id, "status": "PLACED", "currency": "EUR", "total": 350, "lines": lines,
                           "placedAt": "2026-12-01T00:00:00.000Z", "version": 1});
        self.orders.insert(id.clone(), (body.clone(), order.clone()));
        self.placed.push(id);
        (StatusCode::CREATED, order)
    }

    fn ship(&mut self, id: &str) -> (StatusCode, Value) {
        let (_, order) = self.orders.get_mut(id).unwrap();
        order["status"] = "SHIPPED".into();
        for line in order["lines"].as_array_mut().unwrap() {
            line["shipped"] = line["open"].take();
            line["open"] = 0.into();
        }
        (StatusCode::OK, order.clone())
    }
}

async fn answer(
    node: &Shared,
    headers: &HeaderMap,
    make: impl FnOnce(&mut FakeNode) -> (StatusCode, Value),
) -> Response {
    {
        let mut node = node.lock().unwrap();
        node.under_way += 1;
        node.under_way_max = node.under_way_max.max(node.under_way);
    }
    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    let mut node = node.lock().unwrap();
    node.under_way -= 1;
    node.posts += 1;
    let posts = node.posts;
    let is_turn = |every: Option<u64>| every.is_some_and(|every| posts.is_multiple_of(every));
    if let Some((every, status, code)) = node.busy
        && is_turn(Some(every))
    {
        return (status, Json(json!({"code": code}))).into_response();
    }
    if is_turn(node.stale) {
        return (StatusCode::CONFLICT, Json(json!({"code": "plan-stale"}))).into_response();
    }
    let key = headers["idempotency-key"].to_str().unwrap().to_owned();
    let answer = node.answers.get(&key).cloned().unwrap_or_else(|| make(&mut node));
    node.keys.insert(key.clone());
    // A refusal is not recorded.
    if answer.0.is_success() {
        node.answers.insert(key, answer.clone());
    }
    if is_turn(node.lost) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"code": "outcome-unknown"}))).into_response();
    }
    (answer.0, Json(answer.1)).into_response()
}

async fn place(State(node): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    answer(&node, &headers, |node| node.place(&body)).await
}

async fn status(
    State(node): State<Shared>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    assert_eq!(body, json!({"status": "SHIPPED"}));
    answer(&node, &headers, |node| node.ship(&id)).await
}

async fn serve(fake: FakeNode) -> (Shared, String) {
    let node = Arc::new(Mutex::new(fake));
    let routes = Router::new()
        .route("/orders", post(place))
        .route("/orders/{orderId}/status", post(status))
        .with_state(Arc::clone(&node));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (node, url)
}

/// So many orders: every fifth of tea, the others of something of their own, every twentieth of what there is none of.
fn orders(count: u64) -> String {
    let mut text = String::from("orderId,sku,qty\n");
    for number in 0..count {
        let sku = match number {
            _ if number % 20 == 7 => "NONE".to_owned(),
            _ if number % 5 == 0 => "TEA".to_owned(),
            _ => format!("S{number}"),
        };
        let _ = writeln!(text, "o{number},{sku},1");
    }
    text
}

async fn sent(args: &ImportOrdersArgs) -> Tally {
    let survey = OrderSurvey::take(args).unwrap();
    send(args, &survey, &stop::Stop::never(), |_| ()).await.unwrap()
}

#[tokio::test]
async fn lost_answers_and_busy_times_place_and_ship_every_order_once() {
    const ORDERS: u64 = 100;
    let directory = TempDir::new().unwrap();
    let busy = |every, status, code| Some((every, status, code));
    for fake in [
        FakeNode::default(),
        FakeNode { lost: Some(7), ..FakeNode::default() },
        FakeNode {
            busy: busy(5, StatusCode::SERVICE_UNAVAILABLE, "overloaded"),
            lost: Some(11),
            ..FakeNode::default()
        },
        FakeNode {
            busy: busy(9, StatusCode::TOO_MANY_REQUESTS, "rate-limited"),
            stale: Some(13),
            ..FakeNode::default()
        },
    ] {
        let (node, url) = serve(fake).await;
        let args = args(&directory, &orders(ORDERS), &format!("--ship --server {url}"));
        let tally = sent(&args).await;
        assert_eq!((tally.placed, tally.there, tally.reported.len()), (95, 0, 5));
        assert_eq!((tally.pieces.shipped, tally.pieces.held, tally.amounts["EUR"]), (95, 0, 95 * 350));
        {
            let node = node.lock().unwrap();
            let tea = |id: &&String| node.orders[id.as_str()].0["lines"][0]["sku"] == "TEA";
            let numbers: Vec<u64> =
                node.placed.iter().filter(tea).map(|id| id[1..].parse().unwrap()).collect();
            assert_eq!(numbers.len(), 20);
            assert!(numbers.is_sorted(), "tea goes to whoever is first in the file: {numbers:?}");
            assert!((3..=8).contains(&node.under_way_max), "{} at once", node.under_way_max);
        }
        let again = sent(&args).await;
        assert_eq!((again.placed, again.there, again.reported.len()), (0, 95, 5));
        assert_eq!((again.pieces, &again.amounts), (tally.pieces, &tally.amounts), "the same numbers");
        assert_eq!(node.lock().unwrap().placed.len(), 95);
    }
}

#[tokio::test]
async fn an_order_with_other_content_and_one_without_stock_are_refused_with_a_reason() {
    let directory = TempDir::new().unwrap();
    let (_, url) = serve(FakeNode::default()).await;
    let more = format!("--server {url}");
    sent(&args(&directory, &orders(3), &more)).await;
    let changed = orders(8).replace("o1,S1,1", "o1,S1,2");
    let tally = sent(&args(&directory, &changed, &more)).await;
    assert_eq!((tally.placed, tally.there, tally.done), (4, 2, 8));
    let reason = |place: usize| match &tally.reported[&place] {
        Reported::Order(reason) => (reason.code.to_string(), reason.detail.clone()),
        other => panic!("{other:?}"),
    };
    let (code, detail) = reason(1);
    assert_eq!(code, "order-exists");
    assert!(detail.contains("another lines") && detail.contains("another id"), "{detail}");
    assert_eq!(reason(7), ("insufficient-stock".into(), "of NONE 1 are asked and 0 there".into()));
}

#[tokio::test]
async fn a_node_that_refuses_everybody_stops_the_import() {
    let directory = TempDir::new().unwrap();
    let fake = FakeNode { busy: Some((1, StatusCode::FORBIDDEN, "forbidden")), ..FakeNode::default() };
    let (_, url) = serve(fake).await;
    let args = args(&directory, &orders(3), &format!("--server {url}"));
    let survey = OrderSurvey::take(&args).unwrap();
    let failure = send(&args, &survey, &stop::Stop::never(), |_| ()).await.unwrap_err();
    let text = failure.error.to_string();
    assert!(
        text.contains("forbidden") && text.contains("ONHAND_TOKEN") && text.contains("orders:manage"),
        "{text}"
    );
}
