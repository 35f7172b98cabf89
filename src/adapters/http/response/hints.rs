//! Hints that an answer carries, as extensions, to the connection it leaves on; the accept loop reads them.

/// The request was rejected for load: its client should wait before the next one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rejected;

/// The answer is a stream that lasts as long as its reader wants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endless;
