//! A node's views of a SKU and of the catalogue, and the views that the oracle expects.

use crate::model_check::values::{CATALOGUE, goods, name, place};
use crate::oracle::{Goods, Oracle, Shown};
use onhand_app::Ledger;
use onhand_app::catalogue::ProductFilter;
use onhand_app::low_stock::AlertFilter;
use onhand_app::stock::ReadError;
use onhand_domain::Sku;

/// A page size larger than any list of a run.
const MANY: usize = 100;

/// The ledger's view of a SKU.
///
/// # Errors
/// [`ReadError`], as the ledger.
pub(crate) async fn shown(ledger: &Ledger, oracle: &Oracle, sku: &str) -> Result<Shown, ReadError> {
    let (store_id, sku) = place(oracle, sku);
    let level = ledger.level(&store_id, &sku).await?.map(|view| view.numbers);
    let product = ledger.product(&sku).await?;
    let threshold = ledger.threshold(&store_id, &sku).await?;
    let alerts = AlertFilter { store_id: Some(store_id), sku: Some(sku), ..AlertFilter::default() };
    let alert = ledger.alerts(&alerts, None, MANY).await?.pop();
    Ok(Shown {
        level: level.map(|level| (level.on_hand.get(), level.reserved.get(), level.version)),
        product: product.map(|view| (goods(&view.product), view.version)),
        threshold: threshold.map(|view| (view.low_stock_threshold.get(), view.version)),
        alert: alert.map(|view| ((view.raised.qty.get(), view.raised.threshold.get()), view.version)),
    })
}

/// The contents of the product list and the store list.
#[derive(Debug, PartialEq)]
pub(crate) struct ListedCatalogue {
    products: Vec<(&'static str, Goods, u64)>,
    /// Name and version of the stores that have details.
    stores: Vec<(u32, u64)>,
}

/// The lists of a ledger.
///
/// # Errors
/// [`ReadError`], as the ledger.
pub(crate) async fn listed(ledger: &Ledger) -> Result<ListedCatalogue, ReadError> {
    let known =
        |sku: &Sku| CATALOGUE.into_iter().find(|known| *known == sku.as_str()).expect("a SKU of the play");
    let products = ledger.products(ProductFilter::new("", None, None), None, MANY).await?;
    let products = products.iter().map(|view| (known(&view.sku), goods(&view.product), view.version));
    let products = products.collect();
    let stores = ledger.stores(None, MANY).await?;
    let stores = stores.iter().filter_map(|view| view.described.as_ref());
    let stores = stores.map(|said| (name(&said.store.name), said.version)).collect();
    Ok(ListedCatalogue { products, stores })
}

/// The lists that the oracle expects.
pub(crate) fn listed_by(oracle: &Oracle) -> ListedCatalogue {
    let products = oracle.catalogue.products.iter();
    let products =
        products.filter_map(|(sku, said)| said.shown().map(|(goods, version)| (*sku, goods, version)));
    let (products, stores) = (products.collect(), oracle.catalogue.store.shown().into_iter().collect());
    ListedCatalogue { products, stores }
}
