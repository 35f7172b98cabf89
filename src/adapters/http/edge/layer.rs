//! The layer around every request, in one place and in one order: [`Edge::handle`].
//!
//! One plain function instead of a stack of middleware, and one lookup of the address, which gives the route with
//! its limits, its meters, its handler and its path parameters. Handlers and extractors are axum's.

use crate::edge::admission::Admission;
use crate::edge::cors;
use crate::edge::departing::{panicked, sign, without_body};
use crate::edge::endpoint::Answering;
use crate::edge::front_door::{CHALLENGE, FrontDoor};
use crate::edge::gates::{ClientAddress, GateEntry, Gates, Quota};
use crate::edge::local_peer::LocalPeer;
use crate::edge::meters::RouteMeters;
use crate::edge::route::{Cache, Need, Route};
use crate::edge::web_gate::WebGate;
use crate::request::arrived::Arrived;
use crate::request::caller::Caller;
use crate::request::path_params::PathParams;
use crate::request::query::Query;
use crate::request::request_id::{RequestId, RequestIds, TraceParent};
use crate::response::hints::Rejected;
use crate::response::problem;
use crate::response::problem::Problem;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode, Uri};
use onhand_planted::{Bug, planted};
use onhand_resilience::Seat;
use std::collections::BTreeMap;
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The outermost layer, around the handlers.
pub struct Edge {
    routes: Vec<(Route, Answering)>,
    /// The routes of each address, one for each of its methods.
    addresses: matchit::Router<Vec<usize>>,
    gates: Arc<Gates>,
    web: Arc<WebGate>,
    door: Option<FrontDoor>,
    meters: RouteMeters,
    ids: RequestIds,
}

/// One request with the data that the edge collects until it is answered.
struct Exchange {
    started: Instant,
    method: Method,
    uri: Uri,
    /// The index of its route.
    index: Option<usize>,
    params: PathParams,
    id: RequestId,
    trace: Option<TraceParent>,
    /// The origin of the page that sent it, when that may read the answer.
    origin: Option<HeaderValue>,
    /// The rate limit of its client, when there is one.
    quota: Option<Quota>,
}

