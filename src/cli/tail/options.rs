//! The options of `onhand tail`.

use crate::terminal::client::server_url;
use clap::Args;
use onhand_domain::{Sku, StoreId};

/// Follow the changes of a running node as they happen
///
/// Prints every change once, in the order of the node's log, and only what is durable. When the connection is lost,
/// or the node restarts, tail goes on where it stopped.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  onhand tail                                    the last ten changes, and what follows
  onhand tail --after 0 --json > changes.jsonl   everything there ever was
  onhand tail --store BERLIN --type RESERVE

Exit codes:
   0  --count changes were printed, or the reader of the pipe has gone
  65  the feed has a gap, or it is another log than before
  69  the server could not be reached in the first place, or it refused")]
pub struct TailArgs {
    /// Base URL of the node
    #[arg(long, env = "ONHAND_SERVER", value_name = "URL", default_value = "http://127.0.0.1:3000")]
    #[arg(value_parser = server_url)]
    pub(super) server: String,

    /// Begin behind this sequence; 0 is the beginning of the log
    #[arg(long, value_name = "SEQUENCE", conflicts_with = "last")]
    pub(super) after: Option<u64>,

    /// Begin so many changes before the end of the log
    #[arg(short = 'n', long, value_name = "CHANGES", default_value_t = 10)]
    pub(super) last: u64,

    /// Only changes of this store
    #[arg(long, value_name = "STORE", value_parser = |text: &str| StoreId::new(text).map_err(|error| error.to_string()))]
    pub(super) store: Option<StoreId>,

    /// Only changes of this SKU
    #[arg(long, value_name = "SKU", value_parser = |text: &str| Sku::new(text).map_err(|error| error.to_string()))]
    pub(super) sku: Option<Sku>,

    /// Only changes of this type: ADJUST, RESERVE, RELEASE, COMMIT, EXPIRE, COUNT, IMPORT, TAKE, CLOCK, PRODUCT, STORE, THRESHOLD, ALERT, PRINCIPAL, TOKEN, MODE, ROUTING, ORDER or SHIPMENT
    #[arg(long = "type", value_name = "TYPE")]
    pub(super) kind: Option<String>,

    /// Print each change as the node tells it, one JSON object a line
    #[arg(long)]
    pub(super) json: bool,

    /// End after so many changes
    #[arg(long, value_name = "CHANGES")]
    pub(super) count: Option<u64>,
}
