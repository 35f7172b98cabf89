//! The catalogue's products.

use crate::adapters::http::catalogue::product_body::{ProductBody, ProductPatch, ProductShown, ProductThen};
use crate::adapters::http::edge::body::{JsonBody, MergePatch};
use crate::adapters::http::edge::gates::Gate;
use crate::adapters::http::node::Node;
use crate::adapters::http::request::path::{Intent, SkuAt};
use crate::adapters::http::request::query::Query;
use crate::adapters::http::resource::change::{Wish, changed, shown};
use crate::adapters::http::resource::list;
use crate::adapters::http::resource::list::Page;
use crate::adapters::http::response::code::Code;
use crate::adapters::http::response::problem::Problem;
use crate::adapters::http::response::replayed::mark_replayed;
use crate::app::Outcome;
use crate::app::catalogue::ProductFilter;
use crate::domain::catalogue::{ProductCommand, ProductVerb};
use crate::domain::{Command, Event, Fact, Sku};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;

/// The parameters of the list.
pub(crate) const PARAMETERS: &[&str] = &[list::LIMIT, list::CURSOR, SEARCH, CATEGORY, ACTIVE];
const SEARCH: &str = "search";
const CATEGORY: &str = "category";
const ACTIVE: &str = "active";

/// `GET /products`
pub(crate) async fn list(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Problem> {
    const LIST: &str = "products";
    let query = Query::of(uri.query());
    let page = Page::of(&query, LIST)?;
    let after = page.after_as(|mark| Sku::new(mark).ok())?;
    let active = query.read(ACTIVE, |text| text.parse().map_err(|_| "must be true or false"))?;
    let category = query.get(CATEGORY).map(SmolStr::new);
    let filter = ProductFilter::new(query.get(SEARCH).unwrap_or_default(), category, active);
    let mut products = node.ledger.products(filter, after, page.limit + 1).await?;
    let more = products.len() > page.limit;
    products.truncate(page.limit);
    let items: Vec<ProductShown> = products.iter().map(ProductShown::of).collect();
    let last = products.last().filter(|_| more).map(|product| &product.sku);
    Ok(list::answer(&items, last.map(|sku| sku as _), LIST, &uri))
}

/// `GET /products/{sku}`
pub(crate) async fn product(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let view = node.ledger.product(&sku).await?.ok_or_else(|| {
        let detail = format!("The catalogue does not know the SKU {sku}; POST /products describes it.");
        Problem::new(Code::ProductNotFound, detail)
    })?;
    Ok(shown(&headers, view.version, &ProductShown::of(&view)))
}

/// `GET /products/{sku}/history`
pub(crate) async fn history(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    uri: Uri,
) -> Result<Response, Problem> {
    const LIST: &str = "product-history";
    let page = Page::of(&Query::of(uri.query()), LIST)?;
    let after = page.after_as(|mark| mark.parse().ok())?.unwrap_or(0);
    let _turn = node.gates.work(Gate::Reads).await?;
    let mut versions = node.ledger.product_history(&sku, after, page.limit + 1).await?;
    if versions.is_empty() && after == 0 {
        let detail = format!("Nothing was ever said of the SKU {sku}; POST /products describes it.");
        return Err(Problem::new(Code::ProductNotFound, detail));
    }
    let more = versions.len() > page.limit;
    versions.truncate(page.limit);
    let items: Vec<ProductThen> = versions.iter().map(ProductThen::of).collect();
    let last = versions.last().filter(|_| more).map(|said| said.version);
    Ok(list::answer(&items, last.as_ref().map(|version| version as _), LIST, &uri))
}

/// `POST /products`
pub(crate) async fn create(
    State(node): State<Arc<Node>>,
    intent: Intent,
    JsonBody(body): JsonBody<ProductBody>,
) -> Result<Response, Problem> {
    let sku = body.sku.clone().ok_or_else(|| Problem::pointer("/sku", "is missing: which SKU is it?"))?;
    let wish = Wish::new(intent, format_smolstr!("create product {sku}"), body.expected_version, &body)?;
    said(&node, wish, sku, ProductVerb::Create(Box::new(body.into())), true).await
}

/// `PUT /products/{sku}`
pub(crate) async fn replace(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    intent: Intent,
    JsonBody(body): JsonBody<ProductBody>,
) -> Result<Response, Problem> {
    if body.sku.as_ref().is_some_and(|said| *said != sku) {
        return Err(Problem::pointer("/sku", "differs from the address; leave it out, or send it alike"));
    }
    let wish = Wish::new(intent, format_smolstr!("replace product {sku}"), body.expected_version, &body)?;
    said(&node, wish, sku, ProductVerb::Replace(Box::new(body.into())), false).await
}

/// `PATCH /products/{sku}`
pub(crate) async fn patch(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    intent: Intent,
    MergePatch(body): MergePatch<ProductPatch>,
) -> Result<Response, Problem> {
    let wish = Wish::new(intent, format_smolstr!("patch product {sku}"), body.expected_version, &body)?;
    said(&node, wish, sku, ProductVerb::Change(Box::new(body.into())), false).await
}

/// `DELETE /products/{sku}`
pub(crate) async fn remove(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    intent: Intent,
) -> Result<Response, Problem> {
    let wish = Wish::new(intent, format_smolstr!("remove product {sku}"), None, &())?;
    let command = ProductCommand { sku, expected: wish.expected, verb: ProductVerb::Remove };
    let (outcome, _) = wish.execute(&node, Command::Product(command)).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    if outcome.replayed {
        mark_replayed(&mut response);
    }
    Ok(response)
}

async fn said(
    node: &Node,
    wish: Wish,
    sku: Sku,
    verb: ProductVerb,
    create: bool,
) -> Result<Response, Problem> {
    let command = ProductCommand { sku, expected: wish.expected, verb };
    let (outcome, event) = wish.execute(node, Command::Product(command)).await?;
    answer(&outcome, &event, create)
}

fn answer(outcome: &Outcome, event: &Event, create: bool) -> Result<Response, Problem> {
    let version = event.after.version();
    let Fact::Product(fact) = &event.fact else {
        return Err(Problem::plain(Code::Internal).because(&"an event that is of no product"));
    };
    let product = fact.product.as_ref();
    let product =
        product.ok_or_else(|| Problem::plain(Code::Internal).because(&"a product without details"))?;
    let body = ProductShown::new(&fact.sku, product, version, outcome.at);
    let place = (create || version == 1).then(|| product_address(&fact.sku));
    Ok(changed(outcome, version, &body, place.as_deref()))
}

/// A SKU may have spaces, which an address may not.
fn product_address(sku: &Sku) -> String {
    format!("/products/{}", sku.as_str().replace(' ', "%20"))
}
