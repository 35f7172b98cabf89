//! The bytes: lines, segments, their index, the durable mark, the node's identity.
//!
//! | file | content |
//! | --- | --- |
//! | [`line`] | one line: bytes and checksum; [`decode`] decodes it to an entry |
//! | [`segment`] | the chain of lines, torn against damaged; `segment_end` is where it ends |
//! | [`index`] | from a sequence, a time or a key to bytes; [`reindex`] rebuilds one |
//! | [`mark`] | the last durable sequence |
//! | [`identity`] | identity and lock of a directory |

pub(crate) mod decode;
pub mod identity;
pub(crate) mod index;
pub(crate) mod line;
pub mod mark;
pub(crate) mod reindex;
pub mod segment;
pub mod segment_end;
