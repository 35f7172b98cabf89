//! Following the sources: one task for each, which reads events as they come.

pub(crate) mod asking;
pub(crate) mod follower;
pub(crate) mod followers;
