//! `onhand dead-letters`: look at what the worker could not apply, try it again, or give it up with a reason.

mod desk;

use crate::cli::terminal::client::server_url;
use crate::cli::terminal::print::{print, print_line, thousands};
use crate::cli::terminal::run_client;
use crate::config::RawSources;
use crate::runtime::exit::{Exit, Failure};
use clap::{Args, Subcommand};
use comfy_table::{CellAlignment, Table, presets};
use desk::Desk;
use serde::Deserialize;
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
pub(super) struct DeadLettersArgs {
    /// Base URL of the node whose worker it is
    #[arg(long, env = "ONHAND_SERVER", value_name = "URL", default_value = "http://127.0.0.1:3000")]
    #[arg(value_parser = server_url, global = true)]
    server: String,

    /// Not over a node, but in the data directory of a worker that is stopped; to look it may run
    #[arg(long, value_name = "DIRECTORY", global = true)]
    data_dir: Option<PathBuf>,

    #[command(flatten)]
    sources: RawSources,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
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

/// A dead letter, as far as the list shows it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Letter {
    id: String,
    source: String,
    store_id: Option<String>,
    sku: Option<String>,
    reason: String,
    tries: u32,
    first_at: String,
    state: String,
}

/// What became of a letter and of what waited behind it.
#[derive(Debug, Deserialize)]
struct Settled {
    letter: Letter,
    applied: u64,
    waiting: u64,
}

const OPEN: &str = "open";

/// Talks to the node.
///
/// # Errors
/// [`Exit::Unavailable`] when the node does not answer or refuses, [`Exit::Failed`] when a redrive did not help.
pub(super) fn run(args: &DeadLettersArgs) -> Result<Exit, Failure> {
    let desk = Desk::open(args)?;
    run_client::run(async {
        match &args.verb {
            Verb::List { all } => list(&desk, *all).await,
            Verb::Show { id } => {
                print_line(format!("{:#}", desk.show(id).await?))?;
                Ok(Exit::Ok)
            }
            Verb::Redrive { id, all } => redrive(&desk, id, *all).await,
            Verb::Discard { id, reason } => tell(&desk.discard(id, reason).await?),
        }
    })
}

async fn list(desk: &Desk, all: bool) -> Result<Exit, Failure> {
    let letters = desk.letters().await?;
    let open = letters.iter().filter(|letter| letter.state == OPEN).count();
    let shown: Vec<&Letter> = letters.iter().filter(|letter| all || letter.state == OPEN).collect();
    if !shown.is_empty() {
        print(format!("{}\n", table(&shown)))?;
    }
    let closed = letters.len() - open;
    print_line(format!("{open} open, {closed} redriven or discarded"))?;
    Ok(Exit::Ok)
}

fn table(letters: &[&Letter]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED);
    table.set_header(["id", "since", "source", "level", "tries", "state", "reason"]);
    for letter in letters {
        let level = match (&letter.store_id, &letter.sku) {
            (Some(store), Some(sku)) => format!("{store}/{sku}"),
            _ => "unknown".to_owned(),
        };
        table.add_row([
            letter.id.clone(),
            letter.first_at.clone(),
            letter.source.clone(),
            level,
            letter.tries.to_string(),
            letter.state.clone(),
            letter.reason.clone(),
        ]);
    }
    if let Some(column) = table.column_mut(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

async fn redrive(desk: &Desk, ids: &[String], all: bool) -> Result<Exit, Failure> {
    let ids = if all {
        let letters = desk.letters().await?;
        letters.into_iter().filter(|letter| letter.state == OPEN).map(|letter| letter.id).collect()
    } else {
        ids.to_vec()
    };
    let mut exit = Exit::Ok;
    for id in &ids {
        if tell(&desk.redrive(id).await?)? != Exit::Ok {
            exit = Exit::Failed;
        }
    }
    if ids.is_empty() {
        print_line("no dead letter waits for somebody")?;
    }
    Ok(exit)
}

/// Says what became of a letter.
fn tell(settled: &Settled) -> Result<Exit, Failure> {
    let Settled { letter, applied, waiting } = settled;
    print_line(format!(
        "{}: {}; {} events applied, {} still wait",
        letter.id,
        letter.state,
        thousands(*applied),
        thousands(*waiting)
    ))?;
    if letter.state == OPEN {
        print_line(format!("  it still cannot be applied: {}", letter.reason))?;
        return Ok(Exit::Failed);
    }
    Ok(Exit::Ok)
}
