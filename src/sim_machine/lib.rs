//! A simulated machine: a disk with the faults that the log has to survive, clocks that the caller moves, and the only
//! source of randomness. The simulator runs whole nodes on it; the file adapter tests its parts on it.

mod clock;
pub mod disk;
pub mod random;

pub use clock::{SimClock, SimIds};
