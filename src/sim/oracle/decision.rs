//! The outcome of a command, and the record of its key.

use crate::oracle::acts::{Done, Happened};
use std::sync::Arc;

/// The operations that made no event, or the code of the rejection and the operation that caused it.
pub(super) type Decision = Result<Vec<(u32, ItemFate)>, (&'static str, Option<u32>)>;

/// The outcome of an operation that made no event.
pub(super) enum ItemFate {
    Refused(&'static str),
    Replayed(u64, Happened),
}

/// The scope of a key, and its number.
pub(super) type KeyName = (&'static str, u32);

/// A used key, and the answer of its command.
#[derive(Debug)]
pub(super) struct UsedKey {
    pub(super) payload: String,
    pub(super) at: i64,
    pub(super) answer: Done,
    /// The sequence in the answer to a retry: of the first event of a command's entry, of the last one of a batch's
    /// operation.
    pub(super) sequence: u64,
}

/// The record of a key, or the code of its rejection.
pub(super) type KeyLookup = Option<Result<Arc<UsedKey>, &'static str>>;
