//! What every request passes on its way in and out, in one place and in one order: [`Edge::handle`].
//!
//! One plain function instead of a stack of middleware: nothing is boxed, nothing is looked up twice.

use super::code::Code;
use super::gates::{Client, Entry, Gates, Quota};
use super::meters::Meters;
use super::metrics::PANICS;
use super::problem::{self, Problem};
use super::query::Query;
use super::request_id::{RequestId, RequestIds, Trace, X_REQUEST_ID};
use super::routes::Route;
use crate::resilience::Seat;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use std::any::Any;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tower::Service;

/// The outermost layer, around the router.
#[derive(Debug)]
pub struct Edge {
    router: Router,
    routes: Vec<Route>,
    /// Which routes an address belongs to, one for each of its methods; the same patterns that the router holds.
    places: matchit::Router<Vec<usize>>,
    gates: Arc<Gates>,
    meters: Meters,
    ids: RequestIds,
}

/// Goes with an answer that turned its request away: whoever sent it should wait.
#[derive(Debug, Clone, Copy)]
pub(super) struct TurnedAway;

/// What is remembered of a request while it is being answered.
struct Visit {
    started: Instant,
    method: Method,
    uri: Uri,
    /// The route it leads to, by its place in the list.
    place: Option<usize>,
    id: RequestId,
    trace: Option<Trace>,
    /// How its client stands, when there is a limit.
    quota: Option<Quota>,
}

impl Edge {
    /// Puts the layer around `router`, which serves the routes in `served`.
    pub fn new(router: Router, served: Vec<Route>, gates: Arc<Gates>) -> Self {
        let mut together: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, route) in served.iter().enumerate() {
            for address in route.addresses() {
                together.entry(address).or_default().push(place);
            }
        }
        let mut places = matchit::Router::new();
        for (address, of_address) in together {
            places.insert(address, of_address).expect("no two patterns fit the same addresses");
        }
        let meters = Meters::new(served.iter().map(|route| route.template));
        Self { router, routes: served, places, gates, meters, ids: RequestIds::default() }
    }

    /// Answers one request. In: clock, request id, trace, route, limit, gate, query names, then the router behind a
    /// guard against panics. Out: problem, headers, meters, log.
    pub async fn handle(&self, mut request: Request) -> Response {
        let mut visit = self.enter(&request);
        let admitted = self.admit(&mut visit, request.extensions().get().copied());
        let admitted = admitted.and_then(|place| self.check_query(&visit).map(|()| place));
        // A place is held until the head of the answer is there; a stream goes on without one.
        let _place = match admitted {
            Err(problem) => return self.leave(&visit, problem.into_response()),
            Ok(place) => place,
        };
        request.extensions_mut().insert(visit.id.clone());
        let outcome = AssertUnwindSafe(self.router.clone().call(request)).catch_unwind().await;
        let response = match outcome {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(panic) => panicked(panic.as_ref()),
        };
        self.leave(&visit, response)
    }

    /// Answers a request with a refusal, without looking at it any further.
    pub fn refuse(&self, request: &Request, problem: Problem) -> Response {
        self.leave(&self.enter(request), problem.into_response())
    }

    /// Forgets clients that have rested.
    pub(super) fn sweep(&self) {
        self.gates.sweep();
    }

    fn enter(&self, request: &Request) -> Visit {
        Visit {
            started: Instant::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            place: self.place(request.method(), request.uri().path()),
            id: self.ids.take_or_make(request.headers()),
            trace: Trace::of(request.headers()),
            quota: None,
        }
    }

    /// True for what is answered whatever else goes on: health and metrics.
    pub(super) fn is_free(&self, request: &Request) -> bool {
        let place = self.place(request.method(), request.uri().path());
        place.and_then(|place| self.routes.get(place)).is_some_and(|route| route.entry == Entry::Free)
    }

    /// Counts a request, and lets it in. A client is known by its socket; in process there is none, and no limit.
    fn admit(&self, visit: &mut Visit, client: Option<Client>) -> Result<Option<Seat>, Problem> {
        let entry = visit.place.and_then(|place| self.routes.get(place)).map(|route| route.entry);
        if entry == Some(Entry::Free) {
            return Ok(None);
        }
        if let Some(client) = client {
            visit.quota = self.gates.count(client).map_err(|(quota, problem)| {
                visit.quota = Some(quota);
                problem
            })?;
        }
        entry.map_or(Ok(None), |entry| self.gates.admit(entry))
    }

    /// The route of an address that has this method; the first one of the address when none has.
    fn place(&self, method: &Method, path: &str) -> Option<usize> {
        let of_address = self.places.at(path).ok()?.value;
        let serves = |place: &usize| self.routes.get(*place).is_some_and(|route| route.serves(method));
        of_address.iter().copied().find(serves).or_else(|| of_address.first().copied())
    }

    fn leave(&self, visit: &Visit, mut response: Response) -> Response {
        let refused = response.status().is_client_error() || response.status().is_server_error();
        let problem = refused.then(|| problem::render(&mut response, visit.uri.path(), &visit.id));
        sign(response.headers_mut(), &visit.id);
        if let Some(quota) = visit.quota {
            self.gates.sign(response.headers_mut(), quota);
        }
        if problem.as_ref().is_some_and(|problem| problem.code().turns_away()) {
            response.extensions_mut().insert(TurnedAway);
        }
        let status = response.status();
        let (meter, took) = (self.meters.of(visit.place, &visit.method), visit.started.elapsed());
        meter.record(status, took);
        log(visit, meter.route(), status, took, problem.as_ref());
        response
    }

    fn check_query(&self, visit: &Visit) -> Result<(), Problem> {
        let route = visit.place.and_then(|place| self.routes.get(place));
        let (Some(query), Some(route)) = (visit.uri.query(), route) else {
            return Ok(());
        };
        // A wrong method is told as such, whatever the query.
        if route.serves(&visit.method) { Query::of(Some(query)).check(route.query) } else { Ok(()) }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    metrics::counter!(PANICS).increment(1);
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Problem::plain(Code::Internal).because(&message.unwrap_or("a panic without a message")).into_response()
}

