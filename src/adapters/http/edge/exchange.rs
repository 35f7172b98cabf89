//! One request on its way through the edge.

use crate::edge::forwarding::Client;
use crate::edge::rate_limits::Quota;
use crate::edge::recording::RecordedRequest;
use crate::edge::route::{Need, Route};
use crate::request::caller::Caller;
use crate::request::network::network_of;
use crate::request::path_params::PathParams;
use crate::request::request_id::{RequestId, TraceParent};
use crate::response::problem::Problem;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use std::time::{Duration, Instant};

/// One request with the data that the edge collects until it is answered.
pub(crate) struct Exchange {
    pub(crate) started: Instant,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// The index of its route.
    pub(crate) index: Option<usize>,
    pub(crate) params: PathParams,
    pub(crate) id: RequestId,
    pub(crate) trace: Option<TraceParent>,
    /// The origin of the page that sent it, when that may read the answer.
    pub(crate) origin: Option<HeaderValue>,
    /// Where it comes from; nothing from inside the process.
    pub(crate) client: Option<Client>,
    /// The rate limit that it was counted for, when there is one.
    pub(crate) quota: Option<Quota>,
    /// Who it comes from, once that is known.
    pub(crate) caller: Option<Caller>,
}

impl Exchange {
    /// A request that arrives now, with its route.
    pub(crate) fn new<B>(
        request: &Request<B>,
        index: Option<usize>,
        params: PathParams,
        id: RequestId,
    ) -> Self {
        Self {
            started: Instant::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            index,
            params,
            id,
            trace: TraceParent::of(request.headers()),
            origin: None,
            client: None,
            quota: None,
            caller: None,
        }
    }

    /// Its entry in the audit trail; `method` is one of the known ones, or `other`.
    pub(crate) fn recorded(&self, method: &'static str, route: Option<&Route>) -> RecordedRequest<'_> {
        RecordedRequest {
            address: self.client.and_then(|client| client.address).map(network_of),
            method,
            route: route.map(|route| route.template),
            is_public: route.is_some_and(|route| route.need == Need::Public),
            id: &self.id,
            caller: self.caller.as_ref(),
        }
    }

    /// Logs the answer.
    pub(crate) fn log(
        &self,
        route: &'static str,
        status: StatusCode,
        took: Duration,
        problem: Option<&Problem>,
    ) {
        let request_id = self.id.as_str();
        let trace_id = self.trace.as_ref().map(TraceParent::id);
        let (method, status) = (self.method.as_str(), status.as_u16());
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
}
