//! Orders: which stores send what (`planning`), reads and history (`reads`), lists (`index`, `lists`), and pieces that have been waiting for
//! stock (`waiting`).

pub(crate) mod index;
mod lists;
mod planning;
mod reads;
mod waiting;

pub use index::{OrderFilter, OrderMark};
pub use planning::{NewOrder, Planning, PlanningError, Shortage};
pub use reads::{OrderRevision, OrderView, Revised, ShipmentView};
