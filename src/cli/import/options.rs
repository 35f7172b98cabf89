//! The options of `onhand import`, and what of them gives the rows their meaning.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::store_name::meant;
use super::time::TimeFormat;
use crate::terminal::client::server_url;
use onhand_domain::limits::INTEGER_MAX;
use onhand_domain::{Quantity, StoreId};
use onhand_runtime::exit::{Exit, Failure};

/// Import a CSV file of movements into a running node, exactly once
///
/// Reads the file, checks each row, and sends the good ones to the node in batches. A row is applied or refused
/// by itself: a bad number, an unknown character, or a sale of more than there is refuses that row and no other.
/// Every refused row is named with its number and the reason, in the summary and completely in --report.
///
/// An import is known to the node by a fingerprint of the file and of the options that say how to read it. So
/// the same command may be run again at any time: after an interruption it goes on where it stopped, and a
/// finished import changes nothing. A changed file, or other options, is another import: to correct refused
/// rows, put them into a file of their own.
#[derive(Args, Clone, Debug)]
#[command(after_long_help = AFTER_HELP)]
pub struct ImportArgs {
    /// CSV file: UTF-8, the first line names the columns
    #[arg(value_name = "CSV")]
    pub file: PathBuf,

    /// What the rows are
    #[arg(long, value_enum, default_value = "sale")]
    pub kind: RowsKind,

    /// Column with the store
    ///
    /// A name that is a store id is taken letter by letter. In any other one each character that an id may not hold becomes
    /// "-": United Kingdom is United-Kingdom. Names that would become one store are refused (see --store-name,
    /// --exact-stores).
    #[arg(long, value_name = "COLUMN", required_unless_present = "store", conflicts_with = "store")]
    pub store_column: Option<String>,

    /// One store id for all rows, instead of a column
    #[arg(long, value_name = "STORE", value_parser = store_id)]
    pub store: Option<StoreId>,

    /// Take the store column as ids, letter by letter, and refuse rows where it is none
    #[arg(long, requires = "store_column")]
    pub exact_stores: bool,

    /// The store that a name in the column means; may be repeated
    #[arg(long = "store-name", value_name = "NAME=STORE", value_parser = meant)]
    #[arg(requires = "store_column", conflicts_with = "exact_stores")]
    pub store_names: Vec<(String, StoreId)>,

    /// Column with the SKU
    #[arg(long, value_name = "COLUMN")]
    pub sku_column: String,

    /// Column with the quantity: whole pieces
    #[arg(long, value_name = "COLUMN")]
    pub quantity_column: String,

    /// Column with the time of the movement
    #[arg(long, value_name = "COLUMN")]
    pub time_column: Option<String>,

    /// How times are written, as for strftime, e.g. "%d/%m/%Y %H:%M"; without an offset they are UTC [default:
    /// RFC 3339]
    #[arg(long, value_name = "FORMAT", requires = "time_column", value_parser = TimeFormat::parse)]
    pub time_format: Option<TimeFormat>,

    /// Column with a reference, such as the invoice number
    #[arg(long, value_name = "COLUMN")]
    pub reference_column: Option<String>,

    /// Stock that a level gets before its first movement, for levels the node has never seen
    #[arg(long, value_name = "PIECES", default_value = "0", value_parser = pieces)]
    pub opening_stock: Quantity,

    /// Character between fields
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    pub delimiter: u8,

    /// Node to import into
    #[arg(long, value_name = "URL", env = "ONHAND_SERVER", default_value = "http://127.0.0.1:3000", value_parser = server_url)]
    pub server: String,

    /// Check the file and report; send nothing
    #[arg(long)]
    pub dry_run: bool,

