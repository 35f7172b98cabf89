//! The ways in which a crash ends.

/// The fate of unsynced bytes, lengths and names in a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Power was cut: chance decides, by this seed, on every unsynced sector, length and name.
    PowerCut {
        /// The same seed on the same disk leaves the same bytes.
        seed: u64,
    },
    /// Power was cut and nothing unsynced survived.
    DropUnsynced,
    /// Only the process was killed: the page cache survives whole, and is still unsynced.
    ProcessKill,
}
