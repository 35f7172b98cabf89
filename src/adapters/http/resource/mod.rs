//! Shared by the capabilities: resources are listed page by page (`list`), read with an entity tag (`read`), and
//! changed with condition and idempotency key (`change`).

pub(crate) mod change;
pub(crate) mod list;
pub(crate) mod read;
