//! `onhand serve`: one node.

use super::exit::{Exit, Failure};
use crate::config::ServeSettings;

/// Runs one node until it is told to stop.
///
/// # Errors
/// Not there yet.
pub(crate) fn run(_settings: ServeSettings) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Internal, "serve is not built into this binary yet"))
}
