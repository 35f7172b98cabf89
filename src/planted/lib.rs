//! Bugs on purpose, one at a time, to see that the suites catch them (`tests/suite/planted.rs`).
//!
//! Only a build with the feature `planted-bugs` has them: everywhere else [`planted`] is `false` at compile time and
//! nothing of this is left in the binary.

/// A mistake that a store of records must never make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A change is acknowledged before the disk has it.
    AckBeforeSync,
    /// A sync that failed is repeated, and believed.
    RetrySync,
    /// What is cut off after a failed write is not cut off durably.
    NoSyncAfterCut,
    /// A rename counts as durable without the sync of its directory.
    NoDirectorySync,
    /// Damage in the middle of the log is cut like a torn tail.
    CutMidLog,
    /// Checksums are not compared.
    SkipChecksum,
    /// What is not durable yet is shown.
    ApplyBeforeDurable,
    /// A start forgets which idempotency keys had their effect.
    ForgetIdempotency,
    /// A segment is removed before its archived copy has its name.
    PruneBeforeRename,
    /// The worker moves its checkpoint before the dead letter is on disk.
    CheckpointBeforeDeadLetter,
    /// After a start the last sequence is given out once more.
    ReuseSequence,
    /// Log time is what the wall clock says.
    FollowWallClock,
    /// A place is not given back when the caller goes away.
    LeakPermitOnCancel,
    /// A process whose term another one has ended goes on acknowledging.
    AcceptStaleEpoch,
    /// A lease is given up while a group whose sync failed stands in the file.
    ReleaseOverLostFile,
    /// An event of another process is applied before its numbers are compared.
    ApplyMismatch,
    /// A process that joins others takes the time from its wall clock.
    TrustJoinersClock,
    /// A directory whose log is half-way to `nodes/1` is taken for one that a process has for itself.
    ServeHalfMoved,
    /// Only the file `LOCK` is locked, not the directory.
    LockFileOnly,
    /// A command that turns out to need more states than it has locked is decided without them.
    StaleLook,
}

impl Bug {
    /// Every bug with its name.
    pub const ALL: [(Self, &str); 20] = [
        (Self::AckBeforeSync, "ack-before-sync"),
        (Self::RetrySync, "retry-sync"),
        (Self::NoSyncAfterCut, "no-sync-after-cut"),
        (Self::NoDirectorySync, "no-directory-sync"),
        (Self::CutMidLog, "cut-mid-log"),
        (Self::SkipChecksum, "skip-checksum"),
        (Self::ApplyBeforeDurable, "apply-before-durable"),
        (Self::ForgetIdempotency, "forget-idempotency"),
        (Self::PruneBeforeRename, "prune-before-rename"),
        (Self::CheckpointBeforeDeadLetter, "checkpoint-before-dead-letter"),
        (Self::ReuseSequence, "reuse-sequence"),
        (Self::FollowWallClock, "follow-wall-clock"),
        (Self::LeakPermitOnCancel, "leak-permit-on-cancel"),
        (Self::AcceptStaleEpoch, "accept-stale-epoch"),
        (Self::ReleaseOverLostFile, "release-over-lost-file"),
        (Self::ApplyMismatch, "apply-mismatch"),
        (Self::TrustJoinersClock, "trust-joiners-clock"),
        (Self::ServeHalfMoved, "serve-half-moved"),
        (Self::LockFileOnly, "lock-file-only"),
        (Self::StaleLook, "stale-look"),
    ];
}

/// The variable that names the bug of this process.
pub const VARIABLE: &str = "ONHAND_PLANTED_BUG";

/// True when this process is to make the mistake.
#[cfg(feature = "planted-bugs")]
#[inline]
pub fn planted(bug: Bug) -> bool {
    static CHOSEN: std::sync::OnceLock<Option<Bug>> = std::sync::OnceLock::new();
    let chosen = CHOSEN.get_or_init(|| {
        let name = std::env::var(VARIABLE).ok()?;
        let known = Bug::ALL.iter().find(|(_, known)| *known == name);
        Some(known.expect("the variable names one of the bugs").0)
    });
    *chosen == Some(bug)
}

/// Never: this build has no bugs on purpose.
#[cfg(not(feature = "planted-bugs"))]
#[inline]
pub const fn planted(_: Bug) -> bool {
    false
}
