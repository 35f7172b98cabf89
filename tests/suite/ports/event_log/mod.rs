//! The contract of an event log: `src/app/ports/event_log.rs`.

mod order;
mod refusals;

use crate::ports::file::{FileNode, Setup};
use crate::ports::memory::{MemoryNode, Mistake};
use crate::ports::{Rule, broken, hold};

const RULES: &[Rule] = &[
    ("sequences have no gaps", order::sequences_have_no_gaps),
    ("a group is durable together", order::a_group_is_durable_together),
    ("an entry reads back as it was appended", order::an_entry_reads_back),
    ("time never goes back", order::time_never_goes_back),
    ("a ticket resolves only when its entry is durable", order::a_ticket_is_durable),
    ("a stale entry is refused", refusals::a_stale_entry_is_refused),
    ("a full queue refuses, and has room again", refusals::a_full_queue_refuses),
    ("a closed log refuses, and keeps what waits", refusals::a_closed_log_refuses),
    ("a failure is told, and every ticket fails", refusals::a_failure_is_told),
    ("after a failure nothing enters before memory has gone back", refusals::memory_goes_back_first),
    ("what failed leaves no trace", refusals::what_failed_leaves_no_trace),
    ("what is durable survives a kill, and nothing else", order::a_kill_takes_what_waits),
    ("who waits for a sequence hears when it is durable", order::the_watch_tells),
];

#[test]
fn the_log_on_disk_keeps_the_contract() {
    for setup in Setup::ALL {
        hold(RULES, |rule| rule(&mut FileNode::new(setup)));
    }
}

#[test]
fn the_log_in_memory_keeps_the_contract() {
    hold(RULES, |rule| rule(&mut MemoryNode::new(Mistake::Nothing)));
}

#[test]
fn a_mistake_in_a_log_is_seen() {
    for (mistake, rule) in [
        (Mistake::LeavesGap, "sequences have no gaps"),
        (Mistake::SplitsGroups, "a group is durable together"),
        (Mistake::ForgetsWhoActed, "an entry reads back as it was appended"),
        (Mistake::LetsTimeGoBack, "time never goes back"),
        (Mistake::AnswersBeforeItIsDurable, "a ticket resolves only when its entry is durable"),
        (Mistake::ShowsWhatWaits, "a ticket resolves only when its entry is durable"),
        (Mistake::TakesStaleEntries, "a stale entry is refused"),
        (Mistake::QueuesTheRefused, "a stale entry is refused"),
        (Mistake::NeverFull, "a full queue refuses, and has room again"),
        (Mistake::LosesTheLastAtClose, "a closed log refuses, and keeps what waits"),
        (Mistake::FailsInSilence, "a failure is told, and every ticket fails"),
        (Mistake::TakesOldGenerations, "after a failure nothing enters before memory has gone back"),
        (Mistake::KeepsWhatFailed, "what failed leaves no trace"),
        (Mistake::TellsNobody, "who waits for a sequence hears when it is durable"),
        (Mistake::ForgetsAtRestart, "what is durable survives a kill, and nothing else"),
    ] {
        let broken = broken(RULES, |rule| rule(&mut MemoryNode::new(mistake)));
        assert!(broken.contains(&rule), "{mistake:?} breaks only {broken:?}");
    }
}
