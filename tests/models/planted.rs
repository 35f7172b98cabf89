//! Mistakes in the protocol, each of which the checker must find.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// A lease is given up while a group whose sync failed still stands in the log.
    LeaseReleasedOverLostFile,
    /// A process over a lost file ends its term, and does not say where its log ends.
    LostFileEndsWhereItEnds,
    /// A process ends its term over a lost file, and looks again whether it is lost when it says where its log ends.
    LostFileLookedAtTwice,
    /// A process over a lost file keeps its leases, as long as it cannot mend the file.
    LostFileKeepsLeases,
    /// SIGTERM ends the term of a process over a lost file like that of any other.
    StopsOverLostFile,
    /// The mark at which the term of a paused process ends was read without the lock on it.
    MarkReadWithoutLock,
    /// A process whose term is over goes on marking.
    AcceptStaleTerm,
    /// A start reads the log behind the end of the last term.
    RestartIgnoresEnd,
    /// The log of a dead process is read to its mark, which may be behind after a power cut.
    DeadLogReadToMark,
    /// The end of a term is acted on before the name of its file is durable.
    TermNotDurable,
    /// A lease is used before the logs of other processes have been read.
    DecideBeforeCatchingUp,
    /// What is not durable yet is shown.
    ApplyBeforeDurable,
    /// The leases of a paused process are waited for.
    PausedKeepsLeases,
}
