//! The layer around every request, in one place and in one order: [`Edge::handle`].
//!
//! One plain function instead of a stack of middleware, and one lookup of the address, which gives the route with
//! its limits, its meters, its handler and its path parameters. Handlers and extractors are axum's.

use crate::edge::admission::Admission;
use crate::edge::cors;
use crate::edge::departing::{ONHAND_SEQUENCE, panicked, sign, without_body};
use crate::edge::endpoint::Answering;
use crate::edge::exchange::Exchange;
use crate::edge::forwarding::{Client, TrustedProxies};
use crate::edge::front_door::{CHALLENGE, FrontDoor, Visitor};
use crate::edge::gates::{GateEntry, Gates};
use crate::edge::local_peer::LocalPeer;
use crate::edge::managed;
use crate::edge::meters::RouteMeters;
use crate::edge::rate_limits::Quota;
use crate::edge::recording::{RecordedRequest, Recording, is_refusal};
use crate::edge::route::{Cache, Need, Route};
use crate::edge::route_table::BoundRoutes;
use crate::edge::web_gate::WebGate;
use crate::request::arrived::Arrived;
use crate::request::caller::Caller;
use crate::request::network::network_of;
use crate::request::query::Query;
use crate::request::request_id::RequestIds;
use crate::response::hints::{Noted, Rejected};
use crate::response::problem;
use crate::response::problem::Problem;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use onhand_planted::{Bug, planted};
use onhand_resilience::Seat;
use std::fmt;
use std::mem::ManuallyDrop;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// The outermost layer, around the handlers.
pub struct Edge {
    routes: BoundRoutes,
    gates: Arc<Gates>,
    web: Arc<WebGate>,
    proxies: TrustedProxies,
    door: Option<FrontDoor>,
    recording: Option<Recording>,
    meters: RouteMeters,
    ids: RequestIds,
}

impl Edge {
    /// Puts the layer around these routes and their handlers.
    pub(crate) fn new(routes: Vec<(Route, Answering)>, gates: Arc<Gates>, web: Arc<WebGate>) -> Self {
        let routes = BoundRoutes::new(routes);
        let meters = RouteMeters::new(routes.all().map(|route| route.template));
        for (index, route) in routes.all().enumerate() {
            meters.of(Some(index), &route.method).begin();
        }
        let (proxies, ids) = (TrustedProxies::default(), RequestIds::default());
        Self { routes, gates, web, proxies, door: None, recording: None, meters, ids }
    }

    /// The same edge behind these proxies.
    pub(crate) fn with_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// The same edge with a front door; without one, every caller is `local`.
    pub(crate) fn with_door(mut self, door: FrontDoor) -> Self {
        self.door = Some(door);
        self
    }

    /// The same edge with an audit trail, or without.
    pub(crate) fn with_recording(mut self, recording: Option<Recording>) -> Self {
        self.recording = recording;
        self
    }

    /// Answers one request from inside the process: it has no client with a rate limit, and is not from a browser.
    pub async fn handle(&self, request: Request) -> Response {
        self.handle_of(None, request).await
    }

    /// Answers one request. On the way in: clock, request id, trace, route, client, gate against web pages, caller, rate limit,
    /// gate, query names, permission, then the handler behind a guard against panics. On the way out: problem, headers, meters, log.
    ///
    /// `peer` is the other end of the connection; a request from inside the process has none, and no rate limit.
    pub(crate) async fn handle_of(&self, peer: Option<Client>, mut request: Request) -> Response {
        let mut exchange = self.enter(&request);
        exchange.client = peer.map(|peer| self.proxies.client_behind(peer, request.headers()));
        let local = request.extensions().get::<LocalPeer>().is_some();
        let (address, encrypted) =
            exchange.client.map_or((None, false), |client| (client.address, client.encrypted));
        let caller = match self.check_page(&mut exchange, &request) {
            Ok(()) => {
                let network = address.map(network_of);
                let visitor = Visitor { headers: request.headers(), local, network, encrypted };
                match self.count_password(&mut exchange, visitor) {
                    Ok(()) => Ok(self.identify(&exchange, visitor).await),
                    Err(problem) => Err(problem),
                }
            }
            Err(problem) => Err(problem),
        };
        let admitted = caller.and_then(|caller| self.admit(&mut exchange, caller));
        let (caller, place) = match admitted {
            Err(problem) => return self.leave(&exchange, problem.into_response()),
            Ok(admitted) => admitted,
        };
        let Some((route, answering)) = self.routes.get(exchange.index) else {
            return self.leave(&exchange, StatusCode::NOT_FOUND.into_response());
        };
        if !route.serves(&exchange.method) {
            let methods = self.routes.methods_of(exchange.uri.path());
            if exchange.origin.is_some() && cors::is_preflight(&exchange.method, request.headers()) {
                return self.leave(&exchange, cors::permit(&methods));
            }
            let allow = [(ALLOW, methods)];
            return self.leave(&exchange, (StatusCode::METHOD_NOT_ALLOWED, allow).into_response());
        }
        if let Some(recording) = &self.recording
            && recording.is_first_use(&caller, address.map(network_of))
        {
            recording.first_use(&self.recorded(&exchange));
        }
        let vault = self.door.as_ref().and_then(|door| door.vault.as_ref());
        if let Err(problem) = managed::check(vault, route, &exchange.params).await {
            return self.leave(&exchange, problem.into_response());
        }
        let (id, params) = (exchange.id.clone(), std::mem::take(&mut exchange.params));
        request.extensions_mut().insert(Arrived { id, caller, address, encrypted, params });
        // Looked up before the handler reads: what it reads is as new or newer, lists from a projection too.
        let sequence = match self.door.as_ref().filter(|_| route.sequenced) {
            Some(door) => Some(door.ledger.noted_end().await),
            None => None,
        };
        // Held until the head of the answer leaves; a stream continues without a place.
        let admission = Arc::new(Admission::new(Arc::clone(&self.gates), route.entry, place));
        request.extensions_mut().insert(Arc::clone(&admission));
        let work = AssertUnwindSafe(async { answering(request).await });
        let leaked = planted(Bug::LeakPermitOnCancel).then(|| ManuallyDrop::new(Arc::clone(&admission)));
        let mut response = work.catch_unwind().await.unwrap_or_else(|panic| panicked(panic.as_ref()));
        if let Some(sequence) = sequence.filter(|_| response.status().is_success()) {
            response.headers_mut().insert(ONHAND_SEQUENCE, sequence.0.into());
        }
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
        self.gates.limits.sweep();
    }

