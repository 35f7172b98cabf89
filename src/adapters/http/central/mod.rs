//! The central view, its stream, the sync worker and its dead letters.

pub(crate) mod dead_letters;
pub(crate) mod levels;
pub(crate) mod stream;
pub(crate) mod sync;
