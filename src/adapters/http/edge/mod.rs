//! The layer around every handler (`layer`), with what it knows of one request (`exchange`), by its route (`route`, `endpoint`): the gate against web
//! pages (`web_gate`), which exempts the local socket (`local_peer`), who it comes from (`front_door`), CORS (`cors`), the headers of every answer (`departing`), rate limit and places (`gates`, `admission`), the body (`body`), the meters (`meters`), and what the
//! audit trail is told (`recording`, `known_addresses`).

pub(crate) mod admission;
pub(crate) mod body;
pub(crate) mod cors;
pub(crate) mod departing;
pub(crate) mod endpoint;
pub(crate) mod exchange;
pub(crate) mod front_door;
pub(crate) mod gates;
pub(crate) mod known_addresses;
pub(crate) mod layer;
pub(crate) mod local_peer;
pub(crate) mod meters;
pub(crate) mod recording;
pub(crate) mod route;
pub(crate) mod web_gate;
