//! The feed of all changes: as pages (`events`) or as a stream (`follow`), each event as JSON (`event_body`).

pub(crate) mod event_body;
pub(crate) mod events;
pub(crate) mod follow;

use crate::adapters::http::edge::endpoint::get;
use crate::adapters::http::edge::route::Permission::Open;
use crate::adapters::http::node::Routes;

/// The routes of the feed.
pub(crate) fn routes() -> Routes {
    vec![get(Open, "/events", events::events).query(events::PARAMETERS)]
}
