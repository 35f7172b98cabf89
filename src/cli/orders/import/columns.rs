//! The columns of a file of orders: those that the options name, and those that have the names of an export.

use std::path::Path;

use super::options::ImportOrdersArgs;
use crate::import::columns::{not_found, place};
use crate::import::table::{CsvFile, unusable};
use onhand_runtime::exit::{Exit, Failure};

/// The positions of the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrderColumns {
    pub(super) order: usize,
    pub(super) sku: usize,
    pub(super) quantity: usize,
    pub(super) price: Option<usize>,
    pub(super) name: Option<usize>,
    pub(super) customer: Option<usize>,
    pub(super) date: Option<usize>,
    /// Fields that every record has.
    pub(super) count: usize,
}

/// Opens a file of orders.
///
/// # Errors
/// Those of [`CsvFile::open`], [`Exit::Data`] when the file lacks a column, [`Exit::Usage`] for prices without a currency and
/// returns without customers.
pub(super) fn open(args: &ImportOrdersArgs) -> Result<(CsvFile, OrderColumns), Failure> {
    let table = CsvFile::open(&args.file, args.delimiter, b"")?;
    let columns = OrderColumns::find(table.header(), args, &args.file)?;
    Ok((table, columns))
}

impl OrderColumns {
    /// The positions of all columns that are sent.
    pub(super) fn sent(&self) -> impl Iterator<Item = usize> {
        let needed = [self.order, self.sku, self.quantity].into_iter();
        needed.chain([self.price, self.name, self.customer].into_iter().flatten())
    }

    /// Finds the columns in a header.
    pub(super) fn find(header: &[String], args: &ImportOrdersArgs, path: &Path) -> Result<Self, Failure> {
        let mut missing = Vec::new();
        let mut named = |option: &str, wanted: &str| {
            place(header, wanted).unwrap_or_else(|reason| {
                missing.push(format!("{option} {wanted:?} {reason}"));
                0
            })
        };
        let order = named("--order-column", &args.order_column);
        let sku = named("--sku-column", &args.sku_column);
        let quantity = named("--quantity-column", &args.quantity_column);
        let mut usual = |option: &str, wanted: Option<&String>, usual: &str| match wanted {
            Some(wanted) => Some(named(option, wanted)),
            None if header.iter().any(|name| name == usual) => Some(named(option, usual)),
            None => None,
        };
        let price = usual("--price-column", args.price_column.as_ref(), "unitPrice");
        let name = usual("--name-column", args.name_column.as_ref(), "name");
        let customer = usual("--customer-column", args.customer_column.as_ref(), "customerId");
        let date = args.date_column.as_ref().map(|date| named("--date-column", date));
        if !missing.is_empty() {
            return Err(unusable(path, not_found(&missing, header)));
        }
        if price.is_some() && args.currency.is_none() {
            let message = "say in which currency the prices are, such as --currency GBP";
            return Err(Failure::new(Exit::Usage, message));
        }
        if args.returns && customer.is_none() {
            let message =
                "--returns needs --customer-column: a return is one of an order of the same customer";
            return Err(Failure::new(Exit::Usage, message));
        }
        Ok(Self { order, sku, quantity, price, name, customer, date, count: header.len() })
    }
}