impl Edge {
    /// Puts the layer around these routes and their handlers.
    pub(crate) fn new(routes: Vec<(Route, Answering)>, gates: Arc<Gates>, web: Arc<WebGate>) -> Self {
        let mut together: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, (route, _)) in routes.iter().enumerate() {
            for address in route.addresses() {
                together.entry(address).or_default().push(index);
            }
        }
        let mut addresses = matchit::Router::new();
        for (address, of_address) in together {
            addresses.insert(address, of_address).expect("no two patterns fit the same addresses");
        }
        let meters = RouteMeters::new(routes.iter().map(|(route, _)| route.template));
        for (index, (route, _)) in routes.iter().enumerate() {
            meters.of(Some(index), &route.method).begin();
        }
        Self { routes, addresses, gates, web, door: None, meters, ids: RequestIds::default() }
    }

    /// The same edge with a front door; without one, every caller is `local`.
    pub(crate) fn with_door(mut self, door: FrontDoor) -> Self {
        self.door = Some(door);
        self
    }

    /// Answers one request from inside the process: it has no client with a rate limit, and is not from a browser.
    pub async fn handle(&self, request: Request) -> Response {
        self.handle_of(None, request).await
    }

    /// Answers one request. On the way in: clock, request id, trace, route, gate against web pages, rate limit, gate, query names,
    /// then the handler behind a guard against panics. On the way out: problem, headers, meters, log.
    ///
    /// A client is identified by its socket; a request from inside the process has none, and no rate limit.
    pub(crate) async fn handle_of(&self, client: Option<ClientAddress>, mut request: Request) -> Response {
        let mut exchange = self.enter(&request);
        let admitted = self.admit(&mut exchange, client, &request);
        let admitted = admitted.and_then(|place| self.check_query(&exchange).map(|()| place));
        let place = match admitted {
            Err(problem) => return self.leave(&exchange, problem.into_response()),
            Ok(place) => place,
        };
        let Some((route, answering)) = exchange.index.and_then(|index| self.routes.get(index)) else {
            return self.leave(&exchange, StatusCode::NOT_FOUND.into_response());
        };
        if !route.serves(&exchange.method) {
            let methods = self.methods_of(&exchange);
            if exchange.origin.is_some() && cors::is_preflight(&exchange.method, request.headers()) {
                return self.leave(&exchange, cors::permit(&methods));
            }
            let allow = [(ALLOW, methods)];
            return self.leave(&exchange, (StatusCode::METHOD_NOT_ALLOWED, allow).into_response());
        }
        let params = std::mem::take(&mut exchange.params);
        let admitted = match &self.door {
            Some(door) => match door.catch_up(route.need).await {
                Ok(()) => {
                    let over_socket = request.extensions().get::<LocalPeer>().is_some();
                    door.admit(need_of(route, &exchange), over_socket, request.headers(), &params).await
                }
                Err(problem) => Err(problem),
            },
            None => Ok(Caller::default()),
        };
        let caller = match admitted {
            Ok(caller) => caller,
            Err(problem) => return self.leave(&exchange, problem.into_response()),
        };
        request.extensions_mut().insert(Arrived { id: exchange.id.clone(), caller, params });
        // Held until the head of the answer leaves; a stream continues without a place.
        let admission = Arc::new(Admission::new(Arc::clone(&self.gates), route.entry, place));
        request.extensions_mut().insert(Arc::clone(&admission));
        let work = AssertUnwindSafe(async { answering(request).await });
        let leaked = planted(Bug::LeakPermitOnCancel).then(|| ManuallyDrop::new(Arc::clone(&admission)));
        let response = work.catch_unwind().await.unwrap_or_else(|panic| panicked(panic.as_ref()));
        drop(leaked.map(ManuallyDrop::into_inner));
        let response = self.leave(&exchange, response);
        drop(admission);
        response
    }

    /// Refuses a request without any further check.
    pub fn refuse(&self, request: &Request, problem: Problem) -> Response {
        self.leave(&self.enter(request), problem.into_response())
    }

    /// Forgets clients whose rate limit is unused again.
    pub(crate) fn sweep(&self) {
        self.gates.sweep();
    }

    fn enter(&self, request: &Request) -> Exchange {
        let started = Instant::now();
        let (index, params) = self.find(request.method(), request.uri().path()).unzip();
        Exchange {
            started,
            method: request.method().clone(),
            uri: request.uri().clone(),
            index,
            params: params.unwrap_or_default(),
            id: self.ids.take_or_make(request.headers()),
            trace: TraceParent::of(request.headers()),
            origin: None,
            quota: None,
        }
    }

    /// True for a route that is answered under any load: health and metrics.
    pub(crate) fn is_free(&self, request: &Request) -> bool {
        let found = self.find(request.method(), request.uri().path());
        found
            .and_then(|(index, _)| self.routes.get(index))
            .is_some_and(|(route, _)| route.entry == GateEntry::Free)
    }

    /// Counts a request and admits it. A request that a page may not send is not counted: it would use up its visitor's limit.
    fn admit(
        &self,
        exchange: &mut Exchange,
        client: Option<ClientAddress>,
        request: &Request,
    ) -> Result<Option<Seat>, Problem> {
        if client.is_some() {
            let login = self.door.as_ref().is_some_and(FrontDoor::asks_who);
            exchange.origin = self.web.check(request, login)?;
        }
        let entry = exchange.index.and_then(|index| self.routes.get(index)).map(|(route, _)| route.entry);
        if entry == Some(GateEntry::Free) {
            return Ok(None);
        }
        if let Some(client) = client {
            exchange.quota = self.gates.count(client).map_err(|(quota, problem)| {
                exchange.quota = Some(quota);
                problem
            })?;
        }
        entry.map_or(Ok(None), |entry| self.gates.admit(entry))
    }

    /// The route of an address that has this method, else the first one of the address; and the path parameters.
    fn find(&self, method: &Method, path: &str) -> Option<(usize, PathParams)> {
        let found = self.addresses.at(path).ok()?;
        let serves = |index: &usize| self.routes.get(*index).is_some_and(|(route, _)| route.serves(method));
        let index = found.value.iter().copied().find(serves).or_else(|| found.value.first().copied())?;
        Some((index, PathParams::read(found.params.iter())))
    }

    /// The `Allow` header of an address.
    fn methods_of(&self, exchange: &Exchange) -> String {
        let indexes =
            self.addresses.at(exchange.uri.path()).map(|found| found.value.as_slice()).unwrap_or_default();
        let mut allowed = Vec::new();
        for (route, _) in indexes.iter().filter_map(|index| self.routes.get(*index)) {
            allowed.push(route.method.as_str());
            if route.method == Method::GET {
                allowed.push("HEAD");
            }
        }
        allowed.join(",")
    }

    fn leave(&self, exchange: &Exchange, mut response: Response) -> Response {
        let refused = response.status().is_client_error() || response.status().is_server_error();
        let problem =
            refused.then(|| problem::render(&mut response, exchange.uri.path(), exchange.id.as_str()));
        let route = exchange.index.and_then(|index| self.routes.get(index));
        let cache = route.filter(|_| !refused).map_or(Cache::Never, |(route, _)| route.cache);
        sign(response.headers_mut(), &exchange.id, cache);
        if self.web.knows_origins() {
            cors::sign(response.headers_mut(), exchange.origin.as_ref());
        }
        if let Some(quota) = exchange.quota {
            self.gates.sign(response.headers_mut(), quota);
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
        }
        if problem.as_ref().is_some_and(|problem| problem.code().rejects_for_load()) {
            response.extensions_mut().insert(Rejected);
        }
        let status = response.status();
        let (meter, took) = (self.meters.of(exchange.index, &exchange.method), exchange.started.elapsed());
        meter.record(status, took);
        log(exchange, meter.route(), status, took, problem.as_ref());
        if exchange.method == Method::HEAD { without_body(response) } else { response }
    }

    fn check_query(&self, exchange: &Exchange) -> Result<(), Problem> {
        let route = exchange.index.and_then(|index| self.routes.get(index));
        let (Some(query), Some((route, _))) = (exchange.uri.query(), route) else {
            return Ok(());
        };
        // A wrong method is refused as such before the query is checked.
        if route.serves(&exchange.method) { Query::of(Some(query)).check(route.query) } else { Ok(()) }
    }
}

