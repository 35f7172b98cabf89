//! The options of `onhand dead-letters`.

use crate::terminal::client::server_url;
use clap::{Args, Subcommand};
use onhand_config::RawSources;
use std::path::PathBuf;

/// See and settle the events that a node's worker could not apply
///
/// An event that cannot be applied to central is kept as a dead letter, with the reason. Later events of the same
/// store and SKU wait behind it; everything else flows. Redrive it once the cause is gone, or discard it with a
/// reason: then the next event of the level is taken as it is.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  onhand dead-letters list
  onhand dead-letters show ID
  onhand dead-letters redrive ID
  onhand dead-letters redrive --all
  onhand dead-letters discard ID --reason 'counted again on 20 November'
  onhand dead-letters list --data-dir /srv/onhand       where the worker is a process of its own

Exit codes:
   0  done
   1  redriven, but the event still cannot be applied
  69  the server could not be reached, or refused: no such letter, or it is closed already
  75  with --data-dir: a worker runs; stop it to redrive or discard")]
pub struct DeadLettersArgs {
    /// Base URL of the node whose worker it is
    #[arg(long, env = "ONHAND_SERVER", value_name = "URL", default_value = "http://127.0.0.1:3000")]
    #[arg(value_parser = server_url, global = true)]
    pub(super) server: String,

    /// Not over a node, but in the data directory of a worker that is stopped; to look it may run
    #[arg(long, value_name = "DIRECTORY", global = true)]
    pub(super) data_dir: Option<PathBuf>,

    #[command(flatten)]
    pub(super) sources: RawSources,

    #[command(subcommand)]
    pub(super) verb: LetterVerb,
}

#[derive(Subcommand, Debug)]
pub(super) enum LetterVerb {
    /// List dead letters that wait for somebody, oldest first
    List {
        /// Also those that were redriven or discarded
        #[arg(long)]
        all: bool,
    },
    /// Print one dead letter with its event, as JSON
    Show {
        /// The letter
        id: String,
    },
    /// Try again to apply a dead letter, and then what waits behind it
    Redrive {
        /// The letters
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Vec<String>,
        /// All that wait for somebody, oldest first
        #[arg(long)]
        all: bool,
    },
    /// Give a dead letter up, and let flow what waits behind it
    Discard {
        /// The letter
        id: String,
        /// Why: it is kept with the letter
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}
