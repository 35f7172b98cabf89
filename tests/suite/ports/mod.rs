//! The contracts of the ports as suites: the rules for any adapter, run on the file adapter and on one in memory.
//!
//! A second engine is checked with a [`Node`] of its own. Each suite also shows that it can fail: mistakes are
//! planted in the adapter in memory, one at a time, and the rule that each of them breaks is named.

mod central_store;
mod event_log;
mod event_source;
mod file;
mod history;
mod ledger;
mod memory;
mod movements;

use onhand_app::ports::{AppendError, Appended, EventLog, EventSource, History, NewEntry};
use onhand_domain::{Event, Timestamp};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use uuid::Uuid;

/// A node on some log engine, driven step by step: nothing becomes durable except by [`Node::write`].
pub(crate) trait Node {
    fn log(&self) -> &dyn EventLog;
    fn history(&self) -> Arc<dyn History>;
    /// The log as a source of the worker.
    fn source(&self) -> Arc<dyn EventSource>;
    fn id(&self) -> Uuid;
    /// Makes the queued entries durable; false when that failed.
    fn write(&self) -> bool;
    /// The next [`Node::write`] with a queued entry fails.
    fn fail_writes(&self);
    /// Storage is well again, and the log has noticed.
    fn recover(&self);
    /// Closes the log; the queued entries become durable.
    fn close(&self);
    /// Kills the process and starts it again: entries that were not durable are lost.
    fn restart(&mut self);
    /// Keeps a copy of the durable log.
    fn keep_copy(&mut self);
    /// Starts again on that copy.
    fn restore_copy(&mut self);
}

/// A rule of a log's contract: its name, and a check that panics where it does not hold. Each starts with an empty log.
pub(crate) type Rule = (&'static str, fn(&mut dyn Node));

/// Noon of a day of log time, plus so many milliseconds.
pub(crate) fn noon(milliseconds: i64) -> Timestamp {
    Timestamp::parse("2026-11-20T12:00:00Z").unwrap().plus_milliseconds(milliseconds)
}

/// An entry decided at noon in the present generation.
pub(crate) fn entry<'a>(node: &dyn Node, events: &'a [Event]) -> NewEntry<'a> {
    NewEntry {
        generation: node.log().durable().generation(),
        decided_at: noon(0),
        valid_before: None,
        actor: None,
        request_id: None,
        idempotency: None,
        events,
        unapplied: &[],
    }
}

/// Appends such an entry.
pub(crate) fn append(node: &dyn Node, events: &[Event]) -> Result<Appended, AppendError> {
    node.log().append(&entry(node, events))
}

/// Checks all rules of a contract on an adapter.
pub(crate) fn hold<R>(rules: &[(&'static str, R)], check: impl Fn(&R)) {
    for (name, rule) in rules {
        eprintln!("### {name}");
        check(rule);
    }
}

/// The rules that an adapter breaks.
pub(crate) fn broken<R>(rules: &[(&'static str, R)], check: impl Fn(&R)) -> Vec<&'static str> {
    let breaks = |rule: &R| catch_unwind(AssertUnwindSafe(|| check(rule))).is_err();
    rules.iter().filter(|(_, rule)| breaks(rule)).map(|(name, _)| *name).collect()
}

/// Waits for an answer of a source or a log, on this thread.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(work)
}
