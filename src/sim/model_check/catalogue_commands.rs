//! The acts of the model that change the catalogue, as commands of the ledger.

use crate::model_check::values::{expected, pieces, place};
use crate::oracle::{CatalogueRequest, Expect, Goods, Oracle};
use onhand_domain::catalogue::{
    Described, Product, ProductChange, ProductCommand, ProductVerb, Products, Store, StoreCommand, StoreKind,
};
use onhand_domain::low_stock::ThresholdCommand;
use onhand_domain::{Command, Expected};
use smol_str::format_smolstr;

pub(super) fn command(oracle: &Oracle, saying: &CatalogueRequest, expect: Expect) -> Command {
    let expected = expected(expect, oracle.catalogue.version(saying));
    let about = |sku: &'static str, verb| Command::Product(product_command(oracle, sku, expected, verb));
    match *saying {
        CatalogueRequest::Create(sku, goods) => about(sku, ProductVerb::Create(Box::new(product(goods)))),
        CatalogueRequest::Replace(sku, goods) => about(sku, ProductVerb::Replace(Box::new(product(goods)))),
        CatalogueRequest::Change(sku, threshold) => {
            let low_stock_threshold = Some(threshold.map(pieces));
            let change = ProductChange { low_stock_threshold, ..ProductChange::default() };
            about(sku, ProductVerb::Change(Box::new(change)))
        }
        CatalogueRequest::Remove(sku) => about(sku, ProductVerb::Remove),
        CatalogueRequest::Store { name, create } => {
            let (store_id, _) = place(oracle, "A");
            let (name, kind) = (format_smolstr!("store {name}"), StoreKind::Shop);
            let store = Store { name, kind, address: None, time_zone: None, active: true };
            Command::Store(StoreCommand { store_id, expected, create, store: Box::new(store) })
        }
        CatalogueRequest::Threshold(sku, threshold) => {
            let (store_id, sku) = place(oracle, sku);
            let low_stock_threshold = threshold.map(pieces);
            Command::Threshold(ThresholdCommand { store_id, sku, expected, low_stock_threshold })
        }
    }
}

/// The command that sets many products at once.
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
