//! Products as JSON, in requests and answers.

use crate::request::field_rules::{minor_units, not_negative, short_text, text, version};
use crate::request::optional::{nullable, present, yes};
use crate::response::actor;
use onhand_app::catalogue::{ProductRevision, ProductView};
use onhand_domain::catalogue::{Currency, Described, Price, Product, ProductChange};
use onhand_domain::{Quantity, Sku, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use validator::Validate;

/// Request body: `{sku, name, category?, unitPrice?, barcode?, lowStockThreshold?, active?, expectedVersion?}`.
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProductBody {
    #[serde(default, deserialize_with = "present")]
    pub(crate) sku: Option<Sku>,
    #[validate(custom(function = "text"))]
    name: SmolStr,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "short_text"))]
    category: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(nested)]
    unit_price: Option<PriceBody>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "short_text"))]
    barcode: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "not_negative"))]
    low_stock_threshold: Option<Quantity>,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "version"))]
    pub(crate) expected_version: Option<u64>,
}

/// A merge patch of the same: `null` removes a detail.
#[allow(clippy::option_option, reason = "absent, removed and given are three states")]
#[derive(Debug, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProductPatch {
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "text"))]
    name: Option<SmolStr>,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "short_text"))]
    category: Option<Option<SmolStr>>,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[validate(nested)]
    unit_price: Option<Option<PriceBody>>,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "short_text"))]
    barcode: Option<Option<SmolStr>>,
    #[serde(default, deserialize_with = "nullable", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "not_negative"))]
    low_stock_threshold: Option<Option<Quantity>>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    active: Option<bool>,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[validate(custom(function = "version"))]
    pub(crate) expected_version: Option<u64>,
}

/// One of many: `{sku, name?, category?, unitPrice?, barcode?, lowStockThreshold?, active?}`
#[derive(Debug, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ProductLine {
    sku: Sku,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "text"))]
    name: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "short_text"))]
    category: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(nested)]
    unit_price: Option<PriceBody>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "short_text"))]
    barcode: Option<SmolStr>,
    #[serde(default, deserialize_with = "present")]
    #[validate(custom(function = "not_negative"))]
    low_stock_threshold: Option<Quantity>,
    #[serde(default, deserialize_with = "present")]
    active: Option<bool>,
}

/// Price in requests and answers: `{amountMinor, currency}`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Validate)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PriceBody {
    #[validate(custom(function = "minor_units"))]
    amount_minor: u64,
    currency: Currency,
}

/// The JSON of a product.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProductShown<'a> {
    sku: &'a Sku,
    #[serde(flatten)]
    product: &'a Product,
    version: u64,
    updated_at: Timestamp,
}

/// One version of a product; `null` when it was removed from the catalogue.
#[derive(Debug, Serialize)]
pub(crate) struct ProductVersion<'a> {
    version: u64,
    ts: Timestamp,
    product: Option<&'a Product>,
    actor: &'a str,
}

impl<'a> ProductVersion<'a> {
    /// The JSON of a version of a product.
    pub(crate) fn of(revision: &'a ProductRevision) -> Self {
        Self {
            version: revision.version,
            ts: revision.at,
            product: revision.product.as_ref(),
            actor: actor::shown(revision.actor.as_deref()),
        }
    }
}

impl<'a> ProductShown<'a> {
    /// The JSON of a product.
    pub(crate) fn of(view: &'a ProductView) -> Self {
        Self::new(&view.sku, &view.product, view.version, view.updated_at)
    }

    /// The same from its parts.
    pub(crate) const fn new(sku: &'a Sku, product: &'a Product, version: u64, updated_at: Timestamp) -> Self {
        Self { sku, product, version, updated_at }
    }
}

impl From<PriceBody> for Price {
    fn from(PriceBody { amount_minor, currency }: PriceBody) -> Self {
        Self { amount_minor, currency }
    }
}

impl From<ProductBody> for Product {
    fn from(body: ProductBody) -> Self {
        let ProductBody { name, category, unit_price, barcode, low_stock_threshold, active, .. } = body;
        let unit_price = unit_price.map(Price::from);
        Self { name, category, unit_price, barcode, low_stock_threshold, active }
    }
}

impl ProductLine {
    /// The change of one product; members that are left out stay as they are.
    pub(crate) fn into_domain(self) -> Described {
        let Self { sku, name, category, unit_price, barcode, low_stock_threshold, active } = self;
        let change = ProductChange {
            name,
            category: category.map(Some),
            unit_price: unit_price.map(|price| Some(price.into())),
            barcode: barcode.map(Some),
            low_stock_threshold: low_stock_threshold.map(Some),
            active,
        };
        Described { sku, change }
    }
}

impl From<ProductPatch> for ProductChange {
    fn from(body: ProductPatch) -> Self {
        let ProductPatch { name, category, unit_price, barcode, low_stock_threshold, active, .. } = body;
        let unit_price = unit_price.map(|price| price.map(Price::from));
        Self { name, category, unit_price, barcode, low_stock_threshold, active }
    }
}
