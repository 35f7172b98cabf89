//! The command for many products: the details of each are compared with the catalogue.
//!
//! Equal details make no event, so the same request may be sent again at any time, and an interrupted caller sends
//! all of it again. Other details are refused or, on request, replaced.
//!
//! An import of products therefore has no state in the log, unlike an import of movements (`domain/imports`). A
//! price that goes up and down again is the same file twice, and the second time has to take effect; an import that
//! is known by its file would refuse it.

use crate::catalogue::{Product, ProductChange, ProductFact};
use crate::identity::{Access, Denied, Permission};
use crate::{Decide, Draft, Fact, Key, Refusal, Rejection, Sku};
use serde::{Deserialize, Serialize};

/// Details of many products, each decided on its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Products {
    /// True: other details in the catalogue are replaced. False: they stay, and the product is refused.
    pub update: bool,
    /// 1 to 5,000, decided in order.
    pub products: Vec<Described>,
}

/// Details of one product.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// The SKU of the product.
    pub sku: Sku,
    /// The given details; the others stay.
    pub change: ProductChange,
}

/// One detail of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the fields of Product, under their names")]
pub enum ProductMember {
    Name,
    Category,
    UnitPrice,
    Barcode,
    LowStockThreshold,
    Active,
}

impl ProductMember {
    /// Every detail, in the order of the fields.
    pub const ALL: [Self; 6] =
        [Self::Name, Self::Category, Self::UnitPrice, Self::Barcode, Self::LowStockThreshold, Self::Active];

    /// The name in the log and in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Category => "category",
            Self::UnitPrice => "unitPrice",
            Self::Barcode => "barcode",
            Self::LowStockThreshold => "lowStockThreshold",
            Self::Active => "active",
        }
    }

    fn differs(self, one: &Product, other: &Product) -> bool {
        match self {
            Self::Name => one.name != other.name,
            Self::Category => one.category != other.category,
            Self::UnitPrice => one.unit_price != other.unit_price,
            Self::Barcode => one.barcode != other.barcode,
            Self::LowStockThreshold => one.low_stock_threshold != other.low_stock_threshold,
            Self::Active => one.active != other.active,
        }
    }
}

/// The names of details, for a sentence.
pub(crate) fn member_names(members: &[ProductMember]) -> String {
    members.iter().map(|member| member.as_str()).collect::<Vec<_>>().join(" and ")
}

impl Decide for Products {
    fn permit(&self, access: &Access) -> Result<(), Denied> {
        access.permit(Permission::CatalogueWrite)
    }

    fn add_keys(&self, keys: &mut Vec<Key>) {
        keys.extend(self.products.iter().map(|described| Key::Product(described.sku.clone())));
    }

    /// Never refuses all: a refused product does not affect the others.
    fn decide(&self, draft: &mut Draft<'_>) -> Result<(), Refusal> {
        for (op, described) in (0..).zip(&self.products) {
            draft.begin(op, None);
            if let Err(rejection) = decide_one(draft, described, self.update) {
                draft.refuse(op, rejection);
            }
        }
        Ok(())
    }
}

fn decide_one(draft: &mut Draft<'_>, described: &Described, update: bool) -> Result<(), Rejection> {
    let master = draft.state::<Product>(&Key::Product(described.sku.clone()));
    let change = described.change.clone();
    let product = if let Some(known) = &master.details {
        let product = change.of(known.clone());
        let mut members = ProductMember::ALL.to_vec();
        members.retain(|member| member.differs(known, &product));
        if members.is_empty() {
            return Ok(());
        }
        if !update {
            return Err(Rejection::ProductDiffers { current_version: master.version, members });
        }
        product
    } else {
        change.first().ok_or_else(|| Rejection::ProductNotFound { sku: described.sku.clone() })?
    };
    draft.record(Fact::Product(Box::new(ProductFact { sku: described.sku.clone(), product: Some(product) })));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_have_the_names_that_details_have() {
        let details = serde_json::json!({
            "name": "Tea", "category": "tea", "unitPrice": {"amountMinor": 1, "currency": "GBP"}, "barcode": "5",
            "lowStockThreshold": 2, "active": true,
        });
        let product: Product = serde_json::from_value(details.clone()).unwrap();
        let bare: Product =
            serde_json::from_value(serde_json::json!({"name": "T", "active": false})).unwrap();
        for member in ProductMember::ALL {
            assert!(details.get(member.as_str()).is_some(), "{member:?}");
            assert_eq!(serde_json::to_value(member).unwrap(), member.as_str());
            assert!(member.differs(&product, &bare) && !member.differs(&product, &product), "{member:?}");
        }
        assert_eq!(details.as_object().unwrap().len(), ProductMember::ALL.len());
    }
}
