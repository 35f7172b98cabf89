//! Many products at once: the details of each are compared with the catalogue.
//!
//! Equal details make no event, so the same request may be sent again at any time, and an interrupted caller sends all of it again. Other
//! details are refused or, when asked for, replaced.
//!
//! An import of products is therefore no named thing in the log, as an import of movements is (`domain/imports`). A price that goes up and
//! down again is the same file twice, and the second time it has to be taken in; an import that is known by its file would refuse it.

use crate::domain::catalogue::{Product, ProductChange, ProductFact};
use crate::domain::{Draft, Fact, Key, Rejection, Sku};
use serde::{Deserialize, Serialize};

/// Something is to be said of many products, of each by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Products {
    /// True: what the catalogue says otherwise is replaced. False: it stays, and the word is refused.
    pub update: bool,
    /// 1 to 5,000, decided in order.
    pub products: Vec<Described>,
}

/// What is said of one of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// Of which.
    pub sku: Sku,
    /// What is said; of the rest nothing, so it stays.
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
    /// Every one, in the order of the details.
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

/// Decides what is said of each product; whatever is refused, the others are said.
pub fn decide_products(draft: &mut Draft<'_>, command: &Products) {
    for (op, said) in (0..).zip(&command.products) {
        draft.begin(op, None);
        if let Err(rejection) = decide_one(draft, said, command.update) {
            draft.refuse(op, rejection);
        }
    }
}

fn decide_one(draft: &mut Draft<'_>, said: &Described, update: bool) -> Result<(), Rejection> {
    let master = draft.product(&Key::Product(said.sku.clone()));
    let change = said.change.clone();
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
        change.first().ok_or_else(|| Rejection::ProductNotFound { sku: said.sku.clone() })?
    };
    draft.record(Fact::Product(Box::new(ProductFact { sku: said.sku.clone(), product: Some(product) })));
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
