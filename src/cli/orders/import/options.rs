//! The options of `onhand orders import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::import::options::delimiter;
use crate::import::products::options::currency;
use crate::terminal::client::server_url;
use onhand_domain::StoreId;
use onhand_domain::catalogue::Currency;

/// Import orders from a CSV file into a running node, each exactly once
///
/// Each row is a line of an order; rows with the same value in the order column are one order, wherever they stand. Orders are
/// placed in the order of the file, under their own ids: some at once, but of orders with a SKU in common each waits for the one
/// before it, so that stock goes to whoever comes first in the file.
///
/// An order is placed as a whole or not at all: a row that cannot be read refuses its order. Every refused row is named with its
/// number and the reason, in the summary and completely in --report.
///
/// The same command may be run again at any time, after an interruption or a correction of the file: an order that is there with
/// the same content stays as it is, and one with other content is refused. Orders that were refused for lack of stock are tried
/// again, and placed if there is enough by then.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct ImportOrdersArgs {
    /// CSV file: UTF-8, the first line names the columns
    #[arg(value_name = "CSV")]
    pub(super) file: PathBuf,

    /// Column with the id of the order: 1 to 58 of A-Z a-z 0-9 - _
    #[arg(long, value_name = "COLUMN", default_value = "orderId")]
    pub(super) order_column: String,

    /// Column with the SKU
    #[arg(long, value_name = "COLUMN", default_value = "sku")]
    pub(super) sku_column: String,

    /// Column with the quantity: whole pieces
    #[arg(long, value_name = "COLUMN", default_value = "qty")]
    pub(super) quantity_column: String,

    /// Column with the price of one piece, as in 2.55 [default: unitPrice, if there is one]; without a price, that of the catalogue
    #[arg(long, value_name = "COLUMN")]
    pub(super) price_column: Option<String>,

    /// Column with the name of the product [default: name, if there is one]; without a name, that of the catalogue
    #[arg(long, value_name = "COLUMN")]
    pub(super) name_column: Option<String>,

    /// Column with the id of the customer [default: customerId, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub(super) customer_column: Option<String>,

    /// Column with the date: it stands in the report, and is not sent
    #[arg(long, value_name = "COLUMN")]
    pub(super) date_column: Option<String>,

    /// Currency of the prices, as in GBP
    #[arg(long, value_name = "CODE", value_parser = currency)]
    pub(super) currency: Option<Currency>,

    /// What becomes of an order when pieces are missing
    #[arg(long, value_enum, default_value = "refuse")]
    pub(super) partial: Partial,

    /// Whether an order is confirmed at once, or later by a person
    #[arg(long, value_enum, default_value = "hand")]
    pub(super) confirm: Confirm,

    /// Also confirm and ship each order; one that waits for stock is shipped by a later run
    #[arg(long)]
    pub(super) ship: bool,

    /// Import credit notes as returns: orders whose id begins with C, with negative quantities
    #[arg(long, requires = "return_store")]
    pub(super) returns: bool,

    /// Store that receives the returns; all pieces can be sold again
    #[arg(long, value_name = "STORE", requires = "returns", value_parser = store_id)]
    pub(super) return_store: Option<StoreId>,

    /// Character between fields
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    pub(super) delimiter: u8,

    /// Node to import into
    #[arg(long, value_name = "URL", env = "ONHAND_SERVER", default_value = "http://127.0.0.1:3000", value_parser = server_url)]
    pub(super) server: String,

    /// Ask the node what would be short, order by order, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,

    /// File that gets every refused row, as CSV; "-" is standard output, and the summary goes to standard error then
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,

    /// Form of the summary
    #[arg(short, long, value_name = "FORM", default_value = "text")]
    pub(super) output: Output,
}

const AFTER_HELP: &str = "\
A credit note becomes, line by line, a return of the newest shipped order of the same customer that has pieces of the SKU
which are in no return: of the orders before it in the file, then of those that were placed before the file was imported. The
return has the id of the credit note, and is received in --return-store. A line that finds no order is refused.

A dry run plans each order on the stock of now, less what the orders before it in the file would take.

Examples:
  onhand orders import orders.csv --dry-run
  onhand orders import orders.csv --currency EUR --partial backorder --confirm auto --report refused.csv
  onhand orders import online-retail.csv --order-column InvoiceNo --sku-column StockCode --quantity-column Quantity \\
         --price-column UnitPrice --name-column Description --customer-column CustomerID --date-column InvoiceDate \\
         --currency GBP --partial cancel-rest --ship --returns --return-store RETURNS --report refused.csv

The token of ONHAND_TOKEN needs orders:place and orders:read; with --ship or --returns, orders:manage.

Exit codes:
   0  every order was placed or there already, or refused and reported
   1  interrupted; run the same command again to go on
   2  options that do not go together, such as prices without --currency
  65  not such a CSV file: empty, a header that is not UTF-8, a column missing, a quote left open
  66  the file is missing or cannot be read
  69  the node cannot be reached, or refused; run the same command again to go on
  73  the report cannot be created";

/// What becomes of an order when pieces are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Partial {
    /// It is refused
    Refuse,
    /// The missing pieces wait for stock
    Backorder,
    /// The missing pieces are cancelled; an order that would get nothing is refused
    CancelRest,
}

/// Who confirms an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Confirm {
    /// At once
    Auto,
    /// By a person
    Hand,
}

/// The form of the summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// Lines for a person
    Text,
    /// One JSON object
    Json,
}

fn store_id(text: &str) -> Result<StoreId, String> {
    StoreId::new(text).map_err(|error| format!("it {error}"))
}
