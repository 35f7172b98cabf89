//! What every request passes on its way in and out, in one place and in one order: [`Edge::handle`].
//!
//! One plain function instead of a stack of middleware, and one look at the address, which gives the route with its
//! limits, its meters, its handler and what the path leaves open. Handlers and extractors are axum's.

use crate::adapters::http::edge::admission::Admission;
use crate::adapters::http::edge::cors;
use crate::adapters::http::edge::endpoint::Answering;
use crate::adapters::http::edge::gates::{Client, Entry, Gates, Quota};
use crate::adapters::http::edge::meters::Meters;
use crate::adapters::http::edge::route::{Cache, Route};
use crate::adapters::http::edge::web_gate::WebGate;
use crate::adapters::http::request::arrived::Arrived;
use crate::adapters::http::request::path_params::PathParams;
use crate::adapters::http::request::query::Query;
use crate::adapters::http::request::request_id::{RequestId, RequestIds, Trace, X_REQUEST_ID};
use crate::adapters::http::response::code::Code;
use crate::adapters::http::response::hints::Rejected;
use crate::adapters::http::response::problem;
use crate::adapters::http::response::problem::Problem;
use crate::planted::{Bug, planted};
use crate::resilience::Seat;
use crate::telemetry::HTTP_PANICS;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The outermost layer, around the handlers.
pub struct Edge {
    routes: Vec<(Route, Answering)>,
    /// Which routes an address belongs to, one for each of its methods.
    places: matchit::Router<Vec<usize>>,
    gates: Arc<Gates>,
    web: Arc<WebGate>,
    meters: Meters,
    ids: RequestIds,
}

/// What is remembered of a request while it is being answered.
struct Visit {
    started: Instant,
    method: Method,
    uri: Uri,
    /// The route it leads to, by its place in the list.
    place: Option<usize>,
    params: PathParams,
    id: RequestId,
    trace: Option<Trace>,
    /// The origin of its page, when that may read the answer.
    origin: Option<HeaderValue>,
    /// How its client stands, when there is a limit.
    quota: Option<Quota>,
}

