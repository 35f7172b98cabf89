//! Products and stores.

pub(crate) mod many;
pub(crate) mod product_body;
pub(crate) mod products;
pub(crate) mod stores;
