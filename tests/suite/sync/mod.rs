//! The worker: its sources, its stores, and what they add up to.

mod archived;
mod crashes;
mod merge;
mod moods;
mod poison;
pub(crate) mod sources;
mod world;
