//! Bugs on purpose, one at a time, to prove that the suites catch them (`tests/suite/planted.rs`).
//!
//! They exist only in a build with the feature `planted-bugs`: everywhere else [`planted`] is `false` at compile time
//! and the binary contains none of this.

/// A mistake that a store of records must never make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// A change is acknowledged before it is durable.
    AckBeforeSync,
    /// A failed sync is repeated, and the second result is trusted.
    RetrySync,
    /// The cut after a failed write is not made durable.
    NoSyncAfterCut,
    /// A rename counts as durable without the sync of its directory.
    NoDirectorySync,
    /// Damage in the middle of the log is cut like a torn tail.
    CutMidLog,
    /// Checksums are not compared.
    SkipChecksum,
    /// A state is shown before it is durable.
    ApplyBeforeDurable,
    /// A start forgets which idempotency keys had their effect.
    ForgetIdempotency,
    /// A segment is removed before its archived copy has its name.
    PruneBeforeRename,
    /// The worker moves its checkpoint before the dead letter is on disk.
    CheckpointBeforeDeadLetter,
    /// After a start the last sequence is used once more.
    ReuseSequence,
    /// Log time follows the wall clock.
    FollowWallClock,
    /// A permit is not returned when the caller disconnects.
    LeakPermitOnCancel,
    /// A process whose term another one has ended goes on acknowledging.
    AcceptStaleEpoch,
    /// A lease is released while a group whose sync failed is still in the file.
    ReleaseOverLostFile,
    /// An event of another process is applied before its numbers are compared.
    ApplyMismatch,
    /// A process that joins takes the time from its own wall clock.
    TrustJoinersClock,
    /// A directory whose log is half-moved to `nodes/1` is treated as that of one process.
    ServeHalfMoved,
    /// Only the file `LOCK` is locked, not the directory.
    LockFileOnly,
    /// A command that turns out to need more states than it has locked is decided without them.
    StaleLook,
    /// The permission that a route needs is not needed for HEAD.
    SkipNeedOfHead,
    /// The permission that a route needs is not needed at its addresses under `/api`.
    SkipNeedOfAlias,
    /// Of a batch only the first operation is checked against the permissions of the caller.
    SkipNeedInBatch,
    /// The feed is not limited to the stores of the caller.
    ForgetScopeOfFeed,
    /// CSV is not limited to the stores of the caller.
    ForgetScopeOfCsv,
    /// A login that nobody has is refused without the work of comparing a password.
    SkipUnknownLogin,
    /// A refresh token that was replaced is refused, and its session goes on.
    ForgetRefreshReuse,
    /// A person of central may do here what they may do there.
    ForgetCeiling,
}

impl Bug {
    /// Every bug with its name.
    pub const ALL: [(Self, &str); 28] = [
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
        (Self::SkipNeedOfHead, "skip-need-of-head"),
        (Self::SkipNeedOfAlias, "skip-need-of-alias"),
        (Self::SkipNeedInBatch, "skip-need-in-batch"),
        (Self::ForgetScopeOfFeed, "forget-scope-of-feed"),
        (Self::ForgetScopeOfCsv, "forget-scope-of-csv"),
        (Self::SkipUnknownLogin, "skip-unknown-login"),
        (Self::ForgetRefreshReuse, "forget-refresh-reuse"),
        (Self::ForgetCeiling, "forget-ceiling"),
    ];
}

/// The environment variable that names the bug of this process.
pub const VARIABLE: &str = "ONHAND_PLANTED_BUG";

/// True when this process has this bug.
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

/// Always false: this build has no planted bugs.
#[cfg(not(feature = "planted-bugs"))]
#[inline]
pub const fn planted(_: Bug) -> bool {
    false
}
