//! Requests to the node, several at once: what it answers about one order is kept apart from what stops the import.

use bytes::Bytes;
use http::header::HeaderMap;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::problem::OrderProblem;
use crate::orders::access::failure;
use crate::terminal::client::{BACKOFF, ClientError, NodeClient, NodeResponse, encode};
use onhand_domain::OrderId;
use onhand_runtime::exit::Failure;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// What a token needs.
const NEEDS: &str = "orders:place and orders:read, and orders:manage for --ship and --returns";
/// Rounds of attempts while the node says that there are too many requests.
const ROUNDS_MAX: u32 = 20;
/// Attempts of an order whose stores had less each time.
const STALE_MAX: u32 = 5;

/// A node that orders are imported into.
pub(super) struct OrderNode {
    client: NodeClient,
    /// Part of every idempotency key: another run is another request.
    run: Uuid,
    /// Held by the request that tries on after "too many requests", so that the others do not take its turn.
    alone: Mutex<()>,
}

/// The answer to a request about one order.
#[derive(Debug)]
pub(super) enum Answered<T> {
    /// Done; `created` when it was not there before.
    Done { created: bool, body: T },
    /// Refused, for a reason that lies in the order.
    Refused(Box<OrderProblem>),
}

impl OrderNode {
    /// The node at `server`.
    ///
    /// # Errors
    /// [`Exit::Settings`](onhand_runtime::exit::Exit::Settings) for a token that is none.
    pub(super) fn new(server: &str) -> Result<Self, Failure> {
        Ok(Self { client: NodeClient::new(server)?, run: Uuid::now_v7(), alone: Mutex::new(()) })
    }

    /// Posts `body`, with the same key each time it is tried; `step` names a change within the run, and nothing else has a key.
    ///
    /// # Errors
    /// [`Exit::Unavailable`](onhand_runtime::exit::Exit::Unavailable) when the node cannot be reached, or refuses whatever the order is.
    pub(super) async fn post<B: Serialize, T: DeserializeOwned>(
        &self,
        path: &str,
        step: Option<&str>,
        body: &B,
    ) -> Result<Answered<T>, Failure> {
        let key = |step| HeaderValue::try_from(format!("orders-import-{}-{step}", self.run));
        let key = step.map(|step| (IDEMPOTENCY_KEY, key(step).expect("ids and words are visible")));
        let headers: HeaderMap = key.into_iter().collect();
        let body = encode(body);
        let mut stale = 0;
        loop {
            let answer = self.call(Method::POST, path, &headers, Some(&body)).await?;
            if answer.status.is_success() {
                let created = answer.status == StatusCode::CREATED;
                return Ok(Answered::Done { created, body: read(&Method::POST, path, &answer)? });
            }
            let problem = OrderProblem::of(&answer.body);
            if problem.code == "plan-stale" && stale < STALE_MAX {
                stale += 1;
                tokio::time::sleep(BACKOFF.wait(stale)).await;
                continue;
            }
            if !is_about_the_order(answer.status, &problem.code) {
                return Err(refused(Method::POST, path, &answer));
            }
            return Ok(Answered::Refused(Box::new(problem)));
        }
    }

    /// An order, if there is one.
    ///
    /// # Errors
    /// As [`OrderNode::post`].
    pub(super) async fn order<T: DeserializeOwned>(&self, order_id: &OrderId) -> Result<Option<T>, Failure> {
        let path = format!("/orders/{order_id}");
        let answer = self.call(Method::GET, &path, &HeaderMap::new(), None).await?;
        if OrderProblem::of(&answer.body).code == "order-not-found" {
            return Ok(None);
        }
        if answer.status.is_success() {
            return read(&Method::GET, &path, &answer).map(Some);
        }
        Err(refused(Method::GET, &path, &answer))
    }

    /// Anything else that is read.
    ///
    /// # Errors
    /// As [`OrderNode::post`].
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let answer = self.call(Method::GET, path, &HeaderMap::new(), None).await?;
        if answer.status.is_success() {
            return read(&Method::GET, path, &answer);
        }
        Err(refused(Method::GET, path, &answer))
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &HeaderMap,
        body: Option<&Bytes>,
    ) -> Result<NodeResponse, Failure> {
        let mut answer = self.client.call(method.clone(), path, headers.clone(), body.cloned()).await?;
        for _ in 0..ROUNDS_MAX {
            if answer.status != StatusCode::TOO_MANY_REQUESTS {
                break;
            }
            let _one_at_a_time = self.alone.lock().await;
            answer = self.client.call(method.clone(), path, headers.clone(), body.cloned()).await?;
        }
        Ok(answer)
    }
}

/// True when another order may fare better.
fn is_about_the_order(status: StatusCode, code: &str) -> bool {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::PAYLOAD_TOO_LARGE => true,
        StatusCode::NOT_FOUND => matches!(code, "product-not-found" | "order-not-found" | "return-not-found"),
        _ => false,
    }
}

fn read<T: DeserializeOwned>(method: &Method, path: &str, answer: &NodeResponse) -> Result<T, Failure> {
    serde_json::from_slice(&answer.body).map_err(|error| {
        let (method, path, reason) = (method.clone(), path.to_owned(), error.to_string());
        ClientError::Unreadable { method, path, reason }.into()
    })
}

fn refused(method: Method, path: &str, answer: &NodeResponse) -> Failure {
    let problem = Box::new(serde_json::from_slice(&answer.body).unwrap_or_default());
    failure(ClientError::Refused { method, path: path.to_owned(), status: answer.status, problem }, NEEDS)
}
