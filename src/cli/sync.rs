//! `onhand sync`: one pass of a node's worker now, from a shell.

use crate::terminal::client::{NodeClient, server_url};
use crate::terminal::{pass_report, print, run_client};
use clap::Args;
use onhand_app::central::PassReport;
use onhand_runtime::exit::{Exit, Failure};

/// Bring the central model of a running node up to date now
///
/// Asks the node's worker for one pass over all its sources, or joins the pass that is running, and tells what it
/// did.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  onhand sync
  onhand sync --server http://central:3000 --json

Exit codes:
   0  every source was read to its end
  65  a source is stopped until somebody has looked
  69  a source could not be read, or the server could not be reached")]
pub struct SyncArgs {
    /// Base URL of the node
    #[arg(long, env = "ONHAND_SERVER", value_name = "URL", default_value = "http://127.0.0.1:3000")]
    #[arg(value_parser = server_url)]
    server: String,

    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

/// Requests a pass and prints its report.
///
/// # Errors
/// As [`pass_report::verdict`], and [`Exit::Unavailable`] when the node does not answer.
pub fn run(args: &SyncArgs) -> Result<Exit, Failure> {
    let report: PassReport = run_client::run(async {
        let client = NodeClient::new(&args.server)?;
        Ok(client.ask(http::Method::POST, "/sync").await?)
    })?;
    if args.json {
        print::print_line(serde_json::to_string(&report).expect("a report always serialises"))?;
    } else {
        print::print(pass_report::text(&report))?;
    }
    pass_report::verdict(&report)
}
