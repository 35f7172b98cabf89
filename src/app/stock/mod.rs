//! Reads of stock: `levels` now or at a moment, `movements` of one level, `all_movements` with a filter.

pub(crate) mod all_movements;
pub(crate) mod levels;
pub(crate) mod movements;

pub use all_movements::{MovementFilter, MovementPiece, place_of};
pub use levels::LevelView;
pub use movements::{MovementPlace, MovementView, ReadError};
