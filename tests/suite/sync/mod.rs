//! The worker: its sources, its stores, and what they add up to.

mod crashes;
mod merge;
mod moods;
mod poison;
mod sources;
mod world;
