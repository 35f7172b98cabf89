//! `onhand orders`: orders from a CSV file into a running node, and out of it.

mod access;
mod export;
mod import;

use clap::{Args, Subcommand};
use onhand_runtime::exit::{Exit, Failure};

/// Import orders from a CSV file, and export them
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  onhand orders import orders.csv --dry-run
  onhand orders import orders.csv --currency EUR --partial backorder --report refused.csv
  onhand orders export --status CONFIRMED > confirmed.csv

onhand orders import --help and onhand orders export --help have the options and exit codes of each.")]
pub struct OrdersArgs {
    #[command(subcommand)]
    verb: OrdersVerb,
}

#[derive(Subcommand, Debug)]
enum OrdersVerb {
    Import(Box<import::ImportOrdersArgs>),
    Export(Box<export::ExportOrdersArgs>),
}

/// Runs one of the subcommands.
///
/// # Errors
/// The fault of the command line, the file or the node. Refused orders are no error: they are reported.
pub fn run(args: &OrdersArgs) -> Result<Exit, Failure> {
    match &args.verb {
        OrdersVerb::Import(args) => import::run(args),
        OrdersVerb::Export(args) => export::run(args),
    }
}
