//! `onhand sync-worker`: the worker as a process of its own, beside `onhand serve --sync off`.

use crate::terminal::{pass_report, print};
use clap::Args;
use onhand_config::{RawWorker, WorkerSettings};
use onhand_runtime::central::sources::LogSources;
use onhand_runtime::central::worker::{HeldWorker, LAST_PASS_MAX};
use onhand_runtime::exit::{Exit, Failure, OrExit};
use onhand_runtime::{directory, logging};
use tokio::signal::unix::{SignalKind, signal};

/// Merge logs into the central model, as a process of its own
///
/// Reads the log of the data directory, as far as it is durable, and those of all --source, and keeps central/ in the
/// data directory. The node itself runs as `onhand serve --sync off` on the same directory and shows what is saved
/// there. There is one worker to a data directory: a second one ends with exit code 75.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Every option can also be given as the environment variable named beside it; the option wins.

Examples:
  onhand serve --sync off & onhand sync-worker
  onhand sync-worker --source http://paris:3000 --source http://rome:3000
  onhand sync-worker --once                      one pass, as a cron job does it

SIGTERM runs a last pass, saves and exits 0; a second one aborts at once with exit code 1.

Exit codes:
   0  stopped as asked; with --once: every source was read to its end
  65  with --once: a source is stopped until somebody has looked
  66  there is no such data directory
  69  with --once: a source could not be read
  75  another worker has the data directory")]
pub struct SyncWorkerArgs {
    #[command(flatten)]
    settings: RawWorker,

    /// Run one pass over all sources, save, tell what it did, and end
    #[arg(long)]
    once: bool,
}

impl SyncWorkerArgs {
    /// The settings, unread.
    pub fn settings(&self) -> &RawWorker {
        &self.settings
    }
}

/// Runs the worker until a signal stops it.
///
/// # Errors
/// The failure and its exit code: data directory, lock, or a model that cannot be saved.
pub fn run(args: &SyncWorkerArgs, settings: &WorkerSettings) -> Result<Exit, Failure> {
    logging::start(&settings.logging);
    let (_, layout) = directory::existing(&settings.storage.data_dir)?;
    let logs = LogSources::of_directory(&layout)?;
    let held = HeldWorker::open(&layout, logs, &settings.sync, settings.storage.snapshot_every_events)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .or_exit(Exit::Internal, || "cannot start the runtime")?;
    runtime.block_on(async { if args.once { once(&held).await } else { until_stopped(&held).await } })
}

async fn once(held: &HeldWorker) -> Result<Exit, Failure> {
    let report = held.worker.sync().await;
    held.worker.save().await.or_exit(Exit::Io, || "cannot save the central model")?;
    print::print(pass_report::text(&report))?;
    pass_report::verdict(&report)
}

async fn until_stopped(held: &HeldWorker) -> Result<Exit, Failure> {
    let mut terminate =
        signal(SignalKind::terminate()).or_exit(Exit::Internal, || "cannot listen for SIGTERM")?;
    let mut interrupt =
        signal(SignalKind::interrupt()).or_exit(Exit::Internal, || "cannot listen for SIGINT")?;
    let begun = held.worker.central().look(onhand_app::central::Central::sequence);
    tracing::info!(sequence = begun.0, "the worker goes on where the central file ends");
    tokio::select! {
        () = held.worker.run() => unreachable!("a worker passes for ever"),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("asked to stop: a last pass");
    tokio::select! {
        () = held.finish(LAST_PASS_MAX) => {}
        _ = terminate.recv() => return Err(Failure::new(Exit::Failed, "second signal, aborting; nothing is lost")),
        _ = interrupt.recv() => return Err(Failure::new(Exit::Failed, "second signal, aborting; nothing is lost")),
    }
    tracing::info!(
        sequence = held.worker.central().look(onhand_app::central::Central::sequence).0,
        "stopped"
    );
    Ok(Exit::Ok)
}
