//! The bytes: lines, segments, their index, the durable mark, the node's identity.
//!
//! | file | what it does |
//! | --- | --- |
//! | [`line`] | one line: bytes and checksum; [`decode`] is the way back to an entry |
//! | [`segment`] | the chain of lines, torn against damaged; `segment_end` is where it ends |
//! | [`index`] | from a sequence, a time or a key to bytes; [`reindex`] makes one again |
//! | [`mark`] | the last durable sequence |
//! | [`identity`] | whose directory it is, and who uses it |

pub(crate) mod decode;
pub mod identity;
pub(crate) mod index;
pub(crate) mod line;
pub mod mark;
pub(crate) mod reindex;
pub mod segment;
pub mod segment_end;
