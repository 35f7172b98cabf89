//! All routes in one list.

use super::gates::{Entry, Gate};
use super::layers::Edge;
use super::node::Node;
use super::{
    alerts, batch, catalogue, central, dead_letters, docs, events, health, imports, metrics, page, problems,
    products, stock, stores, sync,
};
use axum::Router;
use axum::routing::{MethodRouter, delete, get, patch, post, put};
use http::Method;
use std::sync::Arc;

type Handler = MethodRouter<Arc<Node>>;

/// One route, as it stands in openapi.yaml.
#[derive(Debug, Clone)]
pub struct Route {
    /// The path at the root, with its parameters in braces.
    pub template: &'static str,
    /// The one method it has; a GET route answers HEAD too.
    pub method: Method,
    /// The query parameters it takes; any other is refused.
    pub query: &'static [&'static str],
    /// When its requests take a place, and where.
    pub entry: Entry,
}

const PAGED: &[&str] = &[page::LIMIT, page::CURSOR];
const PRODUCTS: &[&str] =
    &[page::LIMIT, page::CURSOR, products::SEARCH, products::CATEGORY, products::ACTIVE];
const ALERTS: &[&str] = &[page::LIMIT, page::CURSOR, alerts::STORE_ID, alerts::SKU];
const FRESH: &[&str] = &[central::AT_LEAST];
const PAGED_AND_FRESH: &[&str] = &[page::LIMIT, page::CURSOR, central::AT_LEAST];
const LETTERS: &[&str] = &[page::LIMIT, page::CURSOR, dead_letters::STATE];

fn list() -> Vec<(Route, Handler)> {
    vec![
        read("/stores/{storeId}/inventory", PAGED, get(stock::levels)),
        read("/stores/{storeId}/inventory/{sku}", &["asOf"], get(stock::level)),
        read(
            "/stores/{storeId}/inventory/{sku}/history",
            &[page::LIMIT, page::CURSOR, "type", "since", "until"],
            get(stock::history),
        ),
        write("/stores/{storeId}/inventory/{sku}/adjust", post(stock::adjust)),
        write("/stores/{storeId}/inventory/{sku}/reserve", post(stock::reserve)),
        write("/stores/{storeId}/inventory/{sku}/release", post(stock::release)),
        write("/stores/{storeId}/inventory/{sku}/commit", post(stock::commit)),
        write("/stores/{storeId}/inventory/{sku}/count", post(stock::count)),
        read("/stores/{storeId}/inventory/{sku}/threshold", &[], get(alerts::threshold)),
        change(Method::PUT, "/stores/{storeId}/inventory/{sku}/threshold", put(alerts::set)),
        change(Method::DELETE, "/stores/{storeId}/inventory/{sku}/threshold", delete(alerts::unset)),
        bulk("/inventory/batch", &["atomic"], post(batch::batch)),
        bulk("/imports/{importId}/rows", &[], post(imports::rows)),
        read("/imports/{importId}", &[], get(imports::import)),
        read("/imports/{importId}/refusals", PAGED, get(imports::refusals)),
        read("/products", PRODUCTS, get(products::list)),
        write("/products", post(products::create)),
        read("/products/{sku}", &[], get(products::product)),
        change(Method::PUT, "/products/{sku}", put(products::replace)),
        change(Method::PATCH, "/products/{sku}", patch(products::patch)),
        change(Method::DELETE, "/products/{sku}", delete(products::remove)),
        read("/products/{sku}/history", PAGED, get(products::history)),
        bulk("/catalogue/products", &[], post(catalogue::products)),
        read("/stores", PAGED, get(stores::list)),
        write("/stores", post(stores::create)),
        read("/stores/{storeId}", &[], get(stores::store)),
        change(Method::PUT, "/stores/{storeId}", put(stores::replace)),
        read("/alerts", ALERTS, get(alerts::list)),
        read("/events", events::PARAMETERS, get(events::events)),
        drive("/sync", post(sync::sync)),
        fresh("/central/inventory/{sku}", FRESH, get(central::sku)),
        fresh("/central/inventory", PAGED_AND_FRESH, get(central::all)),
        fresh("/central/stores/{storeId}/inventory", PAGED_AND_FRESH, get(central::store)),
        read("/dead-letters", LETTERS, get(dead_letters::list)),
        read("/dead-letters/{id}", &[], get(dead_letters::one)),
        remove("/dead-letters/{id}", &[dead_letters::REASON], delete(dead_letters::discard)),
        drive("/dead-letters/{id}/redrive", post(dead_letters::redrive)),
        free("/health/liveness", get(health::liveness)),
        free("/health/readiness", get(health::readiness)),
        free("/livez", get(health::liveness)),
        free("/readyz", get(health::readiness)),
        free("/healthz", get(health::liveness)),
        free("/metrics", get(metrics::metrics)),
        read("/problems", &[], get(problems::list)),
        read("/problems/{code}", &[], get(problems::one)),
        read("/openapi.yaml", &[], get(docs::openapi)),
        read("/docs", &[], get(docs::page)),
        read("/docs/{file}", &[], get(docs::asset)),
    ]
}

