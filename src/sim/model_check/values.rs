//! The values that the acts of the model use: SKUs, quantities, names, versions.

use crate::oracle::{Expect, Goods, Oracle};
use onhand_domain::catalogue::Product;
use onhand_domain::{Expected, Quantity, Sku, StoreId};

/// The SKUs of a small run, in key order.
pub const SKUS: [&str; 3] = ["A", "B", "C"];

/// All SKUs of any run, in key order.
pub const CATALOGUE: [&str; 16] =
    ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P"];

/// The store and the SKU of a level.
pub fn place(oracle: &Oracle, sku: &str) -> (StoreId, Sku) {
    (StoreId::new(oracle.store).expect("a store's id"), Sku::new(sku).expect("a SKU"))
}

/// The precondition of a command, for a thing at this version.
pub(super) const fn expected(expect: Expect, version: u64) -> Expected {
    match expect {
        Expect::Any => Expected::Any,
        Expect::Exists => Expected::Exists,
        Expect::Right => Expected::Version(version),
        Expect::Wrong => Expected::Version(version + 1_000_000),
    }
}

pub(super) fn pieces(pieces: i64) -> Quantity {
    Quantity::new(pieces).expect("a quantity")
}

/// The number in a name.
pub(super) fn name(text: &str) -> u32 {
    let number = text.rsplit(' ').next().and_then(|number| number.parse().ok());
    number.expect("a name of the play ends with its number")
}

/// A product in the form of the oracle.
pub(super) fn goods(product: &Product) -> Goods {
    let Product { name: text, low_stock_threshold, .. } = product;
    Goods { name: name(text), threshold: low_stock_threshold.map(Quantity::get) }
}
