//! `onhand rebuild`: levels from the log alone, compared with the snapshot; or central from the logs alone.

mod central;

use super::verify::{describe, line};
use crate::terminal::exit::bad_settings;
use clap::Args;
use onhand_config::RawSources;
use onhand_file::audit::{DirectoryAudit, audit_directory_for};
use onhand_file::format::identity::DirectoryLock;
use onhand_file::upkeep::snapshotter::write_whole;
use onhand_runtime::directory;
use onhand_runtime::exit::{Exit, Failure, OrExit};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// Options of `onhand rebuild`.
#[derive(Args, Debug)]
pub struct RebuildArgs {
    /// Directory of the log and the snapshots
    #[arg(long, env = "DATA_DIR", value_name = "DIRECTORY", default_value = "data")]
    pub data_dir: PathBuf,
    /// Write the states to this file, one JSON object a line, in key order
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write a new snapshot from the log alone; the node must be stopped
    #[arg(long)]
    pub write_snapshot: bool,
    /// Build the central model instead: from this log and those of all --source; no worker may run
    #[arg(long, conflicts_with_all = ["output", "write_snapshot"])]
    pub central: bool,
    #[command(flatten)]
    pub(super) sources: RawSources,
}

/// Adds up the log of a data directory.
///
/// # Errors
/// [`Exit::Data`] when the log does not add up, or not to the snapshots.
pub fn run(args: &RebuildArgs) -> Result<Exit, Failure> {
    let (disk, layout) = directory::existing(&args.data_dir)?;
    if args.central {
        let sources = args.sources.parse().map_err(|faults| bad_settings(&faults))?;
        return central::run(&layout, sources);
    }
    // Idempotency keys are not part of the result.
    let audit = audit_directory_for(&disk, &layout, None).map_err(directory::failure)?;
    describe(&audit);
    let (snapshots, log): (Vec<_>, Vec<_>) =
        audit.findings().partition(|finding| is_of_snapshot(&audit, &finding.path));
    for finding in log.iter().chain(&snapshots) {
        println!("{}", line(finding));
    }
    if !log.is_empty() {
        let message =
            "the log itself does not hold, so nothing was rebuilt; see run.md, \"The log is damaged\"";
        return Err(Failure::new(Exit::Data, message));
    }
    if let Some(path) = &args.output {
        write_states(&audit, path)?;
        println!("wrote      {} states to {}", audit.states().len(), path.display());
    }
    if args.write_snapshot {
        if let Some(holder) = audit.logs.iter().find_map(|(_, audit)| audit.live.as_ref()) {
            let message =
                format!("the data directory is in use by {holder}; stop it before --write-snapshot");
            return Err(Failure::new(Exit::Locked, message));
        }
        let held = audit.logs.iter().map(|(layout, _)| DirectoryLock::take(&disk, layout));
        let _held = held.collect::<Result<Vec<_>, _>>().map_err(directory::failure)?;
        for (layout, audit) in &audit.logs {
            write_whole(&disk, layout, &audit.node, &audit.fold, audit.last_time)
                .or_exit(Exit::Io, || "cannot write the snapshot")?;
            println!("wrote      {}", layout.snapshot(audit.end).display());
        }
        return Ok(Exit::Ok);
    }
    if snapshots.is_empty() {
        println!("equal: the log alone gives what the snapshots say");
        return Ok(Exit::Ok);
    }
    let message = "the snapshots are not what the log adds up to; the log is right: \
                   stop the node and run `onhand rebuild --write-snapshot`";
    Err(Failure::new(Exit::Data, message))
}

fn is_of_snapshot(audit: &DirectoryAudit, path: &Path) -> bool {
    audit.logs.iter().any(|(layout, _)| path.starts_with(layout.snapshots()))
}

fn write_states(audit: &DirectoryAudit, path: &Path) -> Result<(), Failure> {
    let doing = || format!("cannot write {}", path.display());
    let mut out = BufWriter::new(File::create(path).or_exit(Exit::CannotCreate, doing)?);
    for (key, state) in audit.states() {
        serde_json::to_writer(&mut out, &state.record(key)).or_exit(Exit::Io, doing)?;
        out.write_all(b"\n").or_exit(Exit::Io, doing)?;
    }
    out.flush().or_exit(Exit::Io, doing)
}
