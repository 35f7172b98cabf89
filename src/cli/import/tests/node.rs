//! A node in memory that keeps the contract of `/imports` and can be made to fail.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::import::wire::Progress;

/// The fault that strikes one request.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum FakeFault {
    /// Refused with 503 before anything happened.
    Busy,
    /// Applied, and then the answer was lost.
    AnswerLost,
    /// Applied, and then no answer comes, ever.
    Hangs,
}

#[derive(Default)]
pub(super) struct FakeNode {
    pub(super) imports: BTreeMap<String, Progress>,
    pub(super) refusals: Vec<Value>,
    pub(super) levels: BTreeMap<(String, String), i64>,
    pub(super) posts: u64,
    pub(super) troubles: BTreeMap<u64, FakeFault>,
}

pub(super) type SharedNode = Arc<Mutex<FakeNode>>;

impl FakeNode {
    fn apply(&mut self, id: &str, body: &Value) -> Result<Value, Box<Response>> {
        let done = self.imports.get(id).copied().unwrap_or_default().rows_done;
        if body["afterRow"] != done {
            return Err(Box::new(problem(StatusCode::CONFLICT, "import-out-of-step")));
        }
        let (mut applied, mut refused) = (0, 0);
        for row in body["rows"].as_array().unwrap() {
            let key = (row["storeId"].as_str().unwrap().to_owned(), row["sku"].as_str().unwrap().to_owned());
            let level = self.levels.entry(key).or_insert_with(|| row["openingStock"].as_i64().unwrap_or(0));
            let quantity = row["quantity"].as_i64().unwrap();
            let delta =
                if matches!(row["kind"].as_str(), Some("sale" | "removal")) { -quantity } else { quantity };
            if *level + delta < 0 {
                self.refusals
                    .push(json!({"row": row["row"], "code": "insufficient-stock", "available": *level}));
                refused += 1;
            } else {
                *level += delta;
                applied += 1;
            }
        }
        let import = self.imports.entry(id.to_owned()).or_default();
        import.rows_done = body["throughRow"].as_u64().unwrap();
        import.applied += applied;
        import.refused += refused;
        import.finished = body["last"] == true;
        Ok(json!(import))
    }
}

fn problem(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({"code": code, "title": code, "status": status.as_u16()}))).into_response()
}

async fn rows(State(node): State<SharedNode>, Path(id): Path<String>, Json(body): Json<Value>) -> Response {
    let (trouble, answer) = {
        let mut node = node.lock().unwrap();
        node.posts += 1;
        let posts = node.posts;
        let trouble = node.troubles.get(&posts).copied();
        if trouble == Some(FakeFault::Busy) {
            return problem(StatusCode::SERVICE_UNAVAILABLE, "overloaded");
        }
        (trouble, node.apply(&id, &body))
    };
    match (trouble, answer) {
        (Some(FakeFault::Hangs), _) => pending().await,
        (Some(FakeFault::AnswerLost), _) => problem(StatusCode::SERVICE_UNAVAILABLE, "outcome-unknown"),
        (_, Ok(answer)) => Json(answer).into_response(),
        (_, Err(refused)) => *refused,
    }
}

async fn progress(State(node): State<SharedNode>, Path(id): Path<String>) -> Response {
    match node.lock().unwrap().imports.get(&id) {
        Some(progress) => Json(progress).into_response(),
        None => problem(StatusCode::NOT_FOUND, "not-found"),
    }
}

async fn refusals(State(node): State<SharedNode>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let cursor = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "cursor");
    let from: usize = cursor.map_or(0, |(_, mark)| mark.trim_end_matches("=+").parse().unwrap());
    let all = &node.lock().unwrap().refusals;
    // Pages of three, so that paging happens.
    let items: Vec<_> = all.iter().skip(from).take(3).collect();
    let next = (from + 3 < all.len()).then(|| format!("{}=+", from + 3));
    Json(json!({"items": items, "nextCursor": next})).into_response()
}

/// The routes of the node.
pub(super) fn routes(node: SharedNode) -> Router {
    Router::new()
        .route("/imports/{id}/rows", post(rows))
        .route("/imports/{id}", get(progress))
        .route("/imports/{id}/refusals", get(refusals))
        .with_state(node)
}
