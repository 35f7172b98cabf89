//! `onhand repair`: cuts damaged data out of the log, and keeps its bytes.

use clap::Args;
use onhand_disk::RealDisk;
use onhand_disk::layout::Layout;
use onhand_file::audit::repair::{Repaired, repair, settle_copy};
use onhand_file::format::identity::{DirectoryLock, read_node};
use onhand_file::recovery::OpenError;
use onhand_file::stores::central::look;
use onhand_runtime::directory;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use std::path::PathBuf;

/// Options of `onhand repair`.
#[derive(Args, Debug)]
pub struct RepairArgs {
    /// Directory of the log and the snapshots
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY", default_value = "data")]
    pub data_dir: PathBuf,
    /// Yes, give up every change from the first damage on, acknowledged ones too
    #[arg(long)]
    pub accept_loss: bool,
    /// The directory is a copy that was made while the node ran: go on with all that is in it
    #[arg(long, conflicts_with = "accept_loss")]
    pub copied: bool,
}

/// Cuts a damaged log.
///
/// # Errors
/// [`Exit::Usage`] without `--accept-loss` or `--copied`; otherwise as opening a data directory.
pub fn run(args: &RepairArgs) -> Result<Exit, Failure> {
    let (disk, layout) = directory::existing(&args.data_dir)?;
    if args.copied {
        return of_a_copy(disk, &layout);
    }
    if !args.accept_loss {
        let message = "repair gives up acknowledged changes. First try to restore the damaged file from a copy \
                       (`onhand verify` names it). If there is none, run it again with --accept-loss; with --copied, \
                       if this directory itself is a copy that was made while the node ran";
        return Err(Failure::new(Exit::Usage, message));
    }
    let logs = directory::logs(disk, &layout)?;
    // No process may join before the logs of all members are checked.
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
            print_repaired(&repaired);
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

/// Makes a copy startable with all that is in it.
fn of_a_copy(disk: RealDisk, layout: &Layout) -> Result<Exit, Failure> {
    let logs = directory::logs(disk, layout)?;
    if logs.iter().any(|log| log.root() != layout.root()) {
        let message = "several processes share the directory this is a copy of: such a copy is made while they are stopped, or by \
                       a snapshot of the file system. `onhand verify` says what does not hold between their logs";
        return Err(Failure::new(Exit::Usage, message));
    }
    let Some(repaired) = settle_copy(&disk, layout).map_err(directory::failure)? else {
        println!("nothing to do: the copy starts as it is");
        return Ok(Exit::Ok);
    };
    println!("kept       all that is in the copy: every change up to sequence {}", repaired.kept);
    println!("not in it  what the original has behind that, at least up to sequence {}", repaired.known);
    for path in &repaired.set_aside {
        println!("set aside  {}", path.display());
    }
    let node = read_node(&disk, layout).map_err(directory::failure)?.map(|node| node.node);
    let central =
        look(&disk, layout).or_exit(Exit::Io, || format!("cannot read {}", layout.central().display()))?;
    let seen = node.zip(central).and_then(|(node, central)| central.as_of().get(&node).copied());
    if seen.is_some_and(|seen| seen > repaired.kept) {
        println!(
            "The central model of the copy has more than its log: build it anew with `onhand rebuild --central`."
        );
    }
    println!("Start it only when the original is gone for good: both are the same node.");
    Ok(Exit::Ok)
}

fn print_repaired(repaired: &Repaired) {
    println!("kept       every change up to sequence {}", repaired.kept);
    if repaired.known > repaired.kept {
        println!("given up   what followed, at least up to sequence {}", repaired.known);
    }
    for path in &repaired.set_aside {
        println!("set aside  {}", path.display());
    }
}
