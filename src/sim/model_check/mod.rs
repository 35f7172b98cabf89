//! A node compared with the oracle, step by step.
//!
//! | file | what it does |
//! | --- | --- |
//! | `steps` | the steps of a run: acts, retries, time, upkeep, crashes, refusals of the disk |
//! | `check` | asks node and oracle the same, and brings them together after a crash |
//! | `commands`, `catalogue_commands` | acts as commands of the ledger |
//! | `answers`, `views` | outcomes, events, levels and lists of the ledger in the words of the oracle |
//! | `values` | SKUs, quantities, names, versions |

mod answers;
mod catalogue_commands;
mod check;
mod commands;
pub mod steps;
mod values;
mod views;

pub(super) use answers::answer_of;
pub use answers::{NodeAnswer, happened};
pub use check::{ModelCheck, OpenActs, ask};
pub(super) use commands::command;
pub use values::{CATALOGUE, SKUS, place};
pub(super) use views::{ListedCatalogue, listed, listed_by, shown};