impl Edge {
    /// Puts the layer around what serves these routes.
    pub(crate) fn new(routes: Vec<(Route, Answering)>, gates: Arc<Gates>, web: Arc<WebGate>) -> Self {
        let mut together: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, (route, _)) in routes.iter().enumerate() {
            for address in route.addresses() {
                together.entry(address).or_default().push(place);
            }
        }
        let mut places = matchit::Router::new();
        for (address, of_address) in together {
            places.insert(address, of_address).expect("no two patterns fit the same addresses");
        }
        let meters = Meters::new(routes.iter().map(|(route, _)| route.template));
        for (place, (route, _)) in routes.iter().enumerate() {
            meters.of(Some(place), &route.method).begin();
        }
        Self { routes, places, gates, web, meters, ids: RequestIds::default() }
    }

    /// Answers one request from inside the process: of nobody who has a limit, nor of a browser.
    pub async fn handle(&self, request: Request) -> Response {
        self.handle_of(None, request).await
    }

    /// Answers one request. In: clock, request id, trace, route, gate against web pages, limit, gate, query names, then the
    /// handler behind a guard against panics. Out: problem, headers, meters, log.
    ///
    /// A client is known by its socket; in process there is none, and no limit.
    pub(crate) async fn handle_of(&self, client: Option<Client>, mut request: Request) -> Response {
        let mut visit = self.enter(&request);
        let admitted = self.admit(&mut visit, client, &request);
        let admitted = admitted.and_then(|place| self.check_query(&visit).map(|()| place));
        let place = match admitted {
            Err(problem) => return self.leave(&visit, problem.into_response()),
            Ok(place) => place,
        };
        let Some((route, answering)) = visit.place.and_then(|place| self.routes.get(place)) else {
            return self.leave(&visit, StatusCode::NOT_FOUND.into_response());
        };
        if !route.serves(&visit.method) {
            let methods = self.methods_of(&visit);
            if visit.origin.is_some() && cors::is_preflight(&visit.method, request.headers()) {
                return self.leave(&visit, cors::permit(&methods));
            }
            let allow = [(ALLOW, methods)];
            return self.leave(&visit, (StatusCode::METHOD_NOT_ALLOWED, allow).into_response());
        }
        let params = std::mem::take(&mut visit.params);
        request.extensions_mut().insert(Arrived { id: visit.id.clone(), params });
        // Held until the head of the answer is there; a stream goes on without a place.
        let admission = Arc::new(Admission::new(Arc::clone(&self.gates), route.entry, place));
        request.extensions_mut().insert(Arc::clone(&admission));
        let work = AssertUnwindSafe(async { answering(request).await });
        let leaked = planted(Bug::LeakPermitOnCancel).then(|| ManuallyDrop::new(Arc::clone(&admission)));
        let response = work.catch_unwind().await.unwrap_or_else(|panic| panicked(panic.as_ref()));
        drop(leaked.map(ManuallyDrop::into_inner));
        let response = self.leave(&visit, response);
        drop(admission);
        response
    }

    /// Answers a request with a refusal, without looking at it any further.
    pub fn refuse(&self, request: &Request, problem: Problem) -> Response {
        self.leave(&self.enter(request), problem.into_response())
    }

    /// Forgets clients that have rested.
    pub(crate) fn sweep(&self) {
        self.gates.sweep();
    }

    fn enter(&self, request: &Request) -> Visit {
        let started = Instant::now();
        let (place, params) = self.place(request.method(), request.uri().path()).unzip();
        Visit {
            started,
            method: request.method().clone(),
            uri: request.uri().clone(),
            place,
            params: params.unwrap_or_default(),
            id: self.ids.take_or_make(request.headers()),
            trace: Trace::of(request.headers()),
            origin: None,
            quota: None,
        }
    }

    /// True for what is answered whatever else goes on: health and metrics.
    pub(crate) fn is_free(&self, request: &Request) -> bool {
        let place = self.place(request.method(), request.uri().path());
        place
            .and_then(|(place, _)| self.routes.get(place))
            .is_some_and(|(route, _)| route.entry == Entry::Free)
    }

    /// Counts a request, and lets it in. What a page may not send is not counted: it would use up what is its visitor's.
    fn admit(
        &self,
        visit: &mut Visit,
        client: Option<Client>,
        request: &Request,
    ) -> Result<Option<Seat>, Problem> {
        if client.is_some() {
            visit.origin = self.web.check(request)?;
        }
        let entry = visit.place.and_then(|place| self.routes.get(place)).map(|(route, _)| route.entry);
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

    /// The route of an address that has this method, the first one of the address when none has; and what the address
    /// leaves open.
    fn place(&self, method: &Method, path: &str) -> Option<(usize, PathParams)> {
        let found = self.places.at(path).ok()?;
        let serves = |place: &usize| self.routes.get(*place).is_some_and(|(route, _)| route.serves(method));
        let place = found.value.iter().copied().find(serves).or_else(|| found.value.first().copied())?;
        Some((place, PathParams::read(found.params.iter())))
    }

    /// What `Allow` says of an address.
    fn methods_of(&self, visit: &Visit) -> String {
        let places = self.places.at(visit.uri.path()).map(|found| found.value.as_slice()).unwrap_or_default();
        let mut allowed = Vec::new();
        for (route, _) in places.iter().filter_map(|place| self.routes.get(*place)) {
            allowed.push(route.method.as_str());
            if route.method == Method::GET {
                allowed.push("HEAD");
            }
        }
        allowed.join(",")
    }

    fn leave(&self, visit: &Visit, mut response: Response) -> Response {
        let refused = response.status().is_client_error() || response.status().is_server_error();
        let problem = refused.then(|| problem::render(&mut response, visit.uri.path(), visit.id.as_str()));
        let route = visit.place.and_then(|place| self.routes.get(place));
        let cache = route.filter(|_| !refused).map_or(Cache::Never, |(route, _)| route.cache);
        sign(response.headers_mut(), &visit.id, cache);
        if self.web.knows_origins() {
            cors::sign(response.headers_mut(), visit.origin.as_ref());
        }
        if let Some(quota) = visit.quota {
            self.gates.sign(response.headers_mut(), quota);
        }
        if problem.as_ref().is_some_and(|problem| problem.code().turns_away()) {
            response.extensions_mut().insert(Rejected);
        }
        let status = response.status();
        let (meter, took) = (self.meters.of(visit.place, &visit.method), visit.started.elapsed());
        meter.record(status, took);
        log(visit, meter.route(), status, took, problem.as_ref());
        if visit.method == Method::HEAD { without_body(response) } else { response }
    }

    fn check_query(&self, visit: &Visit) -> Result<(), Problem> {
        let route = visit.place.and_then(|place| self.routes.get(place));
        let (Some(query), Some((route, _))) = (visit.uri.query(), route) else {
            return Ok(());
        };
        // A wrong method is told as such, whatever the query.
        if route.serves(&visit.method) { Query::of(Some(query)).check(route.query) } else { Ok(()) }
    }
}