    fn enter(&self, request: &Request) -> Exchange {
        let (index, params) = self.routes.find(request.method(), request.uri().path()).unzip();
        Exchange::new(request, index, params.unwrap_or_default(), self.ids.take_or_make(request.headers()))
    }

    /// True for a route that is answered under any load: health and metrics.
    pub(crate) fn is_free(&self, request: &Request) -> bool {
        let found = self.routes.find(request.method(), request.uri().path());
        self.routes
            .get(found.map(|(index, _)| index))
            .is_some_and(|(route, _)| route.entry == GateEntry::Free)
    }

    /// Refuses what a page may not send. It is not counted: it would use up its visitor's limit.
    fn check_page(&self, exchange: &mut Exchange, request: &Request) -> Result<(), Problem> {
        if exchange.client.is_some() {
            let login = self.door.as_ref().is_some_and(FrontDoor::asks_who);
            exchange.origin = self.web.check(request, login)?;
        }
        Ok(())
    }

    /// A password is compared at a price, so its address is counted before.
    fn count_password(&self, exchange: &mut Exchange, visitor: Visitor<'_>) -> Result<(), Problem> {
        if visitor.has_password() && self.door.as_ref().is_some_and(FrontDoor::asks_who) {
            self.count(exchange, None)?;
        }
        Ok(())
    }

    /// Finds out who sends a request, once what other processes have granted and revoked is read.
    async fn identify(&self, exchange: &Exchange, visitor: Visitor<'_>) -> Result<Caller, Problem> {
        let (Some(door), Some(route)) = (&self.door, self.served(exchange)) else {
            return Ok(Caller::default());
        };
        door.catch_up(route.need).await?;
        door.caller_of(route.need, visitor).await
    }

    /// Counts a request for its caller, and admits it: the caller, and the place where one is taken at once.
    fn admit(
        &self,
        exchange: &mut Exchange,
        caller: Result<Caller, Problem>,
    ) -> Result<(Caller, Option<Seat>), Problem> {
        let is_free =
            self.routes.get(exchange.index).is_some_and(|(route, _)| route.entry == GateEntry::Free);
        let Some(route) = self.served(exchange) else {
            if !is_free {
                self.count(exchange, None)?;
            }
            return Ok((Caller::default(), None));
        };
        if caller.is_err() || !is_free {
            // A client that guesses too often gets 429 in place of 401.
            self.count(exchange, caller.as_ref().ok())?;
        }
        let caller = caller?;
        exchange.caller = Some(caller.clone());
        let place = self.gates.admit(route.entry)?;
        if let Some(query) = exchange.uri.query() {
            Query::of(Some(query)).check(route.query)?;
        }
        FrontDoor::permit(need_of(route, exchange), &caller, &exchange.params)?;
        Ok((caller, place))
    }

    /// The route of a request, when it serves its method.
    fn served(&self, exchange: &Exchange) -> Option<&Route> {
        let route = self.routes.get(exchange.index).map(|(route, _)| route);
        route.filter(|route| route.serves(&exchange.method))
    }

