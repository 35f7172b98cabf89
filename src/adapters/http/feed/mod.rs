//! The feed of all changes: as pages (`events`) or as a stream (`follow`), each event as JSON (`event_body`).

pub(crate) mod event_body;
pub(crate) mod events;
pub(crate) mod follow;

use crate::edge::endpoint::get;
use crate::edge::route::Need;
use crate::node::Routes;
use onhand_domain::identity::Permission;

/// The routes of the feed.
pub(crate) fn routes() -> Routes {
    vec![get(Need::Somewhere(Permission::EventsRead), "/events", events::events).query(events::PARAMETERS)]
}
