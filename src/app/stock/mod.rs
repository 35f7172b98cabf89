//! Reads of stock: a level now or at a moment, the levels of a store, the movements of a level or of all.

pub(crate) mod all_movements;
pub(crate) mod levels;
pub(crate) mod movements;

pub use all_movements::{MovementFilter, MovementPiece, place_of};
pub use levels::LevelView;
pub use movements::{MovementPlace, MovementView, ReadError};
