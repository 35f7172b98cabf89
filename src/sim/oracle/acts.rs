//! What can be asked of a ledger in a play, and what it answers.

use std::fmt;

/// What one command or one operation of a batch wants of one level.
#[derive(Clone, PartialEq)]
pub struct Order {
    /// Of which level.
    pub sku: &'static str,
    /// What the caller knows of it.
    pub expect: Expect,
    /// What it is to become.
    pub wish: Wish,
}

/// What the caller knows of the version. Not part of the payload.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expect {
    /// Nothing.
    Any,
    /// That it exists.
    Exists,
    /// The version the level is at; not in a batch.
    Right,
    /// Another one.
    Wrong,
}

/// The verbs of stock; a reservation is called by a number.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the fields are those of the verbs")]
pub enum Wish {
    Adjust(i64),
    Reserve { pieces: i64, id: u32, ttl_seconds: Option<i64> },
    Release { id: u32, pieces: Option<i64> },
    Commit { id: u32, pieces: Option<i64>, close: bool },
    Count(i64),
}

/// A command with the keys by which a retry is known.
#[derive(Clone, PartialEq)]
pub enum Act {
    /// One order, and the key of the command.
    One(Order, Option<u32>),
    /// Several, each with a key of its own, and the key of the whole.
    #[allow(missing_docs, reason = "the variant says it")]
    Batch { atomic: bool, items: Vec<(Order, Option<u32>)>, key: Option<u32> },
}

impl Act {
    /// The levels it is about.
    pub fn skus(&self) -> impl Iterator<Item = &'static str> {
        let (one, items) = match self {
            Self::One(order, _) => (Some(order), &[][..]),
            Self::Batch { items, .. } => (None, &items[..]),
        };
        one.into_iter().chain(items.iter().map(|(order, _)| order)).map(|order| order.sku)
    }
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
pub struct Happened {
    /// Of which level.
    pub sku: &'static str,
    /// Its type in the log.
    pub kind: &'static str,
    /// Pieces there, after it.
    pub on_hand: i64,
    /// Pieces promised, after it.
    pub reserved: i64,
    /// The level's version, after it.
    pub version: u64,
    /// Log time in milliseconds.
    pub at: i64,
}

/// What a command comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It had its effect, now or before.
    Done(Done),
    /// It changed nothing: the code, and the operation of a batch that earned it.
    #[allow(missing_docs, reason = "the variant says it")]
    Refused { code: &'static str, op: Option<u32> },
}

/// An effect.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Done {
    /// Of its first event; 0 when there is none.
    pub sequence: u64,
    /// What happened.
    pub events: Vec<Happened>,
    /// (operation, why): a rejection's code, or `replayed <sequence>`.
    pub unapplied: Vec<(u32, String)>,
    /// What replayed operations had come to.
    pub replays: Vec<(u32, Happened)>,
    /// True when that was before.
    pub replayed: bool,
}

/// The payload of an order, as far as a retry must repeat it.
pub fn payload(order: &Order) -> String {
    format!("{} {:?}", order.sku, order.wish)
}

/// The same of a batch.
pub fn batch_payload(atomic: bool, items: &[(Order, Option<u32>)]) -> String {
    let items: Vec<_> = items.iter().map(|(order, key)| (payload(order), key)).collect();
    format!("{atomic} {items:?}")
}
