//! What the capabilities share: resources are listed page by page, read with an entity tag, and changed once.

pub(crate) mod change;
pub(crate) mod list;
