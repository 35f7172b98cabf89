//! `onhand repair`: give up what is damaged, and keep its bytes.

use super::directory;
use super::exit::{Exit, Failure};
use crate::adapters::file::identity::DirectoryLock;
use crate::adapters::file::recovery::OpenError;
use crate::adapters::file::repair::{Repaired, repair};
use clap::Args;
use std::path::PathBuf;

/// Options of `onhand repair`.
#[derive(Args, Debug)]
pub(crate) struct RepairArgs {
    /// Directory of the log and the snapshots
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY", default_value = "data")]
    pub data_dir: PathBuf,
    /// Yes, give up every change from the first damage on, acknowledged ones too
    #[arg(long)]
    pub accept_loss: bool,
}

/// Cuts a damaged log.
///
/// # Errors
/// [`Exit::Usage`] without `--accept-loss`; otherwise as opening a data directory.
pub(crate) fn run(args: &RepairArgs) -> Result<Exit, Failure> {
    let (disk, layout) = directory::existing(&args.data_dir)?;
    if !args.accept_loss {
        let message = "repair gives up acknowledged changes. First try to restore the damaged file from a copy \
                       (`onhand verify` names it). If there is none, run it again with --accept-loss";
        return Err(Failure::new(Exit::Usage, message));
    }
    let logs = directory::logs(disk, &layout)?;
    // Nobody joins several that share it until all of their logs are looked through.
    let several = logs.iter().all(|log| log.root() != layout.root());
    let _door =
        several.then(|| DirectoryLock::take(&disk, &layout)).transpose().map_err(directory::failure)?;
    for log in &logs {
        let holder = DirectoryLock::holder(&disk, log).map_err(OpenError::at(&log.lock()));
        if let Some(holder) = holder.map_err(directory::failure)? {
            return Err(directory::failure(OpenError::Locked { path: log.lock(), holder }));
        }
    }
    let mut sound = true;
    for log in &logs {
        if let Some(repaired) = repair(&disk, log).map_err(directory::failure)? {
            if logs.len() > 1 {
                println!("log        {}", log.root().display());
            }
            tell(&repaired);
            sound = false;
        }
    }
    if sound {
        println!("sound: nothing to repair, nothing changed");
    } else {
        println!(
            "The sequences given up will be given out again: tell whoever follows this log to start over."
        );
    }
    Ok(Exit::Ok)
}

fn tell(repaired: &Repaired) {
    println!("kept       every change up to sequence {}", repaired.kept);
    if repaired.known > repaired.kept {
        println!("given up   what followed, at least up to sequence {}", repaired.known);
    }
    for path in &repaired.set_aside {
        println!("set aside  {}", path.display());
    }
}
