//! The list of projections. The ledger reports every change to each of them; a capability adds its projection here, and nothing else to
//! the ledger.

use crate::catalogue::lists::Lists;
use crate::catalogue::strict::KnownProducts;
use crate::identity::authorities::Authorities;
use crate::latest::MovedStates;
use crate::ledger::projection::Projection;
use crate::low_stock::thresholds::LowStock;
use crate::orders::index::OrderIndex;
use std::sync::Arc;

/// All projections of a ledger.
#[derive(Default)]
pub(crate) struct Projections {
    pub(crate) lists: Arc<Lists>,
    pub(crate) low_stock: LowStock,
    pub(crate) orders: Arc<OrderIndex>,
    pub(crate) authorities: Authorities,
    pub(crate) moved: MovedStates,
    /// The projection of the strict catalogue, if that is on.
    pub(crate) known_products: Option<KnownProducts>,
}

impl Projections {
    /// Every projection in use.
    pub(crate) fn each(&self) -> impl Iterator<Item = &dyn Projection> {
        let always: [&dyn Projection; _] = [
            &*self.lists,
            // One line a projection: a capability adds its own.
            &self.low_stock,
            &*self.orders,
            &self.authorities,
            &self.moved,
        ];
        always.into_iter().chain(self.known_products.iter().map(|known| known as &dyn Projection))
    }
}