/// The whole HTTP side of a node: the router, and the layer around it.
pub fn edge(node: Arc<Node>) -> Edge {
    let mut router = Router::new();
    let mut served = Vec::new();
    for (route, handler) in list() {
        for address in route.addresses() {
            router = router.route(&address, handler.clone());
        }
        served.push(route);
    }
    let gates = Arc::clone(&node.gates);
    Edge::new(router.with_state(node), served, gates)
}

/// Every route, for those who hold it against openapi.yaml.
pub fn routes() -> Vec<Route> {
    list().into_iter().map(|(route, _)| route).collect()
}

fn read(template: &'static str, query: &'static [&'static str], handler: Handler) -> (Route, Handler) {
    (Route { template, method: Method::GET, query, entry: Entry::AtOnce(Gate::Reads) }, handler)
}

/// A read of central, which may wait before it reads.
fn fresh(template: &'static str, query: &'static [&'static str], handler: Handler) -> (Route, Handler) {
    (Route { template, method: Method::GET, query, entry: Entry::Later(Gate::Reads) }, handler)
}

/// What must be answered whatever else goes on.
fn free(template: &'static str, handler: Handler) -> (Route, Handler) {
    (Route { template, method: Method::GET, query: &[], entry: Entry::Free }, handler)
}

fn write(template: &'static str, handler: Handler) -> (Route, Handler) {
    change(Method::POST, template, handler)
}

/// A change of one thing, by whichever method.
fn change(method: Method, template: &'static str, handler: Handler) -> (Route, Handler) {
    // Without a body there is nothing to wait for.
    let bare = method == Method::DELETE;
    let entry = if bare { Entry::AtOnce(Gate::Writes) } else { Entry::Later(Gate::Writes) };
    (Route { template, method, query: &[], entry }, handler)
}

fn bulk(template: &'static str, query: &'static [&'static str], handler: Handler) -> (Route, Handler) {
    (Route { template, method: Method::POST, query, entry: Entry::AtOnce(Gate::Bulk) }, handler)
}

/// What people in charge set going.
fn drive(template: &'static str, handler: Handler) -> (Route, Handler) {
    (
        Route { template, method: Method::POST, query: &[], entry: Entry::AtOnce(Gate::Administration) },
        handler,
    )
}

fn remove(template: &'static str, query: &'static [&'static str], handler: Handler) -> (Route, Handler) {
    (Route { template, method: Method::DELETE, query, entry: Entry::AtOnce(Gate::Administration) }, handler)
}

impl Route {
    /// Where the route answers: at the root, under `/api`, and a stock route under `/api/inventory` too.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        let of_a_store = self.template.starts_with("/stores/{storeId}/inventory");
        let stock = of_a_store || self.template.starts_with("/inventory/");
        let places = if stock { ["", "/api", "/api/inventory"].as_slice() } else { &["", "/api"] };
        places.iter().map(|place| format!("{place}{}", self.template))
    }

    /// True when the route answers this method.
    pub fn serves(&self, method: &Method) -> bool {
        *method == self.method || (*method == Method::HEAD && self.method == Method::GET)
    }
}
