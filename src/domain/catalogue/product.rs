//! Products: the details of a SKU, the same in all stores.

use crate::identity::{Access, Denied, Permission};
use crate::master::{Master, MasterAfter, NOT_IN_CATALOGUE, master_kind};
use crate::{
    Decide, Draft, EventKind, Expected, Fact, Key, Kind, Misfit, Quantity, Refusal, Rejection, Sku, Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize};
use smol_str::SmolStr;
use std::fmt;

/// The details of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Product {
    /// The name: 1-256 characters.
    pub name: SmolStr,
    /// The group of goods: 1-64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<SmolStr>,
    /// The price of one piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<Price>,
    /// The barcode: 1-64 visible characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<SmolStr>,
    /// A store is low on the SKU at this number of sellable pieces or fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_stock_threshold: Option<Quantity>,
    /// False when the product is not sold any more.
    pub active: bool,
}

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Price {
    /// In minor units of the currency, such as pence or cents; at most 2^53 - 1.
    pub amount_minor: u64,
    /// The currency of the amount.
    pub currency: Currency,
}

/// A currency by its ISO 4217 code: three capital letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Currency([u8; 3]);

/// The text is no currency code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be three capital letters like GBP (ISO 4217)")]
pub struct CurrencyError;

/// `PRODUCT`: the details of the SKU from now on; without details it is removed from the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductFact {
    /// The SKU of the product.
    pub sku: Sku,
    /// All details of the product; none when it is removed from the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
}

/// A product in a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of Master, under their names")]
pub struct ProductRecord {
    pub sku: Sku,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    pub version: u64,
    pub updated_at: Timestamp,
}

/// A change of a product's details.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductCommand {
    /// The SKU of the product.
    pub sku: Sku,
    /// The condition on its version.
    pub expected: Expected,
    /// The kind of change.
    pub verb: ProductVerb,
}

/// The kind of change.
#[derive(Debug, Clone, PartialEq)]
pub enum ProductVerb {
    /// Adds a product that is not in the catalogue.
    Create(Box<Product>),
    /// Sets all details.
    Replace(Box<Product>),
    /// Changes some details.
    Change(Box<ProductChange>),
    /// Removes the product from the catalogue.
    Remove,
}

/// Some of the details. An inner `None` removes the detail.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(missing_docs, reason = "the fields of Product, under their names")]
pub struct ProductChange {
    pub name: Option<SmolStr>,
    pub category: Option<Option<SmolStr>>,
    pub unit_price: Option<Option<Price>>,
    pub barcode: Option<Option<SmolStr>>,
    pub low_stock_threshold: Option<Option<Quantity>>,
    pub active: Option<bool>,
}

impl Currency {
    /// The currency of that code. Only the form is checked, not that the currency exists.
    ///
    /// # Errors
    /// [`CurrencyError`] for anything but three capital letters.
    pub fn new(code: &str) -> Result<Self, CurrencyError> {
        let letters: [u8; 3] = code.as_bytes().try_into().map_err(|_| CurrencyError)?;
        if letters.iter().all(u8::is_ascii_uppercase) { Ok(Self(letters)) } else { Err(CurrencyError) }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("ASCII letters")
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = SmolStr::deserialize(deserializer)?;
        Self::new(&code).map_err(serde::de::Error::custom)
    }
}

impl ProductChange {
    /// The details with this change.
    pub(super) fn of(self, product: Product) -> Product {
        Product {
            name: self.name.unwrap_or(product.name),
            category: self.category.unwrap_or(product.category),
            unit_price: self.unit_price.unwrap_or(product.unit_price),
            barcode: self.barcode.unwrap_or(product.barcode),
            low_stock_threshold: self.low_stock_threshold.unwrap_or(product.low_stock_threshold),
            active: self.active.unwrap_or(product.active),
        }
    }

    /// The details of a new product; none without a name.
    pub(super) fn first(self) -> Option<Product> {
        let Self { name, category, unit_price, barcode, low_stock_threshold, active } = self;
        Some(Product {
            name: name?,
            category: category.flatten(),
            unit_price: unit_price.flatten(),
            barcode: barcode.flatten(),
            low_stock_threshold: low_stock_threshold.flatten(),
            active: active.unwrap_or(true),
        })
    }
}

impl Decide for ProductCommand {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        access.permit(Permission::CatalogueWrite)
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.push(Key::Product(self.sku.clone()));
    }

    /// The version is checked first.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        let master = draft.state::<Product>(&Key::Product(self.sku.clone()));
        master.check(self.expected)?;
        let unknown = || Rejection::ProductNotFound { sku: self.sku.clone() };
        let product = match &self.verb {
            ProductVerb::Create(_) if master.details.is_some() => {
                return Err(Rejection::ProductExists { current_version: master.version }.into());
            }
            ProductVerb::Create(product) | ProductVerb::Replace(product) => Some((**product).clone()),
            ProductVerb::Change(change) => {
                let known = master.details.clone().ok_or_else(unknown)?;
                Some((**change).clone().of(known))
            }
            ProductVerb::Remove if master.details.is_none() => return Err(unknown().into()),
            ProductVerb::Remove => None,
        };
        draft.record(Fact::Product(Box::new(ProductFact { sku: self.sku.clone(), product })));
        Ok(())
    }
}

impl Kind for Product {
    type Id = (Sku,);
    type State = Box<Master<Product>>;
    type Fact = Box<ProductFact>;
    type After = MasterAfter;
    type Record = ProductRecord;
    type Undo = Self::State;

    master_kind!(Box<ProductFact>, Product, |fact| fact.product.as_ref());

    fn id(fact: &Box<ProductFact>) -> (Sku,) {
        (fact.sku.clone(),)
    }

    fn record(master: &Box<Master<Product>>, (sku,): (Sku,)) -> ProductRecord {
        let Master { details, version, updated_at } = (**master).clone();
        ProductRecord { sku, product: details, version, updated_at }
    }

    fn restore(record: ProductRecord) -> Result<((Sku,), Box<Master<Product>>), Misfit> {
        let ProductRecord { sku, product, version, updated_at } = record;
        if version == 0 {
            return Err(NOT_IN_CATALOGUE);
        }
        Ok(((sku,), Box::new(Master { details: product, version, updated_at })))
    }

    fn id_in(record: &ProductRecord) -> (Sku,) {
        (record.sku.clone(),)
    }

    fn updated_at_in(record: &ProductRecord) -> Timestamp {
        record.updated_at
    }
}
