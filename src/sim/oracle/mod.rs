//! The oracle: the behaviour that a ledger must have, computed with plain maps and a literal reading of the rules.
//!
//! It shares no code with the ledger, so that a wrong rule in one of them shows as a difference. `acts` and `identity_acts` have requests
//! and answers, `model` the ledger, `stock` one level, `batch`, `products`, `catalogue` and `identity` the rules of those,
//! `decision` the outcome of a command and the record of its key, `event_list` all events.

mod acts;
mod batch;
mod catalogue;
mod decision;
mod event_list;
mod identity;
mod identity_acts;
mod model;
mod products;
mod stock;

pub use acts::{
    Act, CatalogueRequest, Done, Expect, Goods, Happened, LevelRequest, LevelVerb, OracleAnswer, Shown, What,
    batch_payload, payload,
};
pub use catalogue::{AlertModel, Catalogue, Versioned};
pub use event_list::EventList;
pub use identity::IdentityModel;
pub use identity_acts::{IdentityRequest, PrincipalModel, TokenModel};
pub use model::{Oracle, STORE};
pub use stock::Stock;
