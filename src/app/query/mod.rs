//! Reads: a level now or at a moment, the levels of a store, the movements of a level, an import, products and stores, low stock.

mod alerts;
mod all_movements;
mod imports;
mod levels;
mod movements;
mod products;
mod stores;

pub use alerts::{AlertFilter, AlertView, ThresholdView};
pub use all_movements::{MovementFilter, MovementPiece, place_of};
pub use imports::{ImportView, Refused, RefusedPlace};
pub use levels::LevelView;
pub use movements::{MovementPlace, MovementView, ReadError};
pub use products::{ProductFilter, ProductSaid, ProductView};
pub use stores::{StoreDescription, StoreView};
