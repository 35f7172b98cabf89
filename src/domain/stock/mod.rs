//! Stock: levels and what moves them. One file per verb.

mod adjust;
mod batch;
mod command;
mod commit;
mod count;
mod expire;
mod fact;
mod holds;
mod kind;
mod level;
mod release;
mod reserve;

pub use adjust::{Adjusted, check_delta};
pub use batch::{Batch, KnownKey, Operation};
pub use command::{StockCommand, Verb, decide};
pub use commit::Commit;
pub use count::{CountAsOf, Counted};
pub use expire::expiries;
pub use fact::{Effect, LevelAfter, Settled, StockFact};
pub use holds::{ClosedRecord, Closure, Hold, HoldRecord};
pub use kind::{AdjustKind, MovementKind};
pub use level::{Level, LevelRecord, LevelUndo};
pub use reserve::{Reserve, Reserved};
