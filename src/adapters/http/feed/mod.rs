//! The event feed.

pub(crate) mod event_body;
pub(crate) mod events;
pub(crate) mod follow;
