//! `POST /catalogue/products`: the details of many products in one command.

use crate::catalogue::product_body::ProductLine;
use crate::edge::body::UnreadBody;
use crate::node::Node;
use crate::request::body;
use crate::request::context::RequestContext;
use crate::request::json_object::Object;
use crate::resource::change::{ChangeRequest, answer, by_bytes};
use crate::response::code::Code;
use crate::response::problem::Problem;
use crate::response::refusal;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use onhand_app::Outcome;
use onhand_domain::catalogue::{ProductMember, Products};
use onhand_domain::limits::PRODUCTS_AT_ONCE_MAX;
use onhand_domain::{Command, Fact, Rejection, UnappliedWhy};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::collections::HashSet;
use std::sync::Arc;

/// Request body: `{update?, products}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductsBody {
    #[serde(default)]
    update: bool,
    products: Vec<Object<ProductLine>>,
}

/// Handler of `POST /catalogue/products`.
pub(crate) async fn products(
    State(node): State<Arc<Node>>,
    context: RequestContext,
    mut body: UnreadBody,
) -> Result<Response, Problem> {
    context.unconditional(
        "has no meaning for many products; send without update, and nothing known is replaced",
    )?;
    body.media_type(&["application/json"])?;
    let read = |bytes: &Bytes| into_domain(body::parse(bytes, String::new)?);
    let retry =
        |key, _: &Products, bytes: &Bytes| by_bytes(key, SmolStr::new_static("catalogue products"), bytes);
    let (change, products) = ChangeRequest::of_bulk(context, body.read().await?, read, retry).await?;
    let count = products.products.len();
    let outcome = change.execute(&node, Command::Products(products)).await?;
    Ok(answer(&outcome, Json(ProductsResults::of(&outcome, count))))
}

fn into_domain(body: ProductsBody) -> Result<Products, Problem> {
    let ProductsBody { update, products } = body;
    if products.is_empty() || products.len() > PRODUCTS_AT_ONCE_MAX {
        let detail = format!("must have 1 to {PRODUCTS_AT_ONCE_MAX} products");
        return Err(Problem::pointer("/products", detail));
    }
    let mut seen = HashSet::with_capacity(products.len());
    let products = products.into_iter().enumerate().map(|(index, Object(line))| {
        let product = body::validated(line, || format!("/products/{index}")).map(ProductLine::into_domain)?;
        if seen.insert(product.sku.clone()) {
            return Ok(product);
        }
        Err(Problem::pointer(format!("/products/{index}/sku"), "stands here twice; say each product once"))
    });
    let products = products.collect::<Result<_, _>>()?;
    Ok(Products { update, products })
}

#[derive(Debug, Serialize)]
struct ProductsResults<'a> {
    results: Vec<ProductLineResult<'a>>,
    created: usize,
    changed: usize,
    unchanged: usize,
    refused: usize,
}

/// The result of one product. One without an event that was not refused is unchanged.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProductLineResult<'a> {
    status: u16,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unchanged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_version: Option<u64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    differs: &'a [ProductMember],
}

impl<'a> ProductLineResult<'a> {
    const UNCHANGED: Self = Self {
        status: StatusCode::OK.as_u16(),
        unchanged: true,
        version: None,
        code: None,
        detail: None,
        current_version: None,
        differs: &[],
    };

    /// The version after the change; the first one of a SKU is its creation.
    fn applied(version: u64) -> Self {
        let status = if version == 1 { StatusCode::CREATED } else { StatusCode::OK };
        Self { status: status.as_u16(), unchanged: false, version: Some(version), ..Self::UNCHANGED }
    }

    fn refused(rejection: &'a Rejection) -> Self {
        let code: Code = refusal::code(rejection);
        let differs = match rejection {
            Rejection::ProductDiffers { members, .. } => members.as_slice(),
            _ => &[],
        };
        Self {
            status: code.status().as_u16(),
            unchanged: false,
            version: None,
            code: Some(code.slug()),
            detail: Some(refusal::sentence(rejection)),
            current_version: refusal::facts(rejection).current_version,
            differs,
        }
    }
}

impl<'a> ProductsResults<'a> {
    fn of(outcome: &'a Outcome, products: usize) -> Self {
        let mut results = vec![ProductLineResult::UNCHANGED; products];
        let mut put = |op: u32, result| {
            if let Some(place) = usize::try_from(op).ok().and_then(|op| results.get_mut(op)) {
                *place = result;
            }
        };
        for event in &outcome.events {
            if let (Some(op), Fact::Product(_)) = (event.op, &event.fact) {
                put(op, ProductLineResult::applied(event.after.version()));
            }
        }
        for unapplied in &outcome.unapplied {
            if let UnappliedWhy::Refused(rejection) = &unapplied.why {
                put(unapplied.op, ProductLineResult::refused(rejection));
            }
        }
        let count =
            |wanted: fn(&ProductLineResult<'_>) -> bool| results.iter().filter(|one| wanted(one)).count();
        let created = count(|one| one.version == Some(1));
        let changed = count(|one| one.version.is_some_and(|version| version > 1));
        let (unchanged, refused) = (count(|one| one.unchanged), count(|one| one.code.is_some()));
        Self { results, created, changed, unchanged, refused }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Products, Problem> {
        into_domain(body::parse(text.as_bytes(), String::new)?)
    }

    #[test]
    fn there_are_1_to_5000_products() {
        let product = |number: usize| format!(r#"{{"sku":"A-{number}","name":"Tea"}}"#);
        let of = |count: usize| {
            let products: Vec<String> = (0..count).map(product).collect();
            read(&format!(r#"{{"products":[{}]}}"#, products.join(",")))
        };
        assert!(of(0).is_err() && of(5_001).is_err());
        assert!(!of(1).unwrap().update);
        assert_eq!(of(5_000).unwrap().products.len(), 5_000);
    }

    #[test]
    fn a_bad_product_is_named() {
        for (line, pointer) in [
            (r#"{"name":"Tea"}"#, "/products/1"),
            (r#"{"sku":"A/B"}"#, "/products/1/sku"),
            (r#"{"sku":"B","name":"Tea"}"#, "/products/1/sku"),
            (r#"{"sku":"A","name":""}"#, "/products/1/name"),
            (r#"{"sku":"A","barcode":null}"#, "/products/1/barcode"),
            (
                r#"{"sku":"A","unitPrice":{"amountMinor":-1,"currency":"GBP"}}"#,
                "/products/1/unitPrice/amountMinor",
            ),
            (r#"{"sku":"A","lowStockThreshold":-1}"#, "/products/1/lowStockThreshold"),
            (r#"{"sku":"A","expectedVersion":1}"#, "/products/1"),
            ("[]", "/products/1"),
        ] {
            let text = format!(r#"{{"products":[{{"sku":"B"}},{line}]}}"#);
            let detail = read(&text).unwrap_err().detail().to_owned();
            assert!(detail.starts_with(pointer), "{line}: {detail}");
        }
    }
}
