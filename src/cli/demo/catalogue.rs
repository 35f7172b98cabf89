//! An invented small chain: its products and its stores.

use serde_json::{Value, json};

/// The store of the flash sale.
pub(super) const SALE_STORE: &str = "BERLIN";
/// The SKU that every buyer orders.
pub(super) const SALE_SKU: &str = "HEADPHONES-LIMITED";

const STORES: [&str; 3] = [SALE_STORE, "PARIS", "ROME"];
const PRODUCTS: [&str; 6] = ["TEAPOT", "MUG", "LANTERN", "COAT HANGER", "UNION FLAG", "T-LIGHT HOLDER"];
const COLOURS: [&str; 4] = ["RED", "BLUE", "GREEN", "WHITE"];

/// One batch that stocks every store, the limited pieces included.
pub(super) fn opening(pieces: u32) -> Value {
    let mut operations = vec![delivery(SALE_STORE, SALE_SKU, pieces)];
    for store in STORES {
        for product in PRODUCTS {
            for colour in COLOURS {
                operations.push(delivery(store, &format!("{colour} {product}"), fastrand::u32(5..200)));
            }
        }
    }
    json!({ "operations": operations })
}

fn delivery(store: &str, sku: &str, pieces: u32) -> Value {
    json!({"op": "adjust", "storeId": store, "sku": sku, "delta": pieces, "reason": "opening stock"})
}

/// Levels in the opening batch, and stores.
pub(super) fn size() -> (usize, usize) {
    (STORES.len() * PRODUCTS.len() * COLOURS.len() + 1, STORES.len())
}
