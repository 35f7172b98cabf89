//! A simulated machine: a disk that loses, tears and lies within the assumptions that the log stands on, clocks that the
//! caller moves, and the one source of chance. The simulator runs whole nodes on it; the file adapter tests its parts on it.

mod clock;
pub mod disk;
pub mod random;

pub use clock::{SimClock, SimIds};
