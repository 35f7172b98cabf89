//! The options of `onhand import products`.

use std::path::PathBuf;

use clap::Args;

use crate::import::options::delimiter;
use crate::terminal::client::server_url;
use onhand_domain::catalogue::Currency;

/// Import a CSV file of products into the catalogue of a running node
///
/// Makes one product of each SKU. Its name, its price and the rest are what most of its rows say, and of equals what is
/// said first: so a history of sales with thousands of rows of one SKU will do as well as a catalogue. Every row that
/// says otherwise, or that cannot be read, is answered with its number and the reason, in the summary and completely in
/// --report.
///
/// What the catalogue of the node says already stays: a product that differs is refused, or with --update replaced, as
/// far as the file says something of it. The same command may be run again at any time: it sends the same words, and
/// what the catalogue says already changes nothing.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = AFTER_HELP)]
pub struct ProductsArgs {
    /// CSV file: UTF-8, the first line names the columns
    #[arg(value_name = "CSV")]
    pub file: PathBuf,

    /// Column with the SKU
    #[arg(long, value_name = "COLUMN", default_value = "sku")]
    pub sku_column: String,

    /// Column with the name
    #[arg(long, value_name = "COLUMN", default_value = "name")]
    pub name_column: String,

    /// Column with the price of one piece, as in 2.55 [default: price, if there is one]
    #[arg(long, value_name = "COLUMN", conflicts_with = "minor_price_column")]
    pub price_column: Option<String>,

    /// Column with the price in minor units of the currency, as in 255 [default: amountMinor, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub minor_price_column: Option<String>,

    /// Column with the currency [default: currency, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub currency_column: Option<String>,

    /// Currency of prices that stand without one, as in GBP
    #[arg(long, value_name = "CODE", value_parser = currency)]
    pub currency: Option<Currency>,

    /// Column with the category [default: category, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub category_column: Option<String>,

    /// Column with the barcode [default: barcode, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub barcode_column: Option<String>,

    /// Column with the low-stock threshold in pieces [default: lowStockThreshold, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub threshold_column: Option<String>,

    /// Column that says whether it is still sold, true or false [default: active, if there is one]
    #[arg(long, value_name = "COLUMN")]
    pub active_column: Option<String>,

    /// Replace what the catalogue says otherwise, instead of refusing it
    #[arg(long)]
    pub update: bool,

    /// Character between fields
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    pub delimiter: u8,

    /// Node to import into
    #[arg(long, value_name = "URL", env = "ONHAND_SERVER", default_value = "http://127.0.0.1:3000", value_parser = server_url)]
    pub server: String,

    /// Check the file and report; send nothing
    #[arg(long)]
    pub dry_run: bool,

    /// File that gets every row that was answered, as CSV; "-" is standard output, and the summary goes to standard
    /// error then
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
An empty field says nothing: what the catalogue says of it stays. But each row must have a name, and a price
must be more than 0. A file of more than 1,000,000 SKUs has to be split.

Examples:
  onhand import products catalogue.csv --dry-run
  onhand import products online-retail.csv --sku-column StockCode --name-column Description \\
         --price-column UnitPrice --currency GBP --report odd.csv
  onhand import products prices.csv --currency EUR --delimiter ';' --update

Exit codes:
   0  every row was taken in, or answered and reported
  65  not such a CSV file: empty, a header that is not UTF-8, a column missing, a quote left open
  66  the file is missing or cannot be read
  69  the node cannot be reached, or refused; run the same command again to go on
  73  the report cannot be created";

/// Reads `--currency`.
pub(crate) fn currency(text: &str) -> Result<Currency, String> {
    Currency::new(text).map_err(|error| format!("it {error}"))
}
