//! The oracle: what a ledger owes, computed by plain maps and a straight reading of the rules.
//!
//! It shares no code with the ledger, so a rule that is wrong in one of them does not agree with itself. `acts` is what can be
//! asked and answered, `model` the ledger, `stock` one level, `batch`, `products` and `catalogue` the rules of those, `decision` what
//! becomes of a command and its key, `event_list` all that has happened.

mod acts;
mod batch;
mod catalogue;
mod decision;
mod event_list;
mod model;
mod products;
mod stock;

pub use acts::{
    Act, CatalogueRequest, Done, Expect, Goods, Happened, LevelRequest, LevelVerb, OracleAnswer, Shown, What,
    batch_payload, payload,
};
pub use catalogue::{AlertModel, Catalogue, Versioned};
pub use event_list::EventList;
pub use model::{Oracle, STORE};
pub use stock::Stock;
