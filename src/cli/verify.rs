//! `onhand verify`: does the log add up to the levels and reservations?

use std::path::PathBuf;

use clap::Args;

use super::exit::{Exit, Failure};

/// Options of `onhand verify`.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Directory of the log and the snapshots
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY", default_value = "data")]
    pub data_dir: PathBuf,
}

/// Checks a data directory.
///
/// # Errors
/// Not there yet.
pub(crate) fn run(_args: &VerifyArgs) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Internal, "verify is not built into this binary yet"))
}
