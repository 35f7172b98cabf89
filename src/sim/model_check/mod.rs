//! A node compared with the oracle, step by step.
//!
//! | file | what it does |
//! | --- | --- |
//! | `steps` | the steps of a run: acts, retries, time, upkeep, crashes, disk faults |
//! | `check` | sends the same to node and oracle, and makes the oracle follow a crash |
//! | `commands`, `catalogue_commands` | acts as commands of the ledger |
//! | `answers`, `views` | converts outcomes, events, levels and lists of the ledger to those of the oracle |
//! | `identity` | principals, tokens and the mode: as commands, and as the ledger shows them |
//! | `values` | SKUs, quantities, names, versions |

mod answers;
mod catalogue_commands;
mod check;
mod commands;
mod identity;
pub mod steps;
mod values;
mod views;

pub(super) use answers::answer_of;
pub use answers::{NodeAnswer, happened};
pub use check::{ModelCheck, OpenActs, ask};
pub(super) use commands::command;
pub(super) use identity::{IdentitySeen, identity_seen};
pub use values::{CATALOGUE, SKUS, place};
pub(super) use views::{ListedCatalogue, listed, listed_by, shown};
