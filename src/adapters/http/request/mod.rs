//! Reading requests: the address (`path`, `path_params`, `query`), the headers (`accept`, `context`, `idempotency_key`,
//! `precondition`, `prefer_wait`, `request_id`), the body (`body`, `field_rules`, `json_object`, `optional`), and what the edge
//! adds (`arrived`).

pub(crate) mod accept;
pub(crate) mod arrived;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod context;
pub(crate) mod field_rules;
pub(crate) mod idempotency_key;
pub(crate) mod json_object;
pub(crate) mod network;
pub(crate) mod optional;
pub(crate) mod path;
pub(crate) mod path_params;
pub(crate) mod precondition;
pub(crate) mod prefer_wait;
pub(crate) mod query;
pub(crate) mod request_id;
