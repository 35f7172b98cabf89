//! The catalogue: products one by one (`products`, `product_body`) or in bulk (`bulk`), and stores (`stores`).

pub(crate) mod bulk;
pub(crate) mod product_body;
pub(crate) mod products;
pub(crate) mod stores;

use crate::edge::endpoint::{delete, get, patch, post, put};
use crate::edge::route::Need;
use crate::node::Routes;
use crate::resource::list;
use onhand_domain::identity::Permission;

/// The routes of the catalogue.
pub(crate) fn routes() -> Routes {
    vec![
        get(Need::Somewhere(Permission::CatalogueRead), "/products", products::list)
            .query(products::PARAMETERS)
            .sequenced(),
        post(Need::Everywhere(Permission::CatalogueWrite), "/products", products::create),
        get(Need::Somewhere(Permission::CatalogueRead), "/products/{sku}", products::product).versioned(),
        put(Need::Everywhere(Permission::CatalogueWrite), "/products/{sku}", products::replace),
        patch(Need::Everywhere(Permission::CatalogueWrite), "/products/{sku}", products::patch),
        delete(Need::Everywhere(Permission::CatalogueWrite), "/products/{sku}", products::remove),
        get(Need::Somewhere(Permission::CatalogueRead), "/products/{sku}/history", products::history)
            .query(list::PARAMETERS)
            .sequenced(),
        post(Need::Everywhere(Permission::CatalogueWrite), "/catalogue/products", bulk::products).bulk(),
        get(Need::Somewhere(Permission::StoresRead), "/stores", stores::list)
            .query(list::PARAMETERS)
            .sequenced(),
        post(Need::Somewhere(Permission::StoresWrite), "/stores", stores::create),
        get(Need::InStore(Permission::StoresRead), "/stores/{storeId}", stores::store).versioned(),
        put(Need::InStore(Permission::StoresWrite), "/stores/{storeId}", stores::replace),
    ]
}
