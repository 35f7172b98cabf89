//! The catalogue: details of products and of stores, independent of their stock.
//!
//! Each is a [`Master`]: details that are replaced as a whole, under a version of its own. Stock does not need them: a level may exist for
//! a SKU without details, unless the catalogue is strict (`listed`).

mod listed;
mod many;
mod product;
mod store;

pub use listed::UnlistedKeys;
pub(crate) use listed::check_listed;
pub(crate) use many::member_names;
pub use many::{Described, ProductMember, Products};
pub use product::{
    Currency, CurrencyError, Price, Product, ProductChange, ProductCommand, ProductFact, ProductRecord,
    ProductVerb,
};
pub use store::{Store, StoreCommand, StoreFact, StoreKind, StoreRecord};
