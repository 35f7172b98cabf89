//! The followers of the sources: `followers` holds one for each source, `follower` reads and applies, `asking` makes the requests.

pub(crate) mod asking;
pub(crate) mod follower;
pub(crate) mod followers;
pub(crate) mod unanswered;
