//! The catalogue: products one by one (`products`, `product_body`) or in bulk (`bulk`), and stores (`stores`).

pub(crate) mod bulk;
pub(crate) mod product_body;
pub(crate) mod products;
pub(crate) mod stores;

use crate::edge::endpoint::{delete, get, patch, post, put};
use crate::edge::route::Permission::Open;
use crate::node::Routes;
use crate::resource::list;

/// The routes of the catalogue.
pub(crate) fn routes() -> Routes {
    vec![
        get(Open, "/products", products::list).query(products::PARAMETERS),
        post(Open, "/products", products::create),
        get(Open, "/products/{sku}", products::product).versioned(),
        put(Open, "/products/{sku}", products::replace),
        patch(Open, "/products/{sku}", products::patch),
        delete(Open, "/products/{sku}", products::remove),
        get(Open, "/products/{sku}/history", products::history).query(list::PARAMETERS),
        post(Open, "/catalogue/products", bulk::products).bulk(),
        get(Open, "/stores", stores::list).query(list::PARAMETERS),
        post(Open, "/stores", stores::create),
        get(Open, "/stores/{storeId}", stores::store).versioned(),
        put(Open, "/stores/{storeId}", stores::replace),
    ]
}
