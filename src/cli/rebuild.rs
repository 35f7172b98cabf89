//! `onhand rebuild`: levels from the log alone, compared with the snapshot.

use std::path::PathBuf;

use clap::Args;

use super::exit::{Exit, Failure};

/// Options of `onhand rebuild`.
#[derive(Args, Debug)]
pub(crate) struct RebuildArgs {
    /// Directory of the log and the snapshots
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY", default_value = "data")]
    pub data_dir: PathBuf,
}

/// Folds the log of a data directory.
///
/// # Errors
/// Not there yet.
pub(crate) fn run(_args: &RebuildArgs) -> Result<Exit, Failure> {
    Err(Failure::new(Exit::Internal, "rebuild is not built into this binary yet"))
}
