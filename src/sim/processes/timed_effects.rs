//! The known state of holds that expire, and of one import.

/// A hold that was granted; times are milliseconds since the start of the run.
pub(super) struct TimedHold {
    pub(super) id: u32,
    /// The time before the request.
    pub(super) asked: i64,
    /// The time after the answer.
    pub(super) granted: i64,
    pub(super) ttl: i64,
}

/// The holds and the import of a run, as far as they are known.
#[derive(Default)]
pub(super) struct TimedEffects {
    pub(super) holds: Vec<TimedHold>,
    pub(super) named: u32,
    /// Steps of the import that were acknowledged, and whether one more may have been made.
    pub(super) steps: u64,
    pub(super) unsure: bool,
}

impl TimedEffects {
    /// Drops the holds: no process was left that kept time.
    pub(super) fn forget_holds(&mut self) {
        self.holds.clear();
    }
}