    /// File that gets every refused row, as CSV; "-" is standard output, and the summary goes to standard error then
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Quantities by --kind:
  sale      positive: sold; negative: a return, it comes back into stock
  stock-in  positive only: goods received
  removal   positive only: taken out (broken, lost, given away)
  opening   positive only: stock found at the start; not together with --opening-stock

Examples:
  onhand import sales.csv --store-column Shop --sku-column Item --quantity-column Qty --dry-run
  onhand import sales.csv --store-column Country --sku-column StockCode --quantity-column Quantity \\
         --time-column InvoiceDate --time-format '%d/%m/%Y %H:%M' --reference-column InvoiceNo \\
         --opening-stock 1000 --report refused.csv
  onhand import sales.csv --store-column Shop --store-name 'MÜNCHEN=MUENCHEN' \\
         --sku-column Item --quantity-column Qty
  onhand import delivery.csv --kind stock-in --store BERLIN \\
         --sku-column sku --quantity-column pieces

Products of a catalogue: onhand import products --help. A file called products is ./products.

Exit codes:
   0  every row was applied, or refused and reported
  65  not such a CSV file: empty, a header that is not UTF-8, a column missing, a quote left open
  65  two names of stores would become one store
  66  the file is missing or cannot be read
  69  the node cannot be reached, or refused; run the same command again to go on
  73  the report cannot be created";

/// What the rows of a file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum RowsKind {
    /// Sold, or with a negative quantity returned
    Sale,
    /// Goods received
    StockIn,
    /// Taken out by hand
    Removal,
    /// Stock at the start
    Opening,
}

impl RowsKind {
    /// The word for it, on the wire and to people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::StockIn => "stock-in",
            Self::Removal => "removal",
            Self::Opening => "opening",
        }
    }
}

/// Where a row's store comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum StoreFrom {
    /// A column with names, to be made ids.
    Names(String),
    /// A column with ids.
    Ids(String),
    /// The same for all rows.
    Fixed(StoreId),
}

/// How to read a row. Its JSON is part of the import's fingerprint: a change of a name or of the order of
/// fields here would make every finished import a new one.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReadOptions {
    pub(super) kind: RowsKind,
    pub(super) store: StoreFrom,
    /// The stores of `--store-name`, by the name in the file.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) store_names: BTreeMap<String, StoreId>,
    pub(super) sku_column: String,
    pub(super) quantity_column: String,
    pub(super) time_column: Option<String>,
    pub(super) time_format: Option<TimeFormat>,
    pub(super) reference_column: Option<String>,
    pub(super) opening_stock: Quantity,
    pub(super) delimiter: u8,
}

impl ImportArgs {
    /// The options that give the rows their meaning.
    ///
    /// # Errors
    /// [`Exit::Usage`] for options that contradict each other.
    pub(super) fn reading(&self) -> Result<ReadOptions, Failure> {
        if self.kind == RowsKind::Opening && self.opening_stock > Quantity::ZERO {
            return Err(Failure::new(
                Exit::Usage,
                "--kind opening and --opening-stock contradict each other: the rows themselves are the opening stock",
            ));
        }
        let store = match (&self.store, &self.store_column) {
            (Some(id), _) => StoreFrom::Fixed(id.clone()),
            (None, Some(column)) if self.exact_stores => StoreFrom::Ids(column.clone()),
            (None, Some(column)) => StoreFrom::Names(column.clone()),
            (None, None) => return Err(Failure::new(Exit::Usage, "give --store-column or --store")),
        };
        Ok(ReadOptions {
            kind: self.kind,
            store,
            store_names: self.names()?,
            sku_column: self.sku_column.clone(),
            quantity_column: self.quantity_column.clone(),
            time_column: self.time_column.clone(),
            time_format: self.time_format.clone(),
            reference_column: self.reference_column.clone(),
            opening_stock: self.opening_stock,
            delimiter: self.delimiter,
        })
    }
}

impl ImportArgs {
    fn names(&self) -> Result<BTreeMap<String, StoreId>, Failure> {
        let mut names = BTreeMap::new();
        for (name, id) in &self.store_names {
            if let Some(other) = names.insert(name.clone(), id.clone()).filter(|other| other != id) {
                let message =
                    format!("--store-name says that {name:?} is {other} and that it is {id}; which one?");
                return Err(Failure::new(Exit::Usage, message));
            }
        }
        Ok(names)
    }
}

fn store_id(text: &str) -> Result<StoreId, String> {
    StoreId::new(text).map_err(|error| format!("it {error}"))
}

fn pieces(text: &str) -> Result<Quantity, String> {
    let pieces = text.parse().ok().filter(|pieces| (0..=INTEGER_MAX).contains(pieces));
    pieces
        .and_then(|pieces| Quantity::new(pieces).ok())
        .ok_or_else(|| format!("a whole number, 0 to {INTEGER_MAX}"))
}

/// Reads `--delimiter`.
pub(crate) fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "\\t" | "tab" => Ok(b'\t'),
        _ => match text.as_bytes() {
            [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n".contains(byte) => {
                Ok(*byte)
            }
            _ => Err("one character, such as , or ; or tab".to_owned()),
        },
    }
}