    /// Counts a request for its caller; for its address when that is none, or not known.
    fn count(&self, exchange: &mut Exchange, caller: Option<&Caller>) -> Result<(), Problem> {
        let Some(client) = exchange.client else { return Ok(()) };
        exchange.quota = self.gates.limits.count(&client, caller.and_then(Caller::authority));
        exchange.quota.as_ref().map_or(Ok(()), Quota::check)
    }

    fn leave(&self, exchange: &Exchange, mut response: Response) -> Response {
        let refused = response.status().is_client_error() || response.status().is_server_error();
        let problem =
            refused.then(|| problem::render(&mut response, exchange.uri.path(), exchange.id.as_str()));
        let route = self.routes.get(exchange.index);
        let cache = route.filter(|_| !refused).map_or(Cache::Never, |(route, _)| route.cache);
        sign(response.headers_mut(), &exchange.id, cache);
        if self.web.knows_origins() {
            cors::sign(response.headers_mut(), exchange.origin.as_ref());
        }
        if let Some(quota) = &exchange.quota {
            quota.sign(response.headers_mut());
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
        }
        // The connection of a proxy is that of others, too.
        let shared = exchange.client.is_some_and(|client| client.proxied);
        if !shared && problem.as_ref().is_some_and(|problem| problem.code().rejects_for_load()) {
            response.extensions_mut().insert(Rejected);
        }
        let status = response.status();
        let noted = response.extensions().get::<Noted>().or_else(|| problem.as_ref()?.noted());
        if let Some(recording) = self.recording.as_ref().filter(|_| noted.is_some() || is_refusal(status)) {
            recording.answered(&self.recorded(exchange), status, problem.as_ref(), noted);
        }
        let (meter, took) = (self.meters.of(exchange.index, &exchange.method), exchange.started.elapsed());
        meter.record(status, took);
        exchange.log(meter.route(), status, took, problem.as_ref());
        if exchange.method == Method::HEAD { without_body(response) } else { response }
    }

    /// The entry of a request in the audit trail.
    fn recorded<'a>(&self, exchange: &'a Exchange) -> RecordedRequest<'a> {
        let route = self.routes.get(exchange.index).map(|(route, _)| route);
        exchange.recorded(self.meters.of(exchange.index, &exchange.method).method(), route)
    }
}

/// The need of a request is that of its route, whatever its method and address.
fn need_of(route: &Route, exchange: &Exchange) -> Need {
    let head = planted(Bug::SkipNeedOfHead) && exchange.method == Method::HEAD;
    let alias = planted(Bug::SkipNeedOfAlias) && exchange.uri.path().starts_with("/api/");
    if head || alias { Need::Anyone } else { route.need }
}

impl fmt::Debug for Edge {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Edge").field("routes", &self.routes.all().count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::endpoint::{get, put};
    use crate::edge::route::Need;
    use crate::response::code::Code;
    use axum::Extension;
    use axum::body::Body;
    use http::header::{CACHE_CONTROL, CONTENT_LENGTH, HOST, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
    use onhand_config::GateSettings;
    use std::num::NonZeroU32;

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

    #[tokio::test]
    async fn a_handler_sees_where_a_request_comes_from() {
        let seen = |Extension(arrived): Extension<Arrived>| async move {
            format!("{:?} {}", arrived.address, arrived.encrypted)
        };
        let number = NonZeroU32::MIN;
        let settings =
            GateSettings { concurrency: 1, queue_max: 1, rate: Some((number, number)), role_rates: vec![] };
        let edge = Edge::new(
            vec![get(Need::Public, "/seen", seen).bound(())],
            Arc::new(Gates::new(&settings, 1)),
            Arc::new(WebGate::any_host()),
        );
        let edge = edge.with_proxies(TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]));
        let proxy = Client::at([10, 0, 0, 1].into(), false);
        let plain = Client::at([192, 0, 2, 7].into(), false);
        for (peer, answer) in [
            (Some(proxy), "Some(203.0.113.9) true"),
            (Some(plain), "Some(192.0.2.7) false"),
            (Some(Client::at([192, 0, 2, 8].into(), true)), "Some(192.0.2.8) true"),
            (None, "None false"),
        ] {
            let sent = || {
                let request = Request::builder().uri("/seen").header(HOST, "stock.example");
                let request = request.header("x-forwarded-for", "1.2.3.4, 203.0.113.9");
                request.header("x-forwarded-proto", "https").body(Body::empty()).unwrap()
            };
            let body = edge.handle_of(peer, sent()).await.into_body();
            assert_eq!(axum::body::to_bytes(body, 100).await.unwrap(), answer);
            // Who asks too often has to wait on its connection, unless that is a proxy's.
            let again = edge.handle_of(peer, sent()).await;
            let (status, waits) = (again.status().as_u16(), again.extensions().get::<Rejected>().is_some());
            assert_eq!(status, if peer.is_some() { 429 } else { 200 });
            assert_eq!(waits, peer.is_some() && peer != Some(proxy));
        }
    }
}
