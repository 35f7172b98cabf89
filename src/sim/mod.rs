//! The simulated world for rehearsing crashes: one seed, one schedule, the same run every time.

pub mod disk;
pub mod node;
pub mod random;
