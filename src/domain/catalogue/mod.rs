//! The catalogue: what is said of products and of stores, whatever stock there is of them or in them.
//!
//! Each is a [`Master`]: details that are replaced as a whole, under a version of its own. Stock does not ask for any of
//! it: a level may be of a SKU that nobody has described.

mod many;
mod master;
mod product;
mod store;

pub use many::{Described, ProductMember, Products, decide_products};
pub use master::{Master, MasterAfter};
pub use product::{
    Currency, CurrencyError, Price, Product, ProductChange, ProductCommand, ProductFact, ProductRecord,
    ProductVerb, decide_product,
};
pub use store::{Store, StoreCommand, StoreFact, StoreKind, StoreRecord, decide_store};
