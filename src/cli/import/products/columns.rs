//! The columns of a file of products: those that the options name, and those that have the names of the contract.

use std::path::Path;

use super::options::ProductsArgs;
use crate::import::columns::{not_found, place};
use crate::import::table::{CsvFile, unusable};
use onhand_domain::catalogue::ProductMember;
use onhand_runtime::exit::{Exit, Failure};

/// The positions of the columns.
#[derive(Clone, Debug)]
pub(super) struct ProductColumns {
    pub(super) sku: usize,
    /// The columns of the details, in the order of [`ProductMember::ALL`].
    pub(super) members: [Option<usize>; ProductMember::ALL.len()],
    pub(super) currency: Option<usize>,
    /// True when prices are in minor units.
    pub(super) minor: bool,
    /// Fields that every record has.
    pub(super) count: usize,
}

/// Opens a file of products.
///
/// # Errors
/// Those of [`CsvFile::open`], [`Exit::Data`] when the file lacks a column, [`Exit::Usage`] for prices without a currency.
pub(super) fn open(args: &ProductsArgs) -> Result<(CsvFile, ProductColumns), Failure> {
    let table = CsvFile::open(&args.file, args.delimiter, b"")?;
    let columns = ProductColumns::find(table.header(), args, &args.file)?;
    Ok((table, columns))
}

impl ProductColumns {
    /// The position of a detail's column.
    pub(super) fn of(&self, member: ProductMember) -> Option<usize> {
        let at = ProductMember::ALL.iter().position(|one| *one == member);
        at.and_then(|at| self.members.get(at).copied().flatten())
    }

    /// The positions of all columns that are read.
    pub(super) fn read(&self) -> impl Iterator<Item = usize> {
        [Some(self.sku), self.currency].into_iter().chain(self.members).flatten()
    }

    fn find(header: &[String], args: &ProductsArgs, path: &Path) -> Result<Self, Failure> {
        let mut missing = Vec::new();
        let mut find = |option: &str, named: Option<&String>, usual: &str| {
            let wanted = named.map_or(usual, String::as_str);
            if named.is_none() && !header.iter().any(|name| name == usual) {
                return None;
            }
            place(header, wanted).map_err(|reason| missing.push(format!("{option} {wanted:?} {reason}"))).ok()
        };
        let sku = find("--sku-column", Some(&args.sku_column), "sku");
        let name = find("--name-column", Some(&args.name_column), "name");
        let (price, minor_price) = (args.price_column.as_ref(), args.minor_price_column.as_ref());
        let minor =
            if price.is_some() { None } else { find("--minor-price-column", minor_price, "amountMinor") };
        let price = if minor_price.is_some() { None } else { find("--price-column", price, "price") };
        let category = find("--category-column", args.category_column.as_ref(), "category");
        let barcode = find("--barcode-column", args.barcode_column.as_ref(), "barcode");
        let threshold = find("--threshold-column", args.threshold_column.as_ref(), "lowStockThreshold");
        let active = find("--active-column", args.active_column.as_ref(), "active");
        let currency = find("--currency-column", args.currency_column.as_ref(), "currency");
        if price.is_some() && minor.is_some() {
            missing.push("price and amountMinor both say the price: name one, with --price-column or --minor-price-column".to_owned());
        }
        let Some(sku) = sku.filter(|_| missing.is_empty()) else {
            return Err(unusable(path, not_found(&missing, header)));
        };
        if price.or(minor).is_some() && currency.is_none() && args.currency.is_none() {
            let message = "say in which currency the prices are: --currency GBP, or --currency-column COLUMN";
            return Err(Failure::new(Exit::Usage, message));
        }
        let members = [name, category, price.or(minor), barcode, threshold, active];
        Ok(Self { sku, members, currency, minor: minor.is_some(), count: header.len() })
    }
}