fn sign(headers: &mut HeaderMap, id: &RequestId) {
    headers.insert(X_REQUEST_ID, id.header_value());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Pages that may be kept say so themselves.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

fn log(visit: &Visit, route: &'static str, status: StatusCode, took: Duration, problem: Option<&Problem>) {
    let request_id = visit.id.as_str();
    let trace_id = visit.trace.as_ref().map(Trace::id);
    let (method, status) = (visit.method.as_str(), status.as_u16());
    let code = problem.map(|problem| problem.code().slug());
    // What is turned away is counted and told by its gate, contention by the leases, a disk that refuses by its breaker; a
    // line for each request would only add to the load, and to a disk that is full.
    let routine = |problem: &Problem| problem.cause().is_none() && problem.code().is_told_elsewhere();
    if status >= 500 && !problem.is_some_and(routine) {
        let cause = problem.and_then(Problem::cause);
        tracing::error!(request_id, trace_id, method, route, status, code, cause, "request failed");
    } else {
        tracing::debug!(request_id, trace_id, method, route, status, code, ?took, "request answered");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use http::header::RETRY_AFTER;

    fn edge() -> Edge {
        let route = |template| Route { template, method: Method::GET, query: &["known"], entry: Entry::Free };
        let router = Router::new()
            .route("/panics", get(panics))
            .route("/teapot", get(|| async { StatusCode::IM_A_TEAPOT }))
            .route("/kept", get(|| async { [(CACHE_CONTROL, "no-cache")] }));
        Edge::new(router, vec![route("/panics"), route("/teapot"), route("/kept")], Arc::default())
    }

    async fn panics() -> StatusCode {
        panic!("the shelf broke")
    }

    async fn answer(uri: &str) -> (Response<()>, serde_json::Value) {
        let request = Request::builder().uri(uri).body(Body::empty()).unwrap();
        let (parts, body) = edge().handle(request).await.into_parts();
        let bytes = axum::body::to_bytes(body, 10_000).await.unwrap();
        (Response::from_parts(parts, ()), serde_json::from_slice(&bytes).unwrap_or_default())
    }

    #[tokio::test]
    async fn whatever_comes_from_below_leaves_as_the_contract_says() {
        for (uri, status, code) in [
            ("/panics", 500, "internal"),
            ("/teapot", 418, "invalid-request"),
            ("/nowhere", 404, "not-found"),
            ("/kept?unknown=1", 400, "invalid-request"),
        ] {
            let (head, body) = answer(uri).await;
            assert_eq!(
                (body["code"].as_str(), &body["instance"]),
                (Some(code), &uri.split('?').next().into())
            );
            assert_eq!(head.headers()[CACHE_CONTROL], "no-store");
            // A bare status without a code of its own becomes the nearest one that has.
            assert_eq!(head.status().as_u16(), if status == 418 { 400 } else { status }, "{uri}");
            assert!(!body.to_string().contains("shelf"), "nothing of the inside is told");
        }
    }

    #[tokio::test]
    async fn a_page_that_may_be_kept_says_so_itself() {
        let (head, _) = answer("/kept?known=1").await;
        assert_eq!(
            (head.status(), &head.headers()[CACHE_CONTROL]),
            (StatusCode::OK, &"no-cache".parse().unwrap())
        );
        assert_eq!(head.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    }

    #[tokio::test]
    async fn a_connection_too_many_gets_the_whole_problem() {
        let request = Request::builder().uri("/kept").body(Body::empty()).unwrap();
        let response = edge().refuse(&request, Problem::plain(Code::Overloaded));
        assert_eq!(
            (response.status(), &response.headers()[RETRY_AFTER]),
            (StatusCode::SERVICE_UNAVAILABLE, &"1".parse().unwrap())
        );
    }
}
