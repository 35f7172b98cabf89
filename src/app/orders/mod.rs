//! Orders: which stores send what (`planning`), reads and history (`reads`), lists (`filter`, `index`, `lists`), and pieces that have been waiting for
//! stock (`waiting`).

mod filter;
pub(crate) mod index;
mod lists;
mod planning;
mod reads;
mod waiting;

pub use filter::{OrderFilter, OrderMark};
pub use planning::{NewOrder, Planning, PlanningError, Shortage};
pub use reads::{OrderRevision, OrderView, Revised, ShipmentView};
