//! A fake node with the routes for operations, scripted contents, and connections that break on demand.

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::iter;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::sync::{Arc, Mutex};

/// The contents of the node, and the requests it received.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) node: String,
    pub(super) events: Vec<Value>,
    /// Bytes of the feed after which each connection breaks, in turn; then none breaks.
    pub(super) breaks: Vec<usize>,
    /// The node id after the first connection, when it changes then.
    pub(super) then: Option<String>,
    pub(super) report: Value,
    pub(super) letters: Vec<Value>,
    pub(super) asked: Vec<String>,
}

pub(super) type Shared = Arc<Mutex<Fake>>;

/// Serves the node until the test ends; returns its base URL.
pub(super) fn serve(fake: &Shared) -> String {
    let router = Router::new()
        .route("/events", get(events))
        .route("/sync", post(sync))
        .route("/dead-letters", get(letters))
        .route("/dead-letters/{id}", get(letter).delete(discard))
        .route("/dead-letters/{id}/redrive", post(redrive))
        .with_state(Arc::clone(fake));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    url
}

fn fields(query: &RawQuery) -> BTreeMap<String, String> {
    form_urlencoded::parse(query.0.as_deref().unwrap_or_default().as_bytes()).into_owned().collect()
}

async fn events(State(fake): State<Shared>, query: RawQuery, headers: HeaderMap) -> Response {
    let query = fields(&query);
    let mut fake = fake.lock().unwrap();
    let end = fake.events.last().map_or(0, |event| event["sequence"].as_u64().unwrap());
    if query.get("limit").is_some_and(|limit| limit == "0") {
        return Json(json!({"items": [], "nextCursor": null, "node": fake.node, "end": end})).into_response();
    }
    let after: u64 = headers["last-event-id"].to_str().unwrap().parse().unwrap();
    fake.asked.push(format!("{after} {query:?}"));
    let wanted = |event: &&Value| {
        let is = |name: &str, value: &Value| query.get(name).is_none_or(|wanted| *value == **wanted);
        event["sequence"].as_u64().unwrap() > after
            && is("type", &event["type"])
            && is("storeId", &event["payload"]["storeId"])
            && is("sku", &event["payload"]["sku"])
    };
    let mut feed = String::from(": heartbeat\n\n");
    for event in fake.events.iter().filter(wanted) {
        write!(feed, "id: {}\ndata: {event}\n\n", event["sequence"]).unwrap();
    }
    if let Some(then) = fake.then.take() {
        fake.node = then;
    }
    let mut feed = feed.into_bytes();
    if fake.breaks.is_empty() {
        return feed.into_response();
    }
    feed.truncate(fake.breaks.remove(0));
    // Small pieces, or the break would overtake what was written before it.
    let pieces: Vec<io::Result<Vec<u8>>> = feed.chunks(1000).map(|piece| Ok(piece.to_vec())).collect();
    let broken = std::iter::once(Err(io::Error::from(io::ErrorKind::ConnectionReset)));
    Body::from_stream(iter(pieces.into_iter().chain(broken))).into_response()
}

async fn sync(State(fake): State<Shared>) -> Json<Value> {
    Json(fake.lock().unwrap().report.clone())
}

async fn letters(State(fake): State<Shared>, query: RawQuery) -> Json<Value> {
    let query = fields(&query);
    let fake = fake.lock().unwrap();
    // One per page, so that paging is tested.
    let place: usize = query.get("cursor").map_or(0, |cursor| cursor.parse().unwrap());
    let next = (place + 1 < fake.letters.len()).then(|| (place + 1).to_string());
    let items: Vec<&Value> = fake.letters.iter().skip(place).take(1).collect();
    Json(json!({"items": items, "nextCursor": next}))
}

async fn letter(State(fake): State<Shared>, Path(id): Path<String>) -> Response {
    let fake = fake.lock().unwrap();
    let found = fake.letters.iter().find(|letter| letter["id"] == *id);
    found.map_or_else(
        || problem(StatusCode::NOT_FOUND, "not-found"),
        |letter| Json(letter.clone()).into_response(),
    )
}

async fn redrive(State(fake): State<Shared>, Path(id): Path<String>) -> Response {
    settle(&fake, &id, "redriven", None)
}

async fn discard(State(fake): State<Shared>, Path(id): Path<String>, query: RawQuery) -> Response {
    settle(&fake, &id, "discarded", fields(&query).get("reason"))
}

/// A letter whose reason contains "for ever" cannot be applied, in any attempt.
fn settle(fake: &Shared, id: &str, state: &str, note: Option<&String>) -> Response {
    let mut fake = fake.lock().unwrap();
    fake.asked.push(format!("{state} {id} {note:?}"));
    let Some(letter) = fake.letters.iter_mut().find(|letter| letter["id"] == *id) else {
        return problem(StatusCode::NOT_FOUND, "not-found");
    };
    let hopeless = state == "redriven" && letter["reason"].as_str().unwrap().contains("for ever");
    if !hopeless {
        letter["state"] = state.into();
    }
    let applied = if hopeless { 0 } else { 1_041 };
    Json(json!({"letter": letter, "applied": applied, "waiting": if hopeless { 5 } else { 0 }}))
        .into_response()
}

fn problem(status: StatusCode, code: &str) -> Response {
    let body = json!({"code": code, "title": "Not found", "detail": "Look at the list.", "requestId": "r-1"});
    (status, Json(body)).into_response()
}
