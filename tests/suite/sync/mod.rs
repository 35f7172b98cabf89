//! The worker: its sources, its stores, and the resulting model.

mod archived;
mod crashes;
mod drives;
mod merge;
mod moods;
mod poison;
mod saves;
pub(crate) mod sources;
pub(crate) mod world;
