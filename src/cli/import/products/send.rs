//! Products to the node, many at once.
//!
//! The node compares each product with its catalogue, so there is no position to resume from: after an interruption all
//! products are sent again, and those that the catalogue already has change nothing. Each request has a key, so that a
//! repeat within one run, after a lost answer, gets the lost answer.

use std::collections::BTreeMap;

use http::header::HeaderMap;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::row::DetailValue;
use super::tally::TalliedProduct;
use crate::terminal::client::{ClientError, NodeClient};
use onhand_domain::Sku;
use onhand_domain::catalogue::ProductMember;
use onhand_runtime::exit::{Exit, Failure};

/// Products of one request.
const BATCH_PRODUCTS: usize = 1000;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The outcome of a product at the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProductOutcome {
    Created,
    Changed,
    Unchanged,
    Refused { code: String, detail: String },
}

/// `POST /catalogue/products`, as openapi.yaml has it.
#[derive(Serialize)]
struct ProductsRequest<'a> {
    update: bool,
    products: Vec<SentProduct<'a>>,
}

#[derive(Serialize)]
struct SentProduct<'a> {
    sku: &'a Sku,
    #[serde(flatten)]
    said: BTreeMap<&'static str, &'a DetailValue>,
}

#[derive(Deserialize)]
struct Answer {
    results: Vec<ProductResult>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ProductResult {
    status: u16,
    unchanged: bool,
    code: String,
    detail: String,
    differs: Vec<ProductMember>,
}

/// Sends all products and returns the outcome of each; `on_progress` receives the number of products that are done.
///
/// # Errors
/// [`Exit::Unavailable`] when the node cannot be reached or rejects a request.
pub(super) async fn send(
    client: &NodeClient,
    products: &[TalliedProduct],
    update: bool,
    on_progress: impl Fn(u64),
) -> Result<Vec<ProductOutcome>, Failure> {
    let run = Uuid::now_v7();
    let mut all = Vec::with_capacity(products.len());
    for batch in products.chunks(BATCH_PRODUCTS) {
        on_progress(all.len() as u64);
        let body = ProductsRequest { update, products: batch.iter().map(SentProduct::of).collect() };
        let key = HeaderValue::try_from(format!("import-products-{run}-{}", all.len()));
        let key = key.expect("digits, letters and hyphens are visible");
        let headers = HeaderMap::from_iter([(IDEMPOTENCY_KEY, key)]);
        let answer: Result<Answer, ClientError> = client.post("/catalogue/products", headers, &body).await;
        let results = answer.map_err(|error| stopped(error, all.len(), products.len()))?.results;
        if results.len() != batch.len() {
            let message = format!(
                "the server answers {} of {} products; is it of this version?",
                results.len(),
                batch.len()
            );
            return Err(Failure::new(Exit::Unavailable, message));
        }
        all.extend(results.into_iter().map(ProductOutcome::from));
    }
    on_progress(all.len() as u64);
    Ok(all)
}

impl<'a> SentProduct<'a> {
    fn of(product: &'a TalliedProduct) -> Self {
        let said = ProductMember::ALL.into_iter().zip(product.values());
        let said = said.filter_map(|(member, one)| Some((member.as_str(), &one?.value))).collect();
        Self { sku: &product.sku, said }
    }
}

impl From<ProductResult> for ProductOutcome {
    fn from(result: ProductResult) -> Self {
        match result {
            ProductResult { status: 201, .. } => Self::Created,
            ProductResult { status: 200, unchanged: true, .. } => Self::Unchanged,
            ProductResult { status: 200, .. } => Self::Changed,
            ProductResult { code, detail, differs, .. } if differs.is_empty() => {
                Self::Refused { code, detail }
            }
            ProductResult { code, differs, .. } => {
                let names: Vec<&str> = differs.iter().map(|member| member.as_str()).collect();
                let detail =
                    format!("the catalogue says another {}; --update replaces it", names.join(" and "));
                Self::Refused { code, detail }
            }
        }
    }
}

fn stopped(error: ClientError, done: usize, products: usize) -> Failure {
    let mut failure = Failure::from(error);
    if done == 0 {
        return failure;
    }
    failure.error = failure.error.context(format!(
        "stopped after {done} of {products} products; what was done stays done, run the same command again to go on"
    ));
    failure
}