/// The need of a request is that of its route, whatever its method and address.
fn need_of(route: &Route, exchange: &Exchange) -> Need {
    let head = planted(Bug::SkipNeedOfHead) && exchange.method == Method::HEAD;
    let alias = planted(Bug::SkipNeedOfAlias) && exchange.uri.path().starts_with("/api/");
    if head || alias { Need::Anyone } else { route.need }
}

fn log(
    exchange: &Exchange,
    route: &'static str,
    status: StatusCode,
    took: Duration,
    problem: Option<&Problem>,
) {
    let request_id = exchange.id.as_str();
    let trace_id = exchange.trace.as_ref().map(TraceParent::id);
    let (method, status) = (exchange.method.as_str(), status.as_u16());
    let code = problem.map(|problem| problem.code().slug());
    // The gate counts and logs what it rejects, the leases log contention, the breaker logs a failing disk. A line
    // for each request would only add to the load, or to a disk that is full.
    let routine = |problem: &Problem| problem.cause().is_none() && problem.code().is_reported_elsewhere();
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
    use crate::edge::endpoint::{get, put};
    use crate::edge::route::Need;
    use crate::response::code::Code;
    use axum::body::Body;
    use http::header::{CACHE_CONTROL, CONTENT_LENGTH, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};

    fn edge() -> Edge {
        let endpoints = [
            get(Need::Public, "/panics", panics),
            get(Need::Public, "/teapot", || async { StatusCode::IM_A_TEAPOT }),
            get(Need::Public, "/kept", || async { ([(CACHE_CONTROL, "max-age=60")], "tea") }),
            put(Need::Public, "/kept", || async {}),
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
    async fn every_error_response_follows_the_contract() {
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
            // A bare status without a code of its own becomes the nearest one that has one.
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
