//! Checks the log on a simulated disk without the ledger: `read` decodes the durable bytes, `rules` and `low_stock`
//! check the rules that hold for every log.

mod low_stock;
mod read;
mod rules;

pub use read::{entries, entries_after, layout, try_entries};
pub use rules::{Rules, check, fold};
