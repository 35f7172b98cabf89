//! The catalogue's products.

use crate::catalogue::product_body::{ProductBody, ProductPatch, ProductShown, ProductVersion};
use crate::edge::body::{JsonBody, MergePatch};
use crate::edge::gates::Gate;
use crate::node::Node;
use crate::request::context::RequestContext;
use crate::request::path::SkuAt;
use crate::request::query::Query;
use crate::resource::change::{ChangeRequest, answer, by_meaning, changed};
use crate::resource::list::{CURSOR, LIMIT, ListPage};
use crate::resource::read::shown;
use crate::response::code::Code;
use crate::response::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use onhand_app::catalogue::ProductFilter;
use onhand_domain::catalogue::{ProductCommand, ProductVerb};
use onhand_domain::{Command, Fact, Sku};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;

/// The parameters of the list.
pub(crate) const PARAMETERS: &[&str] = &[LIMIT, CURSOR, SEARCH, CATEGORY, ACTIVE];
const SEARCH: &str = "search";
const CATEGORY: &str = "category";
const ACTIVE: &str = "active";

/// Handler of `GET /products`.
pub(crate) async fn list(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Problem> {
    let query = Query::of(uri.query());
    let page = ListPage::of("products", &query, &uri)?;
    let after = page.after(|mark| Sku::new(mark).ok())?;
    let active = query.read(ACTIVE, |text| text.parse().map_err(|_| "must be true or false"))?;
    let category = query.get(CATEGORY).map(SmolStr::new);
    let filter = ProductFilter::new(query.get(SEARCH).unwrap_or_default(), category, active);
    let products = page.cut(node.ledger.products(filter, after, page.rows_max()).await?);
    let items: Vec<ProductShown> = products.rows.iter().map(ProductShown::of).collect();
    Ok(page.answer(&items, products.next(|product| &product.sku)))
}

/// Handler of `GET /products/{sku}`.
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

/// Handler of `GET /products/{sku}/history`.
pub(crate) async fn history(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    uri: Uri,
) -> Result<Response, Problem> {
    let page = ListPage::of("product-history", &Query::of(uri.query()), &uri)?;
    let after = page.after(|mark| mark.parse().ok())?.unwrap_or(0);
    let _turn = node.gates.work(Gate::Reads).await?;
    let versions = page.cut(node.ledger.product_history(&sku, after, page.rows_max()).await?);
    if versions.rows.is_empty() && after == 0 {
        let detail = format!("Nothing was ever said of the SKU {sku}; POST /products describes it.");
        return Err(Problem::new(Code::ProductNotFound, detail));
    }
    let items: Vec<ProductVersion> = versions.rows.iter().map(ProductVersion::of).collect();
    Ok(page.answer(&items, versions.next(|version| version.version)))
}

/// Handler of `POST /products`.
pub(crate) async fn create(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    JsonBody(body): JsonBody<ProductBody>,
) -> Result<Response, Problem> {
    let sku = body.sku.clone().ok_or_else(|| Problem::pointer("/sku", "is missing: which SKU is it?"))?;
    let scope = format_smolstr!("create product {sku}");
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    describe(&node, &change, sku, ProductVerb::Create(Box::new(body.into())), true).await
}

/// Handler of `PUT /products/{sku}`.
pub(crate) async fn replace(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    context: RequestContext,
    JsonBody(body): JsonBody<ProductBody>,
) -> Result<Response, Problem> {
    if body.sku.as_ref().is_some_and(|other| *other != sku) {
        return Err(Problem::pointer("/sku", "differs from the address; leave it out, or send it alike"));
    }
    let scope = format_smolstr!("replace product {sku}");
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    describe(&node, &change, sku, ProductVerb::Replace(Box::new(body.into())), false).await
}

/// Handler of `PATCH /products/{sku}`.
pub(crate) async fn patch(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    context: RequestContext,
    MergePatch(body): MergePatch<ProductPatch>,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("patch product {sku}");
    let change = ChangeRequest::new(context, body.expected_version, |key| by_meaning(key, scope, &body))?;
    describe(&node, &change, sku, ProductVerb::Change(Box::new(body.into())), false).await
}

/// Handler of `DELETE /products/{sku}`.
pub(crate) async fn remove(
    State(node): State<Arc<Node>>,
    SkuAt(sku): SkuAt,
    context: RequestContext,
) -> Result<Response, Problem> {
    let scope = format_smolstr!("remove product {sku}");
    let change = ChangeRequest::new(context, None, |key| by_meaning(key, scope, &()))?;
    let command = ProductCommand { sku, expected: change.expected, verb: ProductVerb::Remove };
    let (outcome, _) = change.execute_one(&node, Command::Product(command)).await?;
    Ok(answer(&outcome, StatusCode::NO_CONTENT))
}

async fn describe(
    node: &Node,
    change: &ChangeRequest,
    sku: Sku,
    verb: ProductVerb,
    create: bool,
) -> Result<Response, Problem> {
    let command = ProductCommand { sku, expected: change.expected, verb };
    let (outcome, event) = change.execute_one(node, Command::Product(command)).await?;
    let version = event.after.version();
    let Fact::Product(fact) = &event.fact else {
        return Err(Problem::plain(Code::Internal).because(&"an event that is of no product"));
    };
    let product = fact.product.as_ref();
    let product =
        product.ok_or_else(|| Problem::plain(Code::Internal).because(&"a product without details"))?;
    let body = ProductShown::new(&fact.sku, product, version, outcome.at);
    let address = (create || version == 1).then(|| product_address(&fact.sku));
    Ok(changed(&outcome, version, &body, address.as_deref()))
}

/// The address of a product. A SKU may have spaces, which an address may not.
fn product_address(sku: &Sku) -> String {
    format!("/products/{}", sku.as_str().replace(' ', "%20"))
}
