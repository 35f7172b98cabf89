//! `onhand serve`: one node, until it is told to stop. Its long help stands with the list of commands.

use crate::runtime;
use crate::runtime::exit::{Exit, Failure};
use crate::runtime::logging;
use onhand_config::ServeSettings;

/// Runs one node.
///
/// # Errors
/// As [`runtime::serve::run`].
pub(super) fn run(settings: &ServeSettings) -> Result<Exit, Failure> {
    logging::start(&settings.logging);
    runtime::serve::run(settings)
}
