//! All routes in one list.

use super::docs;
use super::node::Node;
use crate::adapters::http::catalogue::{many, products, stores};
use crate::adapters::http::central::{dead_letters, levels as central, sync};
use crate::adapters::http::docs::{guide, home, problems};
use crate::adapters::http::edge::gates::{Entry, Gate};
use crate::adapters::http::edge::layer::{Answering, Edge, answering};
use crate::adapters::http::feed::events;
use crate::adapters::http::imports::rows;
use crate::adapters::http::low_stock::alerts;
use crate::adapters::http::ops::{health, metrics};
use crate::adapters::http::response::page;
use crate::adapters::http::stock::{batch, levels as stock, reports, sums, till};
use axum::handler::Handler;
use http::Method;
use std::sync::Arc;

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
    /// Whether its answers may be kept.
    pub cache: Cache,
}

/// Whether the answers of a route may be kept, where they do not say so themselves. Refusals never are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// They may not: the next one is another one.
    Never,
    /// By whom they were for, who asks each time with `If-None-Match` whether they still hold: they have an `ETag`.
    AskFirst,
}

impl Cache {
    /// The value of `Cache-Control`.
    pub const fn control(self) -> &'static str {
        match self {
            Self::Never => "no-store",
            Self::AskFirst => "private, no-cache",
        }
    }
}

const PAGED: &[&str] = &[page::LIMIT, page::CURSOR];
const PRODUCTS: &[&str] =
    &[page::LIMIT, page::CURSOR, products::SEARCH, products::CATEGORY, products::ACTIVE];
const ALERTS: &[&str] = &[page::LIMIT, page::CURSOR, alerts::STORE_ID, alerts::SKU];
const FRESH: &[&str] = &[central::AT_LEAST];
const PAGED_AND_FRESH: &[&str] = &[page::LIMIT, page::CURSOR, central::AT_LEAST];
const LETTERS: &[&str] = &[page::LIMIT, page::CURSOR, dead_letters::STATE];

/// Makes what answers a route, for a node.
type Make = Box<dyn FnOnce(Arc<Node>) -> Answering>;

fn list() -> Vec<(Route, Make)> {
    vec![
        read("/stores/{storeId}/inventory", PAGED, stock::levels),
        tagged("/stores/{storeId}/inventory/{sku}", &["asOf"], stock::level),
        read(
            "/stores/{storeId}/inventory/{sku}/history",
            &[page::LIMIT, page::CURSOR, "type", "since", "until"],
            stock::history,
        ),
        write("/stores/{storeId}/inventory/{sku}/adjust", stock::adjust),
        write("/stores/{storeId}/inventory/{sku}/reserve", stock::reserve),
        write("/stores/{storeId}/inventory/{sku}/release", stock::release),
        write("/stores/{storeId}/inventory/{sku}/commit", stock::commit),
        write("/stores/{storeId}/inventory/{sku}/count", stock::count),
        tagged("/stores/{storeId}/inventory/{sku}/threshold", &[], alerts::threshold),
        change(Method::PUT, "/stores/{storeId}/inventory/{sku}/threshold", alerts::set),
        change(Method::DELETE, "/stores/{storeId}/inventory/{sku}/threshold", alerts::unset),
        write("/stock/add", till::add),
        write("/stock/sale", till::sale),
        write("/stock/remove", till::remove),
        read("/stock/current", reports::CURRENT, reports::current),
        read("/stock/movements", reports::MOVEMENTS, reports::movements),
        read("/stock/movements/sums", sums::PARAMETERS, sums::sums),
        bulk("/inventory/batch", &["atomic"], batch::batch),
        bulk("/imports/{importId}/rows", &[], rows::rows),
        read("/imports/{importId}", &[], rows::import),
        read("/imports/{importId}/refusals", PAGED, rows::refusals),
        read("/products", PRODUCTS, products::list),
        write("/products", products::create),
        tagged("/products/{sku}", &[], products::product),
        change(Method::PUT, "/products/{sku}", products::replace),
        change(Method::PATCH, "/products/{sku}", products::patch),
        change(Method::DELETE, "/products/{sku}", products::remove),
        read("/products/{sku}/history", PAGED, products::history),
        bulk("/catalogue/products", &[], many::products),
        read("/stores", PAGED, stores::list),
        write("/stores", stores::create),
        tagged("/stores/{storeId}", &[], stores::store),
        change(Method::PUT, "/stores/{storeId}", stores::replace),
        read("/alerts", ALERTS, alerts::list),
        read("/events", events::PARAMETERS, events::events),
        drive("/sync", sync::sync),
        fresh("/central/inventory/{sku}", FRESH, central::sku),
        fresh("/central/inventory", PAGED_AND_FRESH, central::all),
        fresh("/central/stores/{storeId}/inventory", PAGED_AND_FRESH, central::store),
        read("/dead-letters", LETTERS, dead_letters::list),
        read("/dead-letters/{id}", &[], dead_letters::one),
        remove("/dead-letters/{id}", &[dead_letters::REASON], dead_letters::discard),
        drive("/dead-letters/{id}/redrive", dead_letters::redrive),
        read("/", &[], home::home),
        free("/health", health::health),
        free("/health/liveness", health::liveness),
        free("/health/readiness", health::readiness),
        free("/livez", health::liveness),
        free("/readyz", health::readiness),
        free("/healthz", health::liveness),
        free("/metrics", metrics::metrics),
        read("/problems", &[], problems::list),
        read("/problems/{code}", &[], problems::one),
        read("/openapi.yaml", &[], docs::openapi),
        read("/docs", &[], docs::page),
        read("/docs/guide", &[], guide::list),
        read("/docs/guide/{name}", &[], guide::one),
        read("/docs/{file}", &[], docs::asset),
    ]
}

