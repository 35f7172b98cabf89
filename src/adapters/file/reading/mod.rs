//! Reading back: entries in order, and the events of one key.

pub(crate) mod forward;
pub(crate) mod history;
pub(crate) mod segments;
