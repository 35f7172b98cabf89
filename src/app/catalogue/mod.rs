//! Reads of products and stores. `lists` is the projection they read; `strict` is the projection for `CATALOG_STRICT`.

pub(crate) mod lists;
pub(crate) mod products;
pub(crate) mod stores;
pub(crate) mod strict;

pub use products::{ProductFilter, ProductRevision, ProductView};
pub use stores::{StoreDescription, StoreView};
