//! The simulated world for rehearsing crashes: one seed, one schedule, the same run every time.

pub mod chain;
pub mod disk;
mod low_stock;
pub mod node;
pub mod office;
pub mod oracle;
pub mod play;
pub mod random;
pub mod rules;
pub mod run;
pub mod shared;
pub mod shop;
pub mod stage;
pub mod tally;
pub mod trace;
pub mod world;
