//! Entries: one line of the log, the outcome of one command, all or nothing.

use crate::{Event, Idempotency, Rejection, Timestamp};
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

/// The number of an event in its node's log: without gaps, from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence(pub u64);

impl Sequence {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// The sequence `events` further on.
    #[must_use]
    pub const fn plus(self, events: u64) -> Self {
        Self(self.0.saturating_add(events))
    }

    /// The sequence `events` before, not below [`Sequence::START`].
    #[must_use]
    pub const fn minus(self, events: u64) -> Self {
        Self(self.0.saturating_sub(events))
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An operation of a batch that made no event of its own in this entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unapplied {
    /// The index of the operation in its batch.
    pub op: u32,
    /// Why it made no event.
    pub why: UnappliedWhy,
}

/// Why an operation made no event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UnappliedWhy {
    /// It was refused.
    Refused(Rejection),
    /// Its idempotency key was known; the event of that sequence is its effect.
    Replayed(Sequence),
    /// Its idempotency key was known, from another log of the same ledger.
    ReplayedIn(LogPlace),
}

/// An event in one of the logs of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogPlace {
    /// The number of the log's directory under `nodes/`.
    pub log: u16,
    /// The event's sequence there.
    pub sequence: Sequence,
}

/// One entry as it stands in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The sequence of the first event; the others follow.
    pub sequence: Sequence,
    /// The first sequence of the group of entries that one sync made durable.
    pub batch: Sequence,
    /// The time of the entry, in log time: never before the previous entry.
    pub at: Timestamp,
    /// The principal, if it is known.
    pub actor: Option<SmolStr>,
    /// The request's id.
    pub request_id: Option<SmolStr>,
    /// The idempotency of the whole command.
    pub idempotency: Option<Idempotency>,
    /// The events, at least one.
    pub events: Vec<Event>,
    /// The operations of the batch that made no event.
    pub unapplied: Vec<Unapplied>,
}

impl Entry {
    /// The sequence of the last event.
    pub fn last(&self) -> Sequence {
        self.sequence.plus(self.events.len() as u64).minus(1)
    }

    /// The events with their sequences.
    pub fn numbered(&self) -> impl Iterator<Item = (Sequence, &Event)> {
        (self.sequence.0..).map(Sequence).zip(&self.events)
    }
}
