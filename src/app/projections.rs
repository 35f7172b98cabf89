//! The list of projections. The ledger reports every change to each of them; a capability adds its projection here, and nothing else to
//! the ledger.

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
    /// The projection of the strict catalogue, if that is on.
    pub(in crate::app) known_products: Option<KnownProducts>,
}

impl Projections {
    /// Every projection in use.
    pub(in crate::app) fn each(&self) -> impl Iterator<Item = &dyn Projection> {
        let always: [&dyn Projection; _] = [
            &*self.lists,
            // One line a projection, so that a capability adds its own.
            &self.low_stock,
        ];
        always.into_iter().chain(self.known_products.iter().map(|known| known as &dyn Projection))
    }
}
