//! Reads: a level now or at a moment, the levels of a store, the movements of a level, an import.

mod imports;
mod levels;
mod movements;

pub use imports::{ImportView, Refused, RefusedPlace};
pub use levels::LevelView;
pub use movements::{MovementPlace, MovementView, ReadError};
