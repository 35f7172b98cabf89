//! `onhand serve`: one node, until it is told to stop. Its long help stands with the list of commands.

use crate::config::ServeSettings;
use crate::runtime;
use crate::runtime::exit::{Exit, Failure};
use crate::runtime::logging;

/// Runs one node.
///
/// # Errors
/// As [`runtime::serve::run`].
pub(super) fn run(settings: &ServeSettings) -> Result<Exit, Failure> {
    logging::start(&settings.logging);
    runtime::serve::run(settings)
}
