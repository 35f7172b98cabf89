//! Stock: the level of one SKU in one store, and the movements of it.
//!
//! - `command`, `batch`: the commands, one or many; `decide`: the checks that all verbs share
//! - `adjust`, `reserve`, `release`, `commit`, `count`, `expire`: the decision of each verb
//! - `fact`: the payloads of the events; `kind`: the kinds of movements
//! - `level`, `holds`: the state, and its reservations

mod adjust;
mod batch;
mod command;
mod commit;
mod count;
mod decide;
mod expire;
mod fact;
mod holds;
mod kind;
mod level;
mod release;
mod reserve;

pub use adjust::check_delta;
pub use batch::{Batch, KnownKey, Operation};
pub use command::{Commit, CountAsOf, Reserve, StockCommand, Verb};
pub use decide::decide;
pub use fact::{Adjusted, Counted, Effect, LevelAfter, Reserved, Settled, StockFact};
pub use holds::{ClosedRecord, Closure, Hold, HoldRecord};
pub use kind::{AdjustKind, MovementKind};
pub use level::{Level, LevelRecord, LevelUndo};
