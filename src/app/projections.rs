//! The projections of all capabilities: the ledger tells each of them what moves. A capability adds its own here, and nothing
//! else to the ledger.

use crate::app::catalogue::lists::Lists;
use crate::app::catalogue::strict::KnownProducts;
use crate::app::ledger::projection::Projection;
use crate::app::low_stock::thresholds::LowStock;
use std::sync::Arc;

/// Every projection.
#[derive(Default)]
pub(in crate::app) struct Projections {
    pub(in crate::app) lists: Arc<Lists>,
    pub(in crate::app) low_stock: LowStock,
    /// Where only the SKUs of the catalogue may have stock.
    pub(in crate::app) known_products: Option<KnownProducts>,
}

impl Projections {
    /// Each of them.
    pub(in crate::app) fn each(&self) -> impl Iterator<Item = &dyn Projection> {
        let always: [&dyn Projection; _] = [
            &*self.lists,
            // One line a projection, so that a capability adds its own.
            &self.low_stock,
        ];
        always.into_iter().chain(self.known_products.iter().map(|known| known as &dyn Projection))
    }
}