/// The answer to HEAD: that to GET without its body, whose length it still tells.
fn without_body(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        head.headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    Response::from_parts(head, Body::empty())
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    metrics::counter!(HTTP_PANICS).increment(1);
    let message = panic.downcast_ref::<&str>().copied();
    let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Problem::plain(Code::Internal).because(&message.unwrap_or("a panic without a message")).into_response()
}

fn sign(headers: &mut HeaderMap, id: &RequestId, cache: Cache) {
    headers.insert(X_REQUEST_ID, id.header_value());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static(cache.control()));
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

impl fmt::Debug for Edge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Edge").field("routes", &self.routes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::http::edge::endpoint::{get, put};
    use crate::adapters::http::edge::route::Permission::Open;
    use http::header::RETRY_AFTER;

    fn edge() -> Edge {
        let endpoints = [
            get(Open, "/panics", panics),
            get(Open, "/teapot", || async { StatusCode::IM_A_TEAPOT }),
            get(Open, "/kept", || async { ([(CACHE_CONTROL, "max-age=60")], "tea") }),
            put(Open, "/kept", || async {}),
        ];
        let bound = endpoints.map(|endpoint| endpoint.query(&["known"]).versioned().free().bound(()));
        Edge::new(bound.into(), Arc::default(), Arc::default())
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
    async fn an_address_says_which_methods_it_has_and_head_is_get_without_a_body() {
        for (method, status, allow, length) in [
            (Method::GET, 200, None, None),
            (Method::HEAD, 200, None, Some("3")),
            (Method::PUT, 200, None, None),
            (Method::POST, 405, Some("GET,HEAD,PUT"), None),
            (Method::OPTIONS, 405, Some("GET,HEAD,PUT"), None),
        ] {
            let request = Request::builder().method(method.clone()).uri("/kept").body(Body::empty()).unwrap();
            let (head, body) = edge().handle(request).await.into_parts();
            let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
            assert_eq!((head.status.as_u16(), text(ALLOW)), (status, allow), "{method}");
            assert_eq!(text(CONTENT_LENGTH), length, "{method}");
            let empty = axum::body::to_bytes(body, 10_000).await.unwrap().is_empty();
            assert_eq!(empty, matches!(method, Method::HEAD | Method::PUT), "{method}");
        }
    }

    #[tokio::test]
    async fn a_page_that_may_be_kept_says_so_itself() {
        let (head, _) = answer("/kept?known=1").await;
        assert_eq!(
            (head.status(), &head.headers()[CACHE_CONTROL]),
            (StatusCode::OK, &"max-age=60".parse().unwrap())
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
