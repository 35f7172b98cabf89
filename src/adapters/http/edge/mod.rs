//! The layer around every handler (`layer`), with the facts of one request (`exchange`), by its route (`route`, `endpoint`,
//! `route_table`) and its need (`need`): the gate against web pages (`web_gate`), which exempts the local socket (`local_peer`); the
//! client behind proxies (`forwarding`); the caller (`front_door`) by its credential (`credentials`), logins and passwords (`logins`,
//! `attempts`); principals that a file declares (`managed`); CORS (`cors`); the headers of every answer (`departing`); rate limits and
//! places (`rate_limits`, `gates`, `admission`); the body (`body`); the meters (`meters`); entries of the audit trail (`recording`,
//! `known_addresses`).

pub(crate) mod admission;
pub(crate) mod attempts;
pub(crate) mod body;
pub(crate) mod cors;
pub(crate) mod credentials;
pub(crate) mod departing;
pub(crate) mod endpoint;
pub(crate) mod exchange;
pub(crate) mod forwarding;
pub(crate) mod front_door;
pub(crate) mod gates;
pub(crate) mod in_process;
pub(crate) mod known_addresses;
pub(crate) mod layer;
pub(crate) mod local_peer;
pub(crate) mod logins;
pub(crate) mod managed;
pub(crate) mod meters;
pub(crate) mod need;
pub(crate) mod rate_limits;
pub(crate) mod recording;
pub(crate) mod route;
pub(crate) mod route_table;
pub(crate) mod web_gate;
