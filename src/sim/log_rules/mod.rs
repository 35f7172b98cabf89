//! The log on a simulated disk, checked without the ledger: `read` decodes the durable bytes, `rules` and `low_stock` check
//! what holds for every log.

mod low_stock;
mod read;
mod rules;

pub use read::{entries, entries_after, layout, try_entries};
pub use rules::{Rules, check, fold};
