//! What can be asked of a ledger in a play, and what it answers.

use std::fmt;

/// What one command or one operation of a batch wants of one level.
#[derive(Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) sku: &'static str,
    pub(crate) expect: Expect,
    pub(crate) wish: Wish,
}

/// What the caller knows of the version. Not part of the payload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Expect {
    Any,
    Exists,
    /// The version the level is at; not in a batch.
    Right,
    /// Another one.
    Wrong,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Wish {
    Adjust(i64),
    Reserve { pieces: i64, id: u8, ttl_seconds: Option<i64> },
    Release { id: u8, pieces: Option<i64> },
    Commit { id: u8, pieces: Option<i64>, close: bool },
    Count(i64),
}

/// A command with the keys by which a retry is known.
#[derive(Clone, PartialEq)]
pub(crate) enum Act {
    One(Order, Option<u8>),
    Batch { atomic: bool, items: Vec<(Order, Option<u8>)>, key: Option<u8> },
}

// In one line each: a counterexample is read by a person.
impl fmt::Debug for Order {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?} {:?}", self.sku, self.expect, self.wish)
    }
}

impl fmt::Debug for Act {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(order, key) => write!(formatter, "One({order:?}, key {key:?})"),
            Self::Batch { atomic, items, key } => {
                write!(formatter, "Batch(atomic {atomic}, {items:?}, key {key:?})")
            }
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Happened {
    pub(crate) sku: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
    pub(crate) version: u64,
    pub(crate) at: i64,
}

/// What a command comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Done(Done),
    Refused { code: &'static str, op: Option<u32> },
}

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Done {
    pub(crate) sequence: u64,
    pub(crate) events: Vec<Happened>,
    /// (operation, why): a rejection's code, or `replayed <sequence>`.
    pub(crate) unapplied: Vec<(u32, String)>,
    /// What replayed operations had come to.
    pub(crate) replays: Vec<(u32, Happened)>,
    pub(crate) replayed: bool,
}

/// The payload of an order, as far as a retry must repeat it.
pub(crate) fn payload(order: &Order) -> String {
    format!("{} {:?}", order.sku, order.wish)
}

pub(crate) fn batch_payload(atomic: bool, items: &[(Order, Option<u8>)]) -> String {
    let items: Vec<_> = items.iter().map(|(order, key)| (payload(order), key)).collect();
    format!("{atomic} {items:?}")
}
