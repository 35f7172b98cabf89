//! One level in the central model: the numbers that each ledger reports for a store and a SKU.

use onhand_domain::stock::LevelAfter;
use onhand_domain::{Quantity, Timestamp};
use smallvec::SmallVec;
use uuid::Uuid;

/// A level in the central model: the numbers of one ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CentralLevel {
    /// The ledger: the node's own, or one that several nodes share.
    pub ledger: Uuid,
    /// The node whose log last moved it or took it over.
    pub node: Uuid,
    /// The numbers that the ledger reports.
    pub numbers: LevelAfter,
    /// The time of the last event.
    pub updated_at: Timestamp,
}

/// The levels that the ledgers report for one store and SKU, ordered by ledger.
pub type Levels = SmallVec<[CentralLevel; 1]>;

/// The numbers of a level without events.
pub(crate) const ABSENT: LevelAfter =
    LevelAfter { on_hand: Quantity::ZERO, reserved: Quantity::ZERO, version: 0 };

/// The sum over ledgers: quantities and versions added, the latest time.
pub fn total(levels: &[CentralLevel]) -> (LevelAfter, Timestamp) {
    let add = |sum: Quantity, more: Quantity| sum.checked_add(more).unwrap_or(sum);
    levels.iter().fold((ABSENT, Timestamp::EPOCH), |(sum, latest), level| {
        let numbers = LevelAfter {
            on_hand: add(sum.on_hand, level.numbers.on_hand),
            reserved: add(sum.reserved, level.numbers.reserved),
            version: sum.version.saturating_add(level.numbers.version),
        };
        (numbers, latest.max(level.updated_at))
    })
}