/// The whole HTTP side of a node.
pub fn edge(node: Arc<Node>) -> Edge {
    let (gates, web) = (Arc::clone(&node.gates), Arc::clone(&node.web));
    let served = list().into_iter().map(move |(route, make)| (route, make(Arc::clone(&node))));
    Edge::new(served.collect(), gates, web)
}

/// Every route, for those who hold it against openapi.yaml.
pub fn routes() -> Vec<Route> {
    list().into_iter().map(|(route, _)| route).collect()
}

fn read<T: 'static>(
    template: &'static str,
    query: &'static [&'static str],
    handler: impl Handler<T, Arc<Node>>,
) -> (Route, Make) {
    route(Method::GET, template, query, Entry::AtOnce(Gate::Reads), handler)
}

/// A read of one thing that has a version.
fn tagged<T: 'static>(
    template: &'static str,
    query: &'static [&'static str],
    handler: impl Handler<T, Arc<Node>>,
) -> (Route, Make) {
    let (route, make) = read(template, query, handler);
    (Route { cache: Cache::AskFirst, ..route }, make)
}

/// A read of central, which may wait before it reads.
fn fresh<T: 'static>(
    template: &'static str,
    query: &'static [&'static str],
    handler: impl Handler<T, Arc<Node>>,
) -> (Route, Make) {
    route(Method::GET, template, query, Entry::Later(Gate::Reads), handler)
}

/// What must be answered whatever else goes on.
fn free<T: 'static>(template: &'static str, handler: impl Handler<T, Arc<Node>>) -> (Route, Make) {
    route(Method::GET, template, &[], Entry::Free, handler)
}

fn write<T: 'static>(template: &'static str, handler: impl Handler<T, Arc<Node>>) -> (Route, Make) {
    change(Method::POST, template, handler)
}

/// A change of one thing, by whichever method.
fn change<T: 'static>(
    method: Method,
    template: &'static str,
    handler: impl Handler<T, Arc<Node>>,
) -> (Route, Make) {
    // Without a body there is nothing to wait for.
    let bare = method == Method::DELETE;
    let entry = if bare { Entry::AtOnce(Gate::Writes) } else { Entry::Later(Gate::Writes) };
    route(method, template, &[], entry, handler)
}

fn bulk<T: 'static>(
    template: &'static str,
    query: &'static [&'static str],
    handler: impl Handler<T, Arc<Node>>,
) -> (Route, Make) {
    route(Method::POST, template, query, Entry::AtOnce(Gate::Bulk), handler)
}

/// What people in charge set going.
fn drive<T: 'static>(template: &'static str, handler: impl Handler<T, Arc<Node>>) -> (Route, Make) {
    route(Method::POST, template, &[], Entry::AtOnce(Gate::Administration), handler)
}

fn remove<T: 'static>(
    template: &'static str,
    query: &'static [&'static str],
    handler: impl Handler<T, Arc<Node>>,
) -> (Route, Make) {
    route(Method::DELETE, template, query, Entry::AtOnce(Gate::Administration), handler)
}

fn route<T: 'static>(
    method: Method,
    template: &'static str,
    query: &'static [&'static str],
    entry: Entry,
    handler: impl Handler<T, Arc<Node>>,
) -> (Route, Make) {
    (Route { template, method, query, entry, cache: Cache::Never }, Box::new(|node| answering(handler, node)))
}

impl Route {
    /// Where the route answers: at the root, under `/api`, and one about stock under `/api/inventory` too.
    pub fn addresses(&self) -> impl Iterator<Item = String> {
        let of_a_store = self.template.starts_with("/stores/{storeId}/inventory");
        let whole = ["/events", "/alerts"].contains(&self.template);
        let stock = of_a_store || whole || self.template.starts_with("/inventory/");
        let places = if stock { ["", "/api", "/api/inventory"].as_slice() } else { &["", "/api"] };
        let bare = (self.template == "/").then(|| "/api".to_owned());
        places.iter().map(|place| format!("{place}{}", self.template)).chain(bare)
    }

    /// True when the route answers this method.
    pub fn serves(&self, method: &Method) -> bool {
        *method == self.method || (*method == Method::HEAD && self.method == Method::GET)
    }
}
