//! The worker: its sources, its stores, and what they add up to.

mod moods;
mod poison;
mod sources;
mod world;
