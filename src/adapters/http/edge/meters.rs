//! Counters and timers of the outermost layer, per route and method.
//!
//! Every handle is registered on first use and then kept: a request costs two atomic operations and no lookup by
//! name. Labels are route templates, never paths, because every SKU would become a series.

use http::{Method, StatusCode};
use metrics::{Counter, Histogram};
use onhand_telemetry::{HTTP_REQUEST_SECONDS, HTTP_REQUESTS};
use std::sync::OnceLock;
use std::time::Duration;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other"];
/// The statuses of the contract; others are looked up by name.
const STATUSES: [u16; 16] = [200, 201, 204, 304, 400, 403, 404, 405, 408, 409, 413, 415, 421, 500, 503, 429];

/// The meters of all routes; the last ones count requests without a route.
#[derive(Debug)]
pub(crate) struct RouteMeters(Vec<[RouteMeter; METHODS.len()]>);

/// The meters of one route and one method.
#[derive(Debug)]
pub(crate) struct RouteMeter {
    route: &'static str,
    method: &'static str,
    seconds: OnceLock<Histogram>,
    answers: [OnceLock<Counter>; STATUSES.len()],
}

impl RouteMeters {
    /// Meters for these route templates.
    pub(crate) fn new(templates: impl Iterator<Item = &'static str>) -> Self {
        let of_route = |route| {
            METHODS.map(|method| RouteMeter {
                route,
                method,
                seconds: OnceLock::new(),
                answers: Default::default(),
            })
        };
        Self(templates.chain(["none"]).map(of_route).collect())
    }

    /// The meter of a route, given its index (`None`: no route), and a method.
    pub(crate) fn of(&self, route: Option<usize>, method: &Method) -> &RouteMeter {
        let routes = route.and_then(|index| self.0.get(index)).or_else(|| self.0.last());
        let index = METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1);
        routes
            .and_then(|methods| methods.get(index))
            .expect("there is a meter for no route and other methods")
    }
}

impl RouteMeter {
    /// Counts and times one answer.
    pub(crate) fn record(&self, status: StatusCode, took: Duration) {
        self.seconds().record(took);
        let code = status.as_u16();
        let known =
            STATUSES.iter().position(|known| *known == code).and_then(|index| self.answers.get(index));
        match known {
            Some(slot) => slot.get_or_init(|| self.counter(code)).increment(1),
            None => self.counter(code).increment(1),
        }
    }

    /// Creates the series of errors: a rate over a series that begins with the first error does not show that error. Creating the
    /// histograms of all routes would make the page long, so only that of the metrics themselves is created.
    pub(crate) fn begin(&self) {
        let failed = StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        self.counter(failed).increment(0);
        if self.route == "/metrics" {
            self.seconds();
        }
    }

    /// The method, or `other`.
    pub(crate) fn method(&self) -> &'static str {
        self.method
    }

    /// The template of its route.
    pub(crate) fn route(&self) -> &'static str {
        self.route
    }

    fn seconds(&self) -> &Histogram {
        self.seconds.get_or_init(
            || metrics::histogram!(HTTP_REQUEST_SECONDS, "method" => self.method, "route" => self.route),
        )
    }

    fn counter(&self, status: u16) -> Counter {
        metrics::counter!(HTTP_REQUESTS, "method" => self.method, "route" => self.route, "status" => status.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_and_method_has_its_meter() {
        let meters = RouteMeters::new(["/a", "/b"].into_iter());
        for (route, method, label) in [
            (Some(0), Method::GET, ("/a", "GET")),
            (Some(1), Method::POST, ("/b", "POST")),
            (Some(1), Method::DELETE, ("/b", "DELETE")),
            (Some(1), Method::PATCH, ("/b", "PATCH")),
            (Some(1), Method::OPTIONS, ("/b", "other")),
            (None, Method::HEAD, ("none", "HEAD")),
            (Some(9), Method::GET, ("none", "GET")),
        ] {
            let meter = meters.of(route, &method);
            assert_eq!((meter.route, meter.method), label);
            meter.record(StatusCode::IM_A_TEAPOT, Duration::ZERO);
        }
    }
}
