//! The bytes: lines, segments, their index, the durable mark, the node's identity.

pub(crate) mod decode;
pub mod identity;
pub(crate) mod index;
pub(crate) mod line;
pub mod mark;
pub mod segment;
