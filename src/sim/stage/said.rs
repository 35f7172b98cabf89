//! Products, the store, thresholds and alerts: what is said to a node, and what it shows.

use super::place;
use super::words::{CATALOGUE, expected, pieces};
use crate::app::Ledger;
use crate::app::catalogue::ProductFilter;
use crate::app::low_stock::AlertFilter;
use crate::app::stock::ReadError;
use crate::domain::catalogue::{
    Described, Product, ProductChange, ProductCommand, ProductVerb, Products, Store, StoreCommand, StoreKind,
};
use crate::domain::low_stock::ThresholdCommand;
use crate::domain::{Command, Expected, Quantity, Sku};
use crate::sim::oracle::{Expect, Goods, Oracle, Saying, Shown};
use smol_str::format_smolstr;

/// More than there is of anything in a play.
const MANY: usize = 100;

pub(super) fn command(oracle: &Oracle, saying: &Saying, expect: Expect) -> Command {
    let expected = expected(expect, oracle.catalogue.version(saying));
    let about = |sku: &'static str, verb| Command::Product(product_command(oracle, sku, expected, verb));
    match *saying {
        Saying::Create(sku, goods) => about(sku, ProductVerb::Create(Box::new(product(goods)))),
        Saying::Replace(sku, goods) => about(sku, ProductVerb::Replace(Box::new(product(goods)))),
        Saying::Change(sku, threshold) => {
            let low_stock_threshold = Some(threshold.map(pieces));
            let change = ProductChange { low_stock_threshold, ..ProductChange::default() };
            about(sku, ProductVerb::Change(Box::new(change)))
        }
        Saying::Remove(sku) => about(sku, ProductVerb::Remove),
        Saying::Store { name, create } => {
            let (store_id, _) = place(oracle, "A");
            let (name, kind) = (format_smolstr!("store {name}"), StoreKind::Shop);
            let store = Store { name, kind, address: None, time_zone: None, active: true };
            Command::Store(StoreCommand { store_id, expected, create, store: Box::new(store) })
        }
        Saying::Threshold(sku, threshold) => {
            let (store_id, sku) = place(oracle, sku);
            let low_stock_threshold = threshold.map(pieces);
            Command::Threshold(ThresholdCommand { store_id, sku, expected, low_stock_threshold })
        }
    }
}

/// Many products at once.
pub(super) fn many(oracle: &Oracle, update: bool, products: &[(&'static str, Goods)]) -> Command {
    let described = |(sku, goods): &(&'static str, Goods)| {
        let Product { name, low_stock_threshold, .. } = product(*goods);
        let (name, low_stock_threshold) = (Some(name), Some(low_stock_threshold));
        let change = ProductChange { name, low_stock_threshold, ..ProductChange::default() };
        Described { sku: place(oracle, sku).1, change }
    };
    Command::Products(Products { update, products: products.iter().map(described).collect() })
}

fn product_command(
    oracle: &Oracle,
    sku: &'static str,
    expected: Expected,
    verb: ProductVerb,
) -> ProductCommand {
    let (_, sku) = place(oracle, sku);
    ProductCommand { sku, expected, verb }
}

fn product(Goods { name, threshold }: Goods) -> Product {
    Product {
        name: format_smolstr!("product {name}"),
        category: None,
        unit_price: None,
        barcode: None,
        low_stock_threshold: threshold.map(pieces),
        active: true,
    }
}

/// The number in a name.
pub(super) fn name(text: &str) -> u32 {
    let number = text.rsplit(' ').next().and_then(|number| number.parse().ok());
    number.expect("a name of the play ends with its number")
}

/// A product as the oracle has it.
pub(super) fn goods(product: &Product) -> Goods {
    let Product { name: text, low_stock_threshold, .. } = product;
    Goods { name: name(text), threshold: low_stock_threshold.map(Quantity::get) }
}

/// What a ledger shows of a SKU.
///
/// # Errors
/// [`ReadError`], as the ledger.
pub(in crate::sim) async fn shown(ledger: &Ledger, oracle: &Oracle, sku: &str) -> Result<Shown, ReadError> {
    let (store_id, sku) = place(oracle, sku);
    let level = ledger.level(&store_id, &sku).await?.map(|view| view.numbers);
    let product = ledger.product(&sku).await?;
    let threshold = ledger.threshold(&store_id, &sku).await?;
    let alerts = AlertFilter { store_id: Some(store_id), sku: Some(sku) };
    let alert = ledger.alerts(&alerts, None, MANY).await?.pop();
    Ok(Shown {
        level: level.map(|level| (level.on_hand.get(), level.reserved.get(), level.version)),
        product: product.map(|view| (goods(&view.product), view.version)),
        threshold: threshold.map(|view| (view.low_stock_threshold.get(), view.version)),
        alert: alert.map(|view| ((view.raised.qty.get(), view.raised.threshold.get()), view.version)),
    })
}

/// Products and stores in their lists.
#[derive(Debug, PartialEq)]
pub(in crate::sim) struct Listed {
    products: Vec<(&'static str, Goods, u64)>,
    /// Name and version, of those of which something is said.
    stores: Vec<(u32, u64)>,
}

/// What the lists of a ledger show.
///
/// # Errors
/// [`ReadError`], as the ledger.
pub(in crate::sim) async fn listed(ledger: &Ledger) -> Result<Listed, ReadError> {
    let known =
        |sku: &Sku| CATALOGUE.into_iter().find(|known| *known == sku.as_str()).expect("a SKU of the play");
    let products = ledger.products(ProductFilter::new("", None, None), None, MANY).await?;
    let products = products.iter().map(|view| (known(&view.sku), goods(&view.product), view.version));
    let products = products.collect();
    let stores = ledger.stores(None, MANY).await?;
    let stores = stores.iter().filter_map(|view| view.described.as_ref());
    let stores = stores.map(|said| (name(&said.store.name), said.version)).collect();
    Ok(Listed { products, stores })
}

/// What they must show.
pub(in crate::sim) fn listed_by(oracle: &Oracle) -> Listed {
    let products = oracle.catalogue.products.iter();
    let products =
        products.filter_map(|(sku, said)| said.shown().map(|(goods, version)| (*sku, goods, version)));
    let (products, stores) = (products.collect(), oracle.catalogue.store.shown().into_iter().collect());
    Listed { products, stores }
}
