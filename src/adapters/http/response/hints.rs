//! Hints that an answer carries, as extensions, to the connection it leaves on; the accept loop reads them.

/// The request was rejected for load: whoever sent it should wait before the next one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rejected;

/// The answer is a stream that goes on for as long as its reader likes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endless;
